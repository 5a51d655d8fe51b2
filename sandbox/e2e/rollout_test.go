package e2e

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/ecs"
)

// failing makes the tasks of one revision exit with status 3 soon after they start.
func failing(revision string) map[string]string {
	return map[string]string{"failing-tasks": "slipway-dev-web:" + revision, "failing-exit-code": "3"}
}

func TestAFirstDeploymentThatFailsIsRed(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.aws.setFaults(failing("*"))
	u := p.tryUp("dev")
	require.NotZero(t, u.status)
	for _, says := range []string{"services.web: the deployment of slipway-dev-web:1 failed", "exit code 3",
		"Serving now: nothing", "/slipway/dev/web"} {
		require.Contains(t, u.output, says)
	}
	require.NotContains(t, u.output, "unhandled error")
	require.Len(t, p.state("dev").ofType("aws:ecs/service:Service"), 1, "the service is tracked")

	again := p.tryUp("dev")
	require.NotZero(t, again.status, "an unchanged retry stays red")
	require.Contains(t, again.output, "slipway-dev-web:1 failed")
	advice := regexp.MustCompile("`pulumi up (--replace '[^']+')` tries again").FindStringSubmatch(again.output)
	require.NotNil(t, advice, again.output)
	require.Contains(t, p.ok("slipway", "status", "dev").stdout, "`pulumi up --stack dev "+advice[1]+"` tries again")

	p.aws.setFaults(nil)
	require.NotZero(t, p.tryUp("dev").status, "ECS does not try again by itself")
	option, urn, _ := strings.Cut(advice[1], " ")
	p.up("dev", option, strings.Trim(urn, "'"))
	require.Equal(t, 1, p.aws.service("slipway-dev").Running)
	p.up("dev", "--expect-no-changes")
}

func TestADeploymentThatIsRolledBackIsRed(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.aws.setFaults(failing("2"))
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	u := p.tryUp("dev")
	require.NotZero(t, u.status)
	for _, says := range []string{"services.web: the deployment of slipway-dev-web:2 failed and was rolled back",
		"3 stopped: ", "exit code 3",
		"Serving now: slipway-dev-web:1, 1 of 1 replicas", "pulumi up --refresh"} {
		require.Contains(t, u.output, says)
	}
	require.Equal(t, 1, p.aws.service("slipway-dev").Revision)
	require.Equal(t, 1, p.aws.service("slipway-dev").Running)
	p.refused([]string{"revision 2 was asked for, and ECS rolled back; serving revision 1", "tasks failed to start",
		"3 stopped: ", "exit code 3"},
		"slipway", "status", "dev", "--exit-code")
	require.Contains(t, p.ok("slipway", "history", "dev").stdout, "rolled back; serving revision 1")

	again := p.tryUp("dev")
	require.NotZero(t, again.status, "an unchanged retry stays red")
	require.Contains(t, again.output, "slipway-dev-web:2")
	require.Contains(t, again.output, "slipway-dev-web:1")
	require.Contains(t, again.output, "`pulumi up --refresh` tries again")
	require.Empty(t, again.changed())

	p.aws.setFaults(nil)
	preview := p.preview("dev", "--refresh")
	require.Regexp(t, `task-definition/slipway-dev-web:1" => "[^"]*task-definition/slipway-dev-web:2"`, preview.output)
	u = p.up("dev", "--refresh")
	// Pulumi also drops the revision before from its state, which the failed update had not come to.
	require.Equal(t, []string{"Update aws:ecs/service:Service", "Delete aws:ecs/taskDefinition:TaskDefinition"},
		u.changed())
	require.Equal(t, []string{"1 ACTIVE", "2 ACTIVE"}, p.aws.revisions("slipway-dev-web"))
	require.Equal(t, 2, p.aws.service("slipway-dev").Revision)
	p.up("dev", "--expect-no-changes")
}

func TestARevertAfterAFailureIsGreen(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.aws.setFaults(failing("2"))
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	p.commit("A mistake")
	require.NotZero(t, p.tryUp("dev").status)
	p.git("revert", "--no-edit", "HEAD")
	p.up("dev").builtNothing()
	require.Equal(t, 3, p.aws.service("slipway-dev").Revision)
	require.Equal(t, "hello from dev", p.aws.service("slipway-dev").Environment["GREETING"])
}

func TestTheEventsOfARolloutAppearWhileItRuns(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.aws.setFaults(map[string]string{"slow-rollout": "5s"}) // each step
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	update := p.start(upArgs("dev", "--skip-preview")...)
	update.until(func() bool { // once for each revision
		return strings.Count(fmt.Sprint(p.aws.web().Events), "has started 1 tasks") == 2
	})
	p.aws.setFaults(map[string]string{"slow-rollout": forever})
	update.says("has started 1 tasks")
	require.Equal(t, ecs.InProgress, p.aws.web().Deployments[0].RolloutState, "the rollout is still under way")
	p.aws.setFaults(nil)
	update.succeeds()
	require.Equal(t, 2, p.aws.service("slipway-dev").Revision)
}

func TestRolesThatAreNotThereYetDelayAFirstDeployment(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	// A task needs its roles after two steps, and three failures would trip the circuit breaker.
	p.aws.setFaults(map[string]string{"iam-delay": forever, "slow-rollout": "5s"})
	p.replace("Pulumi.dev.yaml", "    web:\n      replicas: 1", "    worker: {image: web}\n    web:\n      replicas: 1")
	update := p.start(upArgs("dev", "--skip-preview")...)
	update.says("unable to assume the role")
	p.aws.setFaults(nil)
	update.succeeds()
	require.Equal(t, 1, p.state("dev").outputs().Services["worker"].Revision)
}

func TestAServiceThatSomebodyChangedIsRed(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	p.up("dev")
	_, err := ecs.UpdateService(p.aws.open(), "slipway-dev", "web", "slipway-dev-web:1", false,
		func(*ecs.ServiceSettings) {})
	require.NoError(t, err)
	u := p.tryUp("dev")
	require.NotZero(t, u.status)
	require.Contains(t, u.output, "slipway-dev-web:2")
	p.up("dev", "--refresh")
	require.Equal(t, 2, p.aws.service("slipway-dev").Revision)
}

func TestAPreviewWarnsOfAReplacedService(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	urn := p.state("dev").ofType("aws:ecs/service:Service")[0].URN
	warning := "services.web: the service exists, with 1 replicas running"
	require.Contains(t, p.preview("dev", "--replace", urn).output, warning)
	require.NotContains(t, p.preview("dev").output, warning)
	p.up("dev", "--replace", urn)
	require.Equal(t, 1, p.aws.service("slipway-dev").Running)
	p.up("dev", "--expect-no-changes")
}
