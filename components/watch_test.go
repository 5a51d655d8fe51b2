package components

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"slipway/provider"
	"slipway/taskrun"
)

// page is an answer of AWS: a status, and what the body says.
type page struct {
	status int
	body   string
}

// accountAnswering is an account whose calls are answered by these, by the name of the action, one after the other and
// the last one again and again; what is not among them ECS answers with nothing, and STS with the account.
func accountAnswering(t *testing.T, answers map[string][]page) *Account {
	t.Helper()
	var mutex sync.Mutex
	aws := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		_, action, isJSON := strings.Cut(request.Header.Get("X-Amz-Target"), ".")
		if !isJSON {
			action = request.FormValue("Action")
		}
		mutex.Lock()
		defer mutex.Unlock()
		answer := page{200, `{"taskArns": [], "tasks": [], "services": [], "failures": []}`}
		if !isJSON {
			answer.body = "<R><GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult></R>"
		}
		if given := answers[action]; len(given) > 0 {
			answer = given[0]
			answers[action] = given[min(1, len(given)-1):]
		}
		w.WriteHeader(answer.status)
		fmt.Fprint(w, answer.body)
	}))
	t.Cleanup(aws.Close)
	return &Account{ID: "123456789012", Region: "ap-northeast-2", Partition: "aws", Settings: provider.Settings{
		Region: "ap-northeast-2", AccessKey: "a", SecretKey: "b", Endpoints: map[string]string{"sts": aws.URL, "ecs": aws.URL,
			"iam": aws.URL},
	}}
}

// inProgram runs a part of a program.
func inProgram(t *testing.T, part func(ctx *pulumi.Context)) {
	t.Helper()
	require.NoError(t, pulumi.RunErr(func(ctx *pulumi.Context) error {
		part(ctx)
		return nil
	}, pulumi.WithMocks("shop", "dev", &recorder{summaries: map[string]map[string]any{}})))
}

var refusedPage = page{400, `{"__type": "AccessDeniedException", "message": "not authorized"}`}

func TestAnAccountThatCouldNotBeAskedIsAskedAgain(t *testing.T) {
	t.Parallel()
	account := accountAnswering(t, map[string][]page{"GetCallerIdentity": {
		{403, "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"},
		{200, "<R><GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult></R>"},
		{200, "<R><GetCallerIdentityResult><Account>999999999999</Account></GetCallerIdentityResult></R>"},
	}})
	_, err := account.ECS(t.Context())
	require.ErrorContains(t, err, "AccessDenied")
	for range 2 {
		_, err = account.ECS(t.Context())
		require.NoError(t, err, "and once it is known, not any more")
	}
}

func TestWhatKeepsADeploymentFromBeingWatchedIsFoundBefore(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answers         map[string][]page
		services, tasks string
	}{
		"all is well": {nil, "", ""},
		"services denied": {map[string][]page{"DescribeServices": {refusedPage}},
			"services.api (Pulumi.dev.yaml): its deployment could not be watched", ""},
		"services denied, in the list of failures": {
			map[string][]page{"DescribeServices": {{200, `{"services": [], "failures": [
				{"arn": "arn:aws:ecs:ap-northeast-2:123456789012:service/shop-dev/web", "reason": "ACCESS_DENIED"},
				{"arn": "arn:aws:ecs:ap-northeast-2:123456789012:service/shop-dev/api", "reason": "MISSING"},
				{"arn": "arn:aws:ecs:ap-northeast-2:123456789012:service/shop-dev/queue", "reason": "MISSING"}]}`}}},
			"services.web (Pulumi.dev.yaml): its deployment could not be watched", "",
		},
		"lists of tasks denied": {map[string][]page{"ListTasks": {refusedPage}}, "",
			"tasks.migrate.before (Pulumi.dev.yaml): the task could not be watched"},
		"tasks denied": {map[string][]page{"DescribeTasks": {refusedPage}}, "",
			"tasks.migrate.before (Pulumi.dev.yaml): the task could not be watched"},
		"another account": {map[string][]page{"GetCallerIdentity": {{200,
			"<R><GetCallerIdentityResult><Account>999999999999</Account></GetCallerIdentityResult></R>"}}},
			"belong to account 999999999999", ""},
		"no cluster yet": {map[string][]page{"DescribeServices": {{400, `{"__type": "ClusterNotFoundException"}`}},
			"ListTasks": {{400, `{"__type": "ClusterNotFoundException"}`}}}, "", ""},
		"a network that is down": {map[string][]page{"DescribeServices": {{503, "busy"}}, "ListTasks": {{503, "busy"}},
			"DescribeTasks": {{200, "<html>"}}}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			account, settings := accountAnswering(t, test.answers), loadStage(t, withTasks)
			inProgram(t, func(ctx *pulumi.Context) {
				_, err := NewRollouts(ctx, account, settings.Cluster()).preflight(settings)
				requireError(t, test.services, err)
			})
			requireError(t, test.tasks, preflightTasks(t.Context(), account, settings))
		})
	}
}

