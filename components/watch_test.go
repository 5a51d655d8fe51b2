package components

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"slipway/internal/awsclient/awstest"
)

// inProgram runs a part of a program.
func inProgram(t *testing.T, part func(ctx *pulumi.Context)) {
	t.Helper()
	require.NoError(t, pulumi.RunErr(func(ctx *pulumi.Context) error {
		part(ctx)
		return nil
	}, pulumi.WithMocks("shop", "dev", &recorder{summaries: map[string]map[string]any{}})))
}

var refusedPage = `400 {"__type": "AccessDeniedException", "message": "not authorized"}`

func TestAnAccountThatCouldNotBeAskedIsAskedAgain(t *testing.T) {
	t.Parallel()
	account := awstest.Account(t, map[string][]string{"GetCallerIdentity": {
		"403 <ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>",
		"200 <R><GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult></R>",
		"200 <R><GetCallerIdentityResult><Account>999999999999</Account></GetCallerIdentityResult></R>",
	}})
	_, err := account.Clients(t.Context())
	require.ErrorContains(t, err, "AccessDenied")
	for range 2 {
		_, err = account.Clients(t.Context())
		require.NoError(t, err, "and once it is known, not any more")
	}
}

func TestWhatKeepsADeploymentFromBeingWatchedIsFoundBefore(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answers         map[string][]string
		services, tasks string
	}{
		"all is well": {nil, "", ""},
		"services denied": {map[string][]string{"DescribeServices": {refusedPage}},
			"services.api (Pulumi.dev.yaml): its deployment could not be watched", ""},
		"services denied, in the list of failures": {
			map[string][]string{"DescribeServices": {`200 {"services": [], "failures": [
				{"arn": "arn:aws:ecs:ap-northeast-2:123456789012:service/shop-dev/web", "reason": "ACCESS_DENIED"},
				{"arn": "arn:aws:ecs:ap-northeast-2:123456789012:service/shop-dev/api", "reason": "MISSING"},
				{"arn": "arn:aws:ecs:ap-northeast-2:123456789012:service/shop-dev/queue", "reason": "MISSING"}]}`}},
			"services.web (Pulumi.dev.yaml): its deployment could not be watched", "",
		},
		"lists of tasks denied": {map[string][]string{"ListTasks": {refusedPage}}, "",
			"tasks.migrate.before (Pulumi.dev.yaml): the task could not be watched"},
		"tasks denied": {map[string][]string{"DescribeTasks": {refusedPage}}, "",
			"tasks.migrate.before (Pulumi.dev.yaml): the task could not be watched"},
		"another account": {map[string][]string{"GetCallerIdentity": {
			"200 <R><GetCallerIdentityResult><Account>999999999999</Account></GetCallerIdentityResult></R>"}},
			"belong to account 999999999999", ""},
		"no cluster yet": {map[string][]string{"DescribeServices": {`400 {"__type": "ClusterNotFoundException"}`},
			"ListTasks": {`400 {"__type": "ClusterNotFoundException"}`}}, "", ""},
		"a network that is down": {map[string][]string{"DescribeServices": {"503 busy"}, "ListTasks": {"503 busy"},
			"DescribeTasks": {"200 <html>"}}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			account, settings := awstest.Account(t, test.answers), loadStage(t, withTasks)
			inProgram(t, func(ctx *pulumi.Context) {
				_, err := newRollouts(ctx, account, settings.Cluster()).preflight(settings)
				requireError(t, test.services, err)
			})
			requireError(t, test.tasks, preflightTasks(t.Context(), account, settings))
		})
	}
}

func TestWhatAnotherStageHasTheNamesOfIsFoundBefore(t *testing.T) {
	t.Parallel()
	role := func(stage, of, name string) string {
		tags := ""
		for key, value := range map[string]string{"project": "shop", "stage": stage, of: name} {
			tags += "<member><Key>" + key + "</Key><Value>" + value + "</Value></member>"
		}
		return "200 <R><GetRoleResult><Role><Tags>" + tags + "</Tags></Role></GetRoleResult></R>"
	}
	there := `200 {"services": [{"serviceName": "eu-web", "status": "ACTIVE"}, {"serviceName": "api", "status": ` +
		`"ACTIVE"}]}`
	for name, test := range map[string]struct {
		answers         map[string][]string
		services, tasks string
	}{
		"nobody's yet": {map[string][]string{"GetRole": {"404 <ErrorResponse><Error><Code>NoSuchEntity</Code></Error></ErrorResponse>"}}, "", ""},
		"its own":      {map[string][]string{"GetRole": {role("dev", "service", "eu-web")}}, "", ""},
		"another's": {map[string][]string{"GetRole": {role("dev-eu", "service", "web")}},
			"services.eu-web (Pulumi.dev.yaml): would have the family",
			"tasks.eu-migrate (Pulumi.dev.yaml): would have the family"},
		"a service that runs is not asked for": {map[string][]string{"GetRole": {role("dev-eu", "service", "web")},
			"DescribeServices": {there}}, "",
			"tasks.eu-migrate (Pulumi.dev.yaml): would have the family"},
		"denied":  {map[string][]string{"GetRole": {"403 <ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"}}, "", ""},
		"no role": {map[string][]string{"GetRole": {"200 <R><GetRoleResult></GetRoleResult></R>"}}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			account := awstest.Account(t, test.answers)
			settings := loadStage(t, map[string]string{"services": `{"eu-web": {"image": "web"}, "api": {"image": "web"}}`,
				"tasks": `{"eu-migrate": {"image": "web"}, "sync": {"image": "web"}}`})
			inProgram(t, func(ctx *pulumi.Context) {
				_, err := newRollouts(ctx, account, settings.Cluster()).preflight(settings)
				requireError(t, test.services, err)
			})
			requireError(t, test.tasks, checkOwners(t.Context(), account, settings))
		})
	}
}

func requireError(t *testing.T, want string, err error) {
	t.Helper()
	if want == "" {
		require.NoError(t, err)
		return
	}
	require.ErrorContains(t, err, want)
}
