package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/ecs"
)

// migrating adds a task to stage dev that runs before its service is deployed.
func (p *project) migrating() {
	p.Helper()
	p.task("migrate", `environment: {TARGET: "shop"}`, "before: [web]")
}

// ran lists the revisions of which tasks of a family were run, oldest first, with their exit codes: "1 exited 0".
func (p *project) ran(family string) (ran []string) {
	p.Helper()
	tasks, err := ecs.Tasks(p.open(), "slipway-dev")
	require.NoError(p.TB, err)
	slices.SortFunc(tasks, func(a, b *ecs.Task) int { return a.CreatedAt.Compare(b.CreatedAt) })
	for _, task := range tasks {
		if task.Family() == family && task.Run != nil {
			_, revision, _ := strings.Cut(task.TaskDefinition, family+":")
			require.NotNil(p.TB, task.ExitCode, "the task has not ended: %v", task)
			ran = append(ran, fmt.Sprintf("%s exited %d", revision, *task.ExitCode))
		}
	}
	return ran
}

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
	require.Empty(t, p.ran("slipway-dev-report"), "schedules do not fire in the sandbox")
	task := p.outputs("dev").Tasks["report"]
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
	target := p.state("dev")["aws:scheduler/schedule:Schedule"][0].Outputs["target"].(map[string]any)
	require.Contains(t, target["ecsParameters"].(map[string]any)["taskDefinitionArn"],
		"task-definition/slipway-dev-report:2")
	require.Equal(t, 2, p.outputs("dev").Tasks["report"].Revision)
	require.Equal(t, []string{"1 ACTIVE", "2 ACTIVE"}, p.revisions("slipway-dev-report"))
	require.Equal(t, []string{"1 ACTIVE"}, p.revisions("slipway-dev-web"))

	p.withoutOptions()
	require.Contains(t, p.up("dev").changed(), "Delete aws:scheduler/schedule:Schedule")
	require.Empty(t, p.objects("schedule"))
	require.Nil(t, p.outputs("dev").Tasks)
	p.settled("dev")
}

func TestATaskRunsBeforeADeploymentAndOnlyThen(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.migrating()
	preview := p.preview("dev")
	require.Zero(t, preview.status)
	require.Contains(t, preview.output, "runs before the deployment of services.web")
	require.Empty(t, p.revisions("slipway-dev-migrate"))

	u := p.up("dev")
	require.Equal(t, []string{"1 exited 0"}, p.ran("slipway-dev-migrate"), "before the first deployment, too")
	require.Contains(t, u.output, "slipway-dev-migrate:1 runs as the task ")
	require.Contains(t, u.output, "has ended with exit code 0")
	require.Less(t, strings.Index(u.output, "has ended with exit code 0"),
		strings.Index(u.output, "aws:ecs:Service (web)"), u.output)
	p.settled("dev")
	require.Len(t, p.ran("slipway-dev-migrate"), 1, "an unchanged stage runs it no more")

	p.replace("Pulumi.dev.yaml", `TARGET: "shop"`, `TARGET: "other"`)
	require.Equal(t, []string{"Create aws:ecs/taskDefinition:TaskDefinition",
		"Delete aws:ecs/taskDefinition:TaskDefinition"}, p.up("dev").changed(),
		"the service stays where it is")
	require.Len(t, p.ran("slipway-dev-migrate"), 1)

	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	require.Contains(t, p.preview("dev").output, "runs before the deployment of services.web")
	p.up("dev")
	require.Equal(t, []string{"1 exited 0", "2 exited 0"}, p.ran("slipway-dev-migrate"))
	require.Equal(t, 2, p.service("slipway-dev").Revision)

	p.serviceKeys("revision: 1")
	p.up("dev")
	require.Equal(t, 1, p.service("slipway-dev").Revision)
	require.Len(t, p.ran("slipway-dev-migrate"), 3, "the pinned revision is another one")
	p.settled("dev")
}

func TestATaskThatFailsBeforeADeploymentStopsTheUpdate(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.stageKeys("slipway:tasks:", "  warm: {image: web, before: [web]}", "  migrate: {image: web, before: [web]}")
	p.up("dev")
	tasks := p.migrationTasks()
	require.Len(t, tasks, 2)
	require.Equal(t, []string{"slipway-dev-migrate", "slipway-dev-warm"}, []string{tasks[0].Family(), tasks[1].Family()})
	require.False(t, tasks[1].CreatedAt.Before(*tasks[0].StoppedAt), "one after the other")
	p.faults(failingMigration("slipway-dev-migrate"))
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
	require.Equal(t, 1, p.service("slipway-dev").Revision)
	require.Equal(t, 1, p.service("slipway-dev").Running)

	require.NotZero(t, p.tryUp("dev").status, "repeated, it runs again")
	require.Equal(t, []string{"1 exited 0", "1 exited 3", "1 exited 3"}, p.ran("slipway-dev-migrate"))

	p.faults(nil)
	p.up("dev")
	require.Equal(t, 2, p.service("slipway-dev").Revision)
	require.Len(t, p.ran("slipway-dev-migrate"), 4)
	require.Len(t, p.ran("slipway-dev-warm"), 2, "it does not begin where the first one fails")
	p.settled("dev")
	require.Len(t, p.ran("slipway-dev-migrate"), 4)
}

