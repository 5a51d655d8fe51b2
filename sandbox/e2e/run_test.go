package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecr"
	"slipway/sandbox/account/ecs"
	"slipway/sandbox/account/scheduler"
)

// reportTask adds a task to stage dev that runs by hand, and with lines of its own.
func reportTask(p *project, lines ...string) {
	p.Helper()
	p.stageKeys(append([]string{"slipway:tasks:", "  report:", "    image: web", `    environment: {KIND: "daily"}`},
		lines...)...)
}

// recordedRun is what the log of a task says that no engine has run.
const recordedRun = "recorded as ended with exit code"

func TestRunATask(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	reportTask(p)
	r := p.refused([]string{"tasks.report of dev is not deployed yet: run `pulumi up --stack dev`"}, "slipway", "run",
		"dev", "report")
	require.Equal(t, 2, r.status)
	p.up("dev")

	r = p.ok("slipway", "run", "dev", "report")
	require.Equal(t, 1, strings.Count(r.stdout, "\n"), "its one line, and nothing else")
	require.Contains(t, r.stdout, recordedRun+" 0")
	require.Equal(t, []string{"1 exited 0"}, p.aws.exits("slipway-dev-report"))
	logs := p.ok("slipway", "logs", "dev", "report")
	require.Contains(t, logs.stdout, recordedRun+" 0")

	r = p.ok("slipway", "run", "dev", "report", "--json", "--", "/app", "-kind=weekly", "--json")
	var ended struct {
		Task, TaskDefinition, StopCode, StoppedReason string
		ExitCode                                      *int
		Containers                                    []struct {
			Name     string
			ExitCode *int
		}
	}
	require.NoError(t, json.Unmarshal([]byte(r.stdout), &ended), r.stdout)
	require.Equal(t, 0, *ended.ExitCode)
	require.Equal(t, "EssentialContainerExited", ended.StopCode)
	require.Equal(t, "report", ended.Containers[0].Name)
	require.True(t, strings.HasSuffix(ended.TaskDefinition, "/slipway-dev-report:1"), ended.TaskDefinition)
	require.Contains(t, r.output, recordedRun, "what it writes goes to standard error")
	require.Equal(t, []string{"/app", "-kind=weekly", "--json"},
		newestRun(p, "slipway-dev-report").Run.Overrides.Containers[0].Command)
	require.Regexp(t, `^slipway-run/[A-Za-z0-9/_-]+$`, newestRun(p, "slipway-dev-report").StartedBy)

	r = p.ok("slipway", "run", "dev", "report", "--detach")
	require.Regexp(t, `^arn:aws:ecs:ap-northeast-2:\d{12}:task/slipway-dev/[0-9a-f]{32}\n$`, r.stdout)
	require.Equal(t, strings.TrimSpace(r.stdout), newestRun(p, "slipway-dev-report").ARN)

	for says, args := range map[string][]string{
		`dev has no task "repotr": name one of its tasks: report`:                             {"repotr"},
		"web of dev is a service, which ECS keeps running: name one of its tasks: report":     {"web"},
		"run takes a stage and a task: slipway run STAGE TASK [-- COMMAND…]":                  {},
		"write -- before a command that the task is to run: slipway run dev report -- /app …": {"report", "/app"},
		"there is no command after --: write one, or leave the -- out":                        {"report", "--"},
	} {
		r := p.refused([]string{says}, append([]string{"slipway", "run", "dev"}, args...)...)
		require.Equal(t, 2, r.status)
	}
	require.Len(t, p.aws.exits("slipway-dev-report"), 3)
}

// newestRun is the task of a family that was started last.
func newestRun(p *project, family string) *ecs.Task {
	p.Helper()
	runs := p.aws.runs(family)
	require.NotEmpty(p.TB, runs)
	return runs[len(runs)-1]
}

func TestATaskThatFailsGivesItsExitCode(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	reportTask(p)
	p.up("dev")
	p.aws.setFaults(map[string]string{"failing-tasks": "slipway-dev-report:*", "failing-exit-code": "3"})
	r := p.refused([]string{"slipway run: the task ",
		" failed: Essential container in task exited (container report: exit code 3"},
		"slipway", "run", "dev", "report")
	require.Equal(t, 3, r.status)
	p.aws.setFaults(nil)

	// One that cannot start.
	for _, image := range p.aws.images() {
		_, err := ecr.DeleteImage(p.aws.open(), image.Repository, "", image.Digest)
		require.NoError(t, err)
	}
	r = p.refused([]string{"slipway run: the container report of the task ", " was not started: CannotPullContainerError"},
		"slipway", "run", "dev", "report")
	require.Equal(t, 2, r.status)
	r = p.run("slipway", "run", "dev", "report", "--json")
	require.Equal(t, 2, r.status)
	require.Contains(t, r.stdout, `"exitCode": null`)
	require.Contains(t, p.refused(nil, "slipway", "status", "dev", "--exit-code").output, "tasks.report: its image")
}

