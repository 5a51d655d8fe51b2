package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// failingMigration makes the tasks of a family exit with status 3.
func failingMigration(family string) map[string]string {
	return map[string]string{"failing-tasks": family + ":*", "failing-exit-code": "3"}
}

func TestATaskIsDeclaredAndNotRunAndItsScheduleFollowsIt(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.task("report", "schedule:", "  when: rate(1 day)")
	u := p.up("dev")
	require.NotContains(t, u.changed(), "Update aws:ecs/service:Service")
	require.Empty(t, p.aws.exits("slipway-dev-report"), "schedules do not fire in the sandbox")
	task := p.state("dev").outputs().Tasks["report"]
	require.Equal(t, 1, task.Revision)
	require.Equal(t, "slipway-dev-report", task.Family)
	require.Equal(t, "slipway-dev-report", task.Schedule)
	require.True(t, strings.HasSuffix(task.TaskDefinition, ":task-definition/slipway-dev-report:1"), task.TaskDefinition)
	require.Equal(t, "/slipway/dev/report", task.LogGroup)
	require.Contains(t, task.Run,
		"aws ecs run-task --region ap-northeast-2 --cluster slipway-dev --launch-type FARGATE --task-definition "+
			"slipway-dev-report:1 ")
	require.Contains(t, task.Run, "securityGroups=["+task.SecurityGroups[0]+"]")

	p.replace("Pulumi.dev.yaml", "rate(1 day)",
		"cron(0 6 ? * MON-FRI *)\n        timeZone: Asia/Seoul\n        enabled: false")
	require.Equal(t, []string{"Update aws:scheduler/schedule:Schedule"}, p.up("dev").changed())
	p.settled("dev")

	p.replace("Pulumi.dev.yaml", "      schedule:\n", "      command: [report]\n      schedule:\n")
	require.Contains(t, p.preview("dev").output, "aws:scheduler/schedule:Schedule")
	require.Equal(t, []string{"Create aws:ecs/taskDefinition:TaskDefinition", "Update aws:scheduler/schedule:Schedule",
		"Delete aws:ecs/taskDefinition:TaskDefinition"}, p.up("dev").changed())
	target := p.state("dev").ofType("aws:scheduler/schedule:Schedule")[0].Outputs["target"].(map[string]any)
	require.Contains(t, target["ecsParameters"].(map[string]any)["taskDefinitionArn"],
		"task-definition/slipway-dev-report:2")
	require.Equal(t, 2, p.state("dev").outputs().Tasks["report"].Revision)
	require.Equal(t, []string{"1 ACTIVE", "2 ACTIVE"}, p.aws.revisions("slipway-dev-report"))
	require.Equal(t, []string{"1 ACTIVE"}, p.aws.revisions("slipway-dev-web"))

	p.withoutOptions()
	require.Contains(t, p.up("dev").changed(), "Delete aws:scheduler/schedule:Schedule")
	require.Empty(t, p.aws.objects("schedule"))
	require.Nil(t, p.state("dev").outputs().Tasks)
	p.settled("dev")
}