// IAM takes some seconds until a role that was made just now can be assumed. A service tries again by itself, RunTask
// does not.
func TestATaskBeforeAFirstDeploymentWaitsForItsRole(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.migrating()
	p.faults(map[string]string{"iam-delay": forever})
	update := p.start(upArgs("dev", "--skip-preview")...)
	update.says("was not started, as IAM may not know its roles everywhere yet: again")
	p.faults(nil)
	update.succeeds()
	require.Equal(t, []string{"1 exited 0"}, p.ran("slipway-dev-migrate"),
		"ECS refuses to start it until it can assume the roles")
}

// The first cluster of an account makes ECS's own role there, which ECS cannot assume at once: RunTask and
// CreateService are refused.
func TestTheFirstDeploymentOfAFreshAccount(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.migrating()
	p.serviceKeys("scaling: {max: 2, cpu: 60}", "route: {healthCheck: {path: /health}}")
	p.faults(map[string]string{"fresh-account": "6s"})
	var missing []string
	for _, each := range p.verified(0, "dev") {
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
	require.Equal(t, []string{"1 exited 0"}, p.ran("slipway-dev-migrate"))
	require.Equal(t, 1, p.service("slipway-dev").Running)
	for _, each := range p.verified(0, "dev") {
		require.NotContains(t, each.Message, "has no role")
	}
}

// The deployment fails after the migration: to repeat the update is not to migrate again.
func TestATaskThatSucceededBeforeADeploymentIsNotRepeated(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.migrating()
	p.up("dev")
	p.faults(failing("2"))
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	require.NotZero(t, p.tryUp("dev").status)
	require.Equal(t, []string{"1 exited 0", "1 exited 0"}, p.ran("slipway-dev-migrate"))
	p.faults(nil)
	p.up("dev", "--refresh")
	require.Equal(t, 2, p.service("slipway-dev").Revision)
	require.Len(t, p.ran("slipway-dev-migrate"), 2)
}

// slowMigration starts an update whose migration does not end while its fault is set, and returns once that runs.
func (p *project) slowMigration() *background {
	p.Helper()
	p.faults(map[string]string{"slow-rollout": forever})
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	update := p.start(upArgs("dev", "--skip-preview")...)
	update.until(func() bool { return len(p.migrationTasks()) == 2 })
	return update
}

func (p *project) migrationTasks() []*ecs.Task {
	p.Helper()
	tasks, err := ecs.Tasks(p.open(), "slipway-dev")
	require.NoError(p.TB, err)
	tasks = slices.DeleteFunc(tasks, func(task *ecs.Task) bool { return task.Run == nil })
	slices.SortFunc(tasks, func(a, b *ecs.Task) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return tasks
}

func TestACancelledUpdateStopsTheTaskThatItRuns(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.migrating()
	p.up("dev")
	update := p.slowMigration()
	update.interrupt()
	update.fails()
	p.faults(nil)
	require.Eventually(t, func() bool { return p.migrationTasks()[1].LastStatus == "STOPPED" }, patience,
		100*time.Millisecond)
	stopped := p.migrationTasks()[1]
	require.Equal(t, "UserInitiated", stopped.StopCode)
	require.Contains(t, stopped.StoppedReason, "interrupted")
	require.Equal(t, 1, p.service("slipway-dev").Revision)

	p.up("dev")
	require.Len(t, p.migrationTasks(), 3, "it runs again")
	require.Equal(t, 2, p.service("slipway-dev").Revision)
}

func TestTwoMigrationsNeverRunAtOnce(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.migrating()
	p.up("dev")
	update := p.slowMigration()
	require.NoError(t, update.kill())
	p.run("pulumi", "cancel", "--stack", "dev", "--yes")
	left := p.migrationTasks()[1]
	require.NotEqual(t, "STOPPED", left.LastStatus)
	update = p.start(upArgs("dev")...)
	update.says("waits for the end of the task " + left.ID() + ", which runs already")
	p.faults(nil)
	update.succeeds()
	tasks := p.migrationTasks()
	require.Len(t, tasks, 2, "what it was run for is done")
	p.up("dev", "--expect-no-changes")

	// The engine keeps the operation that was cut off, though a later one has got it done.
	p.refused([]string{"an update has begun 1 operation and not ended (creating pulumi:index:Stash migrate)",
		"`slipway recover dev`"},
		"slipway", "status", "dev", "--exit-code")
	p.recovers()
	require.Contains(t, p.ok("slipway", "status", "dev", "--exit-code").output, "what was asked for is what runs")
}