func TestStatusOfTasks(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.replace("Pulumi.dev.yaml", "        context: ./app\n",
		"        context: ./app\n    batch:\n      build:\n        context: ./app\n")
	reportTask(p, "    schedule: {when: \"cron(0 6 ? * MON-FRI *)\", timeZone: Asia/Seoul}", "  once:", "    image: web",
		"    schedule: {when: at(2020-01-01T00:00:00)}",
		"  clean:", "    image: web", "    containers: {sweep: {image: batch}}",
		"    schedule: {when: rate(1 day), enabled: false}", "  migrate:", "    image: web", "    before: [web]")
	r := p.refused([]string{"not deployed yet: ", ", tasks.report."}, "slipway", "status", "dev", "--exit-code")
	require.Equal(t, 1, r.status)
	p.up("dev")

	r = p.ok("slipway", "status", "dev", "--exit-code")
	require.Regexp(t, `(?m)^TASK +STAGE +DEPLOYED +BEFORE +SCHEDULE +IMAGE +DIGEST$`, r.stdout)
	require.Regexp(t, `(?m)^report +dev +1 +- +cron\(0 6 \? \* MON-FRI \*\) Asia/Seoul +\d{8}-`, r.stdout)
	require.Regexp(t, `(?m)^clean +dev +1 +- +rate\(1 day\) UTC, disabled +\d{8}-`, r.stdout)
	require.Regexp(t, `(?m)^migrate +dev +1 +web +- +\d{8}-`, r.stdout)
	require.Regexp(t, `(?m)^  tasks\.report: next \w{3} \d{4}-\d\d-\d\d 06:00 KST \(\w{3} 21:00 UTC\), `, r.stdout)
	require.Contains(t, r.stdout, "tasks.clean: never: its schedule is disabled")
	require.Contains(t, r.stdout, "tasks.once: never again")

	asked := time.Now()
	var stages []struct {
		Tasks map[string]struct {
			Deployed struct{ Revision int }
			Schedule *struct {
				Expression, TimeZone string
				Enabled              bool
				Next                 []time.Time
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(p.ok("slipway", "status", "dev", "--json").stdout), &stages))
	schedule := stages[0].Tasks["report"].Schedule
	require.Len(t, schedule.Next, 3)
	require.True(t, schedule.Next[0].After(asked))
	require.Equal(t, 21, schedule.Next[0].UTC().Hour())
	require.Nil(t, stages[0].Tasks["migrate"].Schedule)

	// Who may not read schedules is told so, and what could be read.
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"__type": "AccessDeniedException", "message": "not you"}`))
	}))
	defer refusing.Close()
	r = p.run("env", "AWS_ENDPOINT_URL_SCHEDULER="+refusing.URL, "slipway", "status", "dev", "--exit-code")
	require.Equal(t, 2, r.status)
	require.Contains(t, r.stdout, "tasks.report: its schedule could not be read\n")
	require.NotContains(t, r.stdout, "what was asked for is what runs")
	require.Contains(t, r.output, "slipway status: reading the schedule slipway-dev-clean from EventBridge Scheduler: ")
	require.Contains(t, r.output, "AccessDeniedException: not you")

	// Somebody has changed the schedules by hand, and an image is gone.
	edit := func(task string, edit func(account.Object)) {
		t.Helper()
		id := "default/slipway-dev-" + task
		object, err := p.aws.open().Object(scheduler.Schedule, id)
		require.NoError(t, err)
		edit(object)
		require.NoError(t, p.aws.open().UpdateObject(scheduler.Schedule, id, object))
	}
	edit("clean", func(o account.Object) { o["state"] = "ENABLED" })
	edit("report", func(o account.Object) {
		o["scheduleExpression"], o["scheduleExpressionTimezone"] = "cron(0 6 ? * MON *)", "UTC"
	})
	for _, image := range p.aws.images() {
		if image.Repository == "slipway-dev/batch" {
			_, err := ecr.DeleteImage(p.aws.open(), image.Repository, "", image.Digest)
			require.NoError(t, err)
		}
	}
	require.NoError(t, p.aws.open().DeleteObject(scheduler.Schedule, "default/slipway-dev-once", false))
	r = p.refused([]string{
		"tasks.clean: its schedule is enabled in AWS, and was to be disabled: run `pulumi up --refresh --stack dev`",
		"tasks.report: its schedule is cron(0 6 ? * MON *) UTC in AWS, and cron(0 6 ? * MON-FRI *) Asia/Seoul was asked for",
		"tasks.once: EventBridge Scheduler has no schedule slipway-dev-once: it was deleted by hand",
		"tasks.clean: next about ",
		"tasks.clean: the image ", "of its container sweep is gone from ECR",
	}, "slipway", "status", "dev", "--exit-code")
	require.Equal(t, 1, r.status)
}

func TestThePastOfATask(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	reportTask(p)
	p.commit("Report")
	p.up("dev")
	first := p.aws.images()[0].Tag

	p.replace("Pulumi.dev.yaml", `KIND: "daily"`, `KIND: "weekly"`)
	p.commit("Report weekly")
	p.up("dev")
	r := p.ok("slipway", "history", "dev")
	require.Regexp(t, `TASKS +CHANGED`, r.stdout)
	require.Contains(t, r.stdout, "report 2 ("+first+")")
	r = p.ok("slipway", "history", "dev", "3")
	require.Contains(t, r.stdout, "tasks.report.environment.KIND: daily → weekly")
	require.Contains(t, r.stdout,
		"\ntask report: 1 ("+first+") → 2 ("+first+")\n  report.environment.KIND: daily → weekly\n")
	require.Contains(t, r.stdout, "\nweb: 1 ("+first+"), as before\n")

	r = p.ok("slipway", "rollback", "dev")
	require.Regexp(t, `task report +2 \(.*\) +→ +as 1 \(`, r.stdout)
	p.up("dev")
	require.Equal(t, "daily", p.aws.container("slipway-dev-report:3").Environment()["KIND"])

	// What ran another image gets that one again, for the task, too.
	p.editApp("another")
	p.commit("Another app")
	p.up("dev")
	require.Contains(t, p.aws.container("slipway-dev-report:4").Image(), p.aws.images()[1].Tag)
	r = p.ok("slipway", "rollback", "dev")
	require.Contains(t, r.stdout, "images.web is pinned to that update's image")
	p.up("dev")
	require.Len(t, p.aws.images(), 2, "nothing was built")
	require.Contains(t, p.aws.container("slipway-dev-report:5").Image(), first)

	// A pin is for services only.
	r = p.ok("slipway", "rollback", "dev", "--to", "5", "--pin")
	require.Contains(t, r.stdout, "tasks.report stays on revision 5, and does not go back to 4: only services are pinned")
	require.NotContains(t, p.read("Pulumi.dev.yaml"), "report:\n    revision")
}

func TestPromoteAndCompareTasks(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.replace("Pulumi.dev.yaml", "        context: ./app\n",
		"        context: ./app\n    batch:\n      build:\n        context: ./app\n")
	p.stageKeys("slipway:tasks:", "  report: {image: batch, schedule: {when: rate(1 day)}}", "  clean: {image: batch}")
	p.commit("Tasks of an image of their own")
	p.up("dev")
	p.write("Pulumi.release.yaml",
		p.read("Pulumi.release.yaml")+"  slipway:tasks:\n    report: {image: batch, schedule: {when: rate(2 days)}}\n")
	p.commit("And in release")
	p.ok("pulumi", "stack", "init", "release")
	p.ok("slipway", "promote", "dev", "release", "--task", "report")
	require.NotContains(t, p.read("Pulumi.release.yaml"), "slipway-dev/web:")
	p.commit("Promote the task")
	require.Contains(t, p.ok("slipway", "promote", "dev", "release", "--commit").output, "committed as")
	p.up("release").builtNothing()
	require.Contains(t, p.aws.container("slipway-release-report:1").Image(), "/slipway-dev/batch@sha256:")
	p.ok("slipway", "run", "release", "report")

	r := differ(p, 1)
	require.Contains(t, r.stdout, "Task clean: only in dev\n")
	require.Contains(t, r.stdout,
		"Task report\n  environment.STAGE: dev → release\n  schedule.when: rate(1 day) → rate(2 days)\n")
}