func TestATaskRunsBeforeADeploymentAndOnlyThen(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.migration()
	preview := p.preview("dev")
	require.Zero(t, preview.status)
	require.Contains(t, preview.output, "runs before the deployment of services.web")
	require.Empty(t, p.aws.revisions("slipway-dev-migrate"))

	u := p.up("dev")
	require.Equal(t, []string{"1 exited 0"}, p.aws.exits("slipway-dev-migrate"), "before the first deployment, too")
	require.Contains(t, u.output, "slipway-dev-migrate:1 runs as the task ")
	require.Contains(t, u.output, "has ended with exit code 0")
	require.Less(t, strings.Index(u.output, "has ended with exit code 0"),
		strings.Index(u.output, "aws:ecs:Service (web)"), u.output)
	p.settled("dev")
	require.Len(t, p.aws.exits("slipway-dev-migrate"), 1, "an unchanged stage runs it no more")

	p.replace("Pulumi.dev.yaml", `TARGET: "shop"`, `TARGET: "other"`)
	require.Equal(t, []string{"Create aws:ecs/taskDefinition:TaskDefinition",
		"Delete aws:ecs/taskDefinition:TaskDefinition"}, p.up("dev").changed(),
		"the service stays where it is")
	require.Len(t, p.aws.exits("slipway-dev-migrate"), 1)

	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	require.Contains(t, p.preview("dev").output, "runs before the deployment of services.web")
	p.up("dev")
	require.Equal(t, []string{"1 exited 0", "2 exited 0"}, p.aws.exits("slipway-dev-migrate"))
	require.Equal(t, 2, p.aws.service("slipway-dev").Revision)

	p.serviceKeys("revision: 1")
	p.up("dev")
	require.Equal(t, 1, p.aws.service("slipway-dev").Revision)
	require.Len(t, p.aws.exits("slipway-dev-migrate"), 3, "the pinned revision is another one")
	p.settled("dev")
}

func TestATaskThatFailsBeforeADeploymentStopsTheUpdate(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.stageKeys("slipway:tasks:", "  warm: {image: web, before: [web]}", "  migrate: {image: web, before: [web]}")
	p.up("dev")
	tasks := p.aws.runs()
	require.Len(t, tasks, 2)
	require.Equal(t, []string{"slipway-dev-migrate", "slipway-dev-warm"}, []string{tasks[0].Family(), tasks[1].Family()})
	require.False(t, tasks[1].CreatedAt.Before(*tasks[0].StoppedAt), "one after the other")
	p.aws.setFaults(failingMigration("slipway-dev-migrate"))
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	u := p.tryUp("dev")
	require.NotZero(t, u.status)
	for _, says := range []string{"tasks.migrate: slipway-dev-migrate:1 failed: ", "exit code 3",
		"Not deployed by this update: services.web",
		"The last lines of the task:", "/slipway/dev/migrate", "`pulumi up`: that runs the task again",
		"remove tasks.migrate.before"} {
		require.Contains(t, u.output, says)
	}
	require.NotContains(t, u.changed(), "Update aws:ecs/service:Service")
	require.Equal(t, 1, p.aws.service("slipway-dev").Revision)
	require.Equal(t, 1, p.aws.service("slipway-dev").Running)

	require.NotZero(t, p.tryUp("dev").status, "repeated, it runs again")
	require.Equal(t, []string{"1 exited 0", "1 exited 3", "1 exited 3"}, p.aws.exits("slipway-dev-migrate"))

	p.aws.setFaults(nil)
	p.up("dev")
	require.Equal(t, 2, p.aws.service("slipway-dev").Revision)
	require.Len(t, p.aws.exits("slipway-dev-migrate"), 4)
	require.Len(t, p.aws.exits("slipway-dev-warm"), 2, "it does not begin where the first one fails")
	p.settled("dev")
	require.Len(t, p.aws.exits("slipway-dev-migrate"), 4)
}

// IAM takes some seconds until a role that was made just now can be assumed. A service tries again by itself, RunTask
// does not.
func TestATaskBeforeAFirstDeploymentWaitsForItsRole(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.migration()
	p.aws.setFaults(map[string]string{"iam-delay": forever})
	update := p.start(upArgs("dev", "--skip-preview")...)
	update.says("was not started, as IAM may not know its roles everywhere yet: again")
	p.aws.setFaults(nil)
	update.succeeds()
	require.Equal(t, []string{"1 exited 0"}, p.aws.exits("slipway-dev-migrate"),
		"ECS refuses to start it until it can assume the roles")
}