func TestWhatAnotherStageHasTheNamesOfIsFoundBefore(t *testing.T) {
	t.Parallel()
	role := func(stage, of, name string) page {
		tags := ""
		for key, value := range map[string]string{"project": "shop", "stage": stage, of: name} {
			tags += "<member><Key>" + key + "</Key><Value>" + value + "</Value></member>"
		}
		return page{200, "<R><GetRoleResult><Role><Tags>" + tags + "</Tags></Role></GetRoleResult></R>"}
	}
	there := page{200, `{"services": [{"serviceName": "eu-web", "status": "ACTIVE"}, {"serviceName": "api", "status": ` +
		`"ACTIVE"}]}`}
	for name, test := range map[string]struct {
		answers         map[string][]page
		services, tasks string
	}{
		"nobody's yet": {map[string][]page{"GetRole": {{404,
			"<ErrorResponse><Error><Code>NoSuchEntity</Code></Error></ErrorResponse>"}}}, "", ""},
		"its own": {map[string][]page{"GetRole": {role("dev", "service", "eu-web")}}, "", ""},
		"another's": {map[string][]page{"GetRole": {role("dev-eu", "service", "web")}},
			"services.eu-web (Pulumi.dev.yaml): would have the family",
			"tasks.eu-migrate (Pulumi.dev.yaml): would have the family"},
		"a service that runs is not asked for": {map[string][]page{"GetRole": {role("dev-eu", "service", "web")},
			"DescribeServices": {there}}, "",
			"tasks.eu-migrate (Pulumi.dev.yaml): would have the family"},
		"denied": {map[string][]page{"GetRole": {{403,
			"<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"}}}, "", ""},
		"no role": {map[string][]page{"GetRole": {{200, "<R><GetRoleResult></GetRoleResult></R>"}}}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			account := accountAnswering(t, test.answers)
			settings := loadStage(t, map[string]string{"services": `{"eu-web": {"image": "web"}, "api": {"image": "web"}}`,
				"tasks": `{"eu-migrate": {"image": "web"}, "sync": {"image": "web"}}`})
			inProgram(t, func(ctx *pulumi.Context) {
				_, err := NewRollouts(ctx, account, settings.Cluster()).preflight(settings)
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

func TestATaskWaitsForOthersOfItsFamily(t *testing.T) {
	t.Parallel()
	const (
		one     = `{"taskArns": ["arn:aws:ecs:r:1:task/shop-dev/0a1b2c"]}`
		running = `{"tasks": [{"taskArn": "arn:aws:ecs:r:1:task/shop-dev/0a1b2c", "lastStatus": "RUNNING"}]}`
		ended   = `{"tasks": [{"taskArn": "arn:aws:ecs:r:1:task/shop-dev/0a1b2c", "lastStatus": "STOPPED", "stopCode": "EssentialContainerExited",
			"startedBy": "%s", "taskDefinitionArn": "arn:f:3", "containers": [{"name": "migrate", "exitCode": %d}]}]}`
		ours = "slipway/before/0a1b2c3d/f"
	)
	for name, test := range map[string]struct {
		answers   map[string][]page
		succeeded string
		fails     string
	}{
		"there is none": {nil, "", ""},
		"one that ends, read through a bad network": {map[string][]page{
			"ListTasks":     {{200, "<html>"}, {200, "{}"}, {200, one}, {200, one}},
			"DescribeTasks": {{200, "{}"}, {200, running}, {503, "busy"}, {200, fmt.Sprintf(ended, "slipway-run/jo", 0)}},
		}, "", ""},
		"one that was run for the same, and has succeeded": {
			map[string][]page{"ListTasks": {{200, one}}, "DescribeTasks": {{200, fmt.Sprintf(ended, ours, 0)}}}, "0a1b2c", "",
		},
		"one that was run for the same, and has failed": {
			map[string][]page{"ListTasks": {{200, one}}, "DescribeTasks": {{200, fmt.Sprintf(ended, ours, 1)}}}, "", "",
		},
		"one that was run for other revisions": {
			map[string][]page{"ListTasks": {{200, one}},
				"DescribeTasks": {{200, fmt.Sprintf(ended, "slipway/before/99999999/f", 0)}}}, "", "",
		},
		"one that does not end": {
			map[string][]page{"ListTasks": {{200, one}}, "DescribeTasks": {{200, running}}}, "",
			".timeout: the task 0a1b2c, which ran already, has not ended within 1s; `aws ecs stop-task --cluster shop-dev " +
				"--task 0a1b2c` stops it",
		},
		"nothing that can be read": {
			map[string][]page{"ListTasks": {{200, "{}"}}}, "",
			".timeout: whether such a task runs already could not be read from ECS within 1s: the answer lists nothing",
		},
		"denied": {map[string][]page{"ListTasks": {refusedPage}}, "", ": asking ECS whether such a task runs already: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inProgram(t, func(ctx *pulumi.Context) {
				component := &Workload{}
				require.NoError(t, ctx.RegisterComponentResource(taskType, "migrate", component))
				predeploy := &predeploy{ctx: ctx, account: accountAnswering(t, test.answers), component: component,
					key: "tasks.migrate", timeout: time.Minute}
				if strings.Contains(test.fails, "within 1s") {
					predeploy.timeout = time.Second
				}
				succeeded, err := predeploy.awaitOthers(t.Context(), taskrun.Task{Cluster: "shop-dev", TaskDefinition: "arn:f:3",
					Container: "migrate", StartedBy: ours})
				requireError(t, test.fails, err)
				require.Equal(t, test.succeeded, succeeded)
			})
		})
	}
}

func TestWhatATaskIsRunForIsItsServicesRevisions(t *testing.T) {
	t.Parallel()
	a := digestOfRevisions(map[string]string{"web": "arn:f:1", "api": "arn:g:1"})
	require.Len(t, a, 8)
	require.Equal(t, a, digestOfRevisions(map[string]string{"api": "arn:g:1", "web": "arn:f:1"}))
	require.NotEqual(t, a, digestOfRevisions(map[string]string{"api": "arn:g:1", "web": "arn:f:2"}))
	require.NotEqual(t, a, digestOfRevisions(map[string]string{"web": "arn:f:1"}))
}