// The first cluster of an account makes ECS's own role there, which ECS cannot assume at once: RunTask and
// CreateService are refused.
func TestTheFirstDeploymentOfAFreshAccount(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.migration()
	p.serviceKeys("scaling: {max: 2, cpu: 60}", "route: {healthCheck: {path: /health}}")
	p.aws.setFaults(map[string]string{"fresh-account": "6s"})
	var missing []string
	for _, each := range verified(p, 0, "dev") {
		if strings.Contains(each.Message, "AWSServiceRoleFor") {
			require.Equal(t, "note", each.Status)
			missing = append(missing, each.Message)
		}
	}
	require.Len(t, missing, 3)
	require.Contains(t, missing[0], "the account has no role AWSServiceRoleForECS yet: the update makes it")
	require.Contains(t, missing[0], "`aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com`")
	require.Contains(t, missing[1], "AWSServiceRoleForElasticLoadBalancing")
	require.Contains(t, missing[2], "AWSServiceRoleForApplicationAutoScaling_ECSService")
	p.up("dev")
	require.Equal(t, []string{"1 exited 0"}, p.aws.exits("slipway-dev-migrate"))
	require.Equal(t, 1, p.aws.service("slipway-dev").Running)
	for _, each := range verified(p, 0, "dev") {
		require.NotContains(t, each.Message, "has no role")
	}
}

// The deployment fails after the migration: to repeat the update is not to migrate again.
func TestATaskThatSucceededBeforeADeploymentIsNotRepeated(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.migration()
	p.up("dev")
	p.aws.setFaults(failing("2"))
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	require.NotZero(t, p.tryUp("dev").status)
	require.Equal(t, []string{"1 exited 0", "1 exited 0"}, p.aws.exits("slipway-dev-migrate"))
	p.aws.setFaults(nil)
	p.up("dev", "--refresh")
	require.Equal(t, 2, p.aws.service("slipway-dev").Revision)
	require.Len(t, p.aws.exits("slipway-dev-migrate"), 2)
}

// slowMigration starts an update whose migration does not end while its fault is set, and returns once that runs.
func slowMigration(p *project) *background {
	p.Helper()
	p.aws.setFaults(map[string]string{"slow-rollout": forever})
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	update := p.start(upArgs("dev", "--skip-preview")...)
	update.until(func() bool { return len(p.aws.runs()) == 2 })
	return update
}

func TestACancelledUpdateStopsTheTaskThatItRuns(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.migration()
	p.up("dev")
	update := slowMigration(p)
	update.interrupt()
	update.fails()
	p.aws.setFaults(nil)
	require.Eventually(t, func() bool { return p.aws.runs()[1].LastStatus == "STOPPED" }, waitLimit,
		100*time.Millisecond)
	stopped := p.aws.runs()[1]
	require.Equal(t, "UserInitiated", stopped.StopCode)
	require.Contains(t, stopped.StoppedReason, "interrupted")
	require.Equal(t, 1, p.aws.service("slipway-dev").Revision)

	p.up("dev")
	require.Len(t, p.aws.runs(), 3, "it runs again")
	require.Equal(t, 2, p.aws.service("slipway-dev").Revision)
}

func TestTwoMigrationsNeverRunAtOnce(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.migration()
	p.up("dev")
	update := slowMigration(p)
	require.NoError(t, update.kill())
	p.run("pulumi", "cancel", "--stack", "dev", "--yes")
	left := p.aws.runs()[1]
	require.NotEqual(t, "STOPPED", left.LastStatus)
	update = p.start(upArgs("dev")...)
	update.says("waits for the end of the task " + left.ID() + ", which runs already")
	p.aws.setFaults(nil)
	update.succeeds()
	tasks := p.aws.runs()
	require.Len(t, tasks, 2, "what it was run for is done")
	p.up("dev", "--expect-no-changes")

	// The engine keeps the operation that was cut off, though a later one has got it done.
	p.refused([]string{"an update has begun 1 operation and not ended (creating pulumi:index:Stash migrate)",
		"`slipway recover dev`"},
		"slipway", "status", "dev", "--exit-code")
	recovered(p)
	require.Contains(t, p.ok("slipway", "status", "dev", "--exit-code").output, "what was asked for is what runs")
}
