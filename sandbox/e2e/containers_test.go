package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/ecs"
)

// checkHealth gives the service a health check, so that a task counts once it answers.
func checkHealth(p *containerProject) {
	p.Helper()
	p.serviceKeys("healthCheck: {command: [CMD, /app, -healthcheck], interval: 5, timeout: 5, retries: 2}")
}

func TestBothReplicasAnswerWithTheStagesVariables(t *testing.T) {
	t.Parallel()
	p := withContainers(t)
	checkHealth(p)
	p.replace("Pulumi.dev.yaml", "replicas: 1", "replicas: 2")
	p.commit("two replicas")
	p.up("dev")
	answers := p.answers()
	require.Equal(t, []string{"hello from dev", "hello from dev"}, greetings(answers))
	images := p.aws.images()
	require.Len(t, images, 1)
	for _, answer := range answers {
		require.Equal(t, "dev", answer.Stage)
		require.True(t, strings.HasSuffix(answer.Image.Reference, ":"+images[0].Tag), answer.Image.Reference)
		require.Equal(t, images[0].Digest, answer.Image.ID)
	}

	shown, err := p.aws.sandbox("ps").Output()
	require.NoError(t, err)
	for _, task := range p.running() {
		require.Contains(t, string(shown), task.address)
	}

	p.replace("Pulumi.dev.yaml", "hello from dev", "good morning")
	end := p.watched(2)
	p.up("dev").builtNothing()
	end()
	require.Equal(t, []string{"good morning", "good morning"}, greetings(p.answers()))
	p.settled("dev")
	require.Len(t, p.running(), 2)

	p.stageKeys("slipway:repository: {forceDelete: true}")
	p.up("dev")
	p.ok("pulumi", "destroy", "--stack", "dev", "--yes", "--non-interactive", "--skip-preview")
	p.holds(0)
}

// badVersion deploys a change that cannot come to run, goes back, and asserts that the earlier version answered
// throughout.
func badVersion(p *containerProject, change func(), says ...string) {
	p.Helper()
	change()
	p.commit("a bad version")
	end := p.watched(1)
	u := p.tryUp("dev")
	require.NotZero(p.TB, u.status)
	for _, text := range append(says, "failed and was rolled back", "deployment failed: tasks failed to start",
		"3 stopped: ", "Serving now: slipway-dev-web:") {
		require.Contains(p.TB, u.output, text)
	}
	p.git("revert", "--no-edit", "HEAD")
	p.editApp("") // back to the good version
	p.up("dev")
	end()
	require.Equal(p.TB, []string{"hello from dev"}, greetings(p.answers()))
}

func TestBadVersionsOfTheAppNeverReplaceTheGoodOne(t *testing.T) {
	t.Parallel()
	p := withContainers(t)
	checkHealth(p)
	p.commit("a health check")
	p.up("dev")
	entry := `ENTRYPOINT ["/app"]`
	badVersion(p, func() { p.replace("app/Dockerfile", entry, `ENTRYPOINT ["/app", "-nonsense"]`) },
		"Essential container in task exited", "container web: exit code 2", "flag provided but not defined: -nonsense")
	badVersion(p, func() { p.replace("app/Dockerfile", entry, `ENTRYPOINT ["/nowhere"]`) },
		"CannotStartContainerError", "/nowhere")
	badVersion(p, func() {
		p.replace("app/handler.go", "w.WriteHeader(http.StatusOK)", "w.WriteHeader(http.StatusServiceUnavailable)")
		p.ok("make", "-s", "app")
	}, "Task failed container health checks")
}

func TestAnInitContainerEndsBeforeTheMainOneStarts(t *testing.T) {
	t.Parallel()
	p := withContainers(t)
	p.serviceKeys("dependsOn: {prepare: SUCCESS}", "containers: {prepare: {image: web, essential: false, "+
		"command: [-describe], environment: {GREETING: \"prepared\"}}}")
	p.up("dev")
	tasks := p.aws.web().Tasks
	require.Len(t, tasks, 1)
	containers := map[string]ecs.ContainerState{}
	for _, c := range tasks[0].Containers {
		containers[c.Name] = c
	}
	require.Equal(t, "STOPPED", containers["prepare"].LastStatus)
	require.Zero(t, *containers["prepare"].ExitCode)
	require.Equal(t, "RUNNING", containers["web"].LastStatus)
	require.False(t, containers["web"].StartedAt.Before(*containers["prepare"].StoppedAt))
	require.Equal(t, []string{"hello from dev"}, greetings(p.answers()))
	require.Contains(t, p.ok("slipway", "logs", "dev", "web").stdout, `"greeting": "prepared"`)

	p.replace("Pulumi.dev.yaml", "[-describe]", "[-nonsense]")
	end := p.watched(1)
	u := p.tryUp("dev")
	end()
	require.NotZero(t, u.status)
	for _, text := range []string{"container prepare: exit code 2", "dependency did not exit successfully",
		"flag provided but not defined: -nonsense",
		"Serving now: slipway-dev-web:1, 1 of 1 replicas"} {
		require.Contains(t, u.output, text)
	}
}

func TestAOneOffTaskRunsToItsEnd(t *testing.T) {
	t.Parallel()
	p := withContainers(t)
	p.task("describe", "command: [-describe]", "environment: {GREETING: \"just once\"}")
	p.up("dev")
	r := p.ok("slipway", "run", "dev", "describe")
	require.Contains(t, r.stdout, `"greeting": "just once"`)
	require.Contains(t, r.stdout, `"stage": "dev"`)
	r = p.run("slipway", "run", "dev", "describe", "--", "-nonsense")
	require.Equal(t, 2, r.status, "the exit code of the container")
	require.Contains(t, r.output, "flag provided but not defined: -nonsense")

	// A task that goes on (here: a service of its own) ends with Ctrl-C.
	run := p.start("slipway", "run", "dev", "describe", "--", "-describe=false")
	run.says(`"msg":"started"`)
	run.interrupt()
	run.fails()
	require.Equal(t, 130, run.ProcessState.ExitCode())
	require.Contains(t, run.output.String(), `"msg":"stopping"`, "it was sent SIGTERM, and could end in peace")
	p.holds(1)
}

// holds waits until the engine has the containers of so many tasks, each of one container, and no others. A command
// that ends waits a little for what it has started and stopped; with a slow engine the next one goes on with that.
func (p *containerProject) holds(tasks int) {
	p.Helper()
	const each = 2 // and the holder of its network
	require.Eventually(p.TB, func() bool {
		if len(p.engineHolds()) == each*tasks {
			return true
		}
		p.ok("true")
		return false
	}, waitLimit, time.Second)
}

func TestAMigrationInAContainerThatFailsStopsTheUpdate(t *testing.T) {
	t.Parallel()
	p := withContainers(t)
	p.task("migrate", "command: [-describe]", "before: [web]")
	u := p.up("dev")
	require.Contains(t, u.output, `"greeting": ""`)
	require.Len(t, p.aws.runs("slipway-dev-migrate"), 1)
	p.settled("dev")
	require.Len(t, p.aws.runs("slipway-dev-migrate"), 1, "unchanged, it does not run again")

	p.replace("Pulumi.dev.yaml", "[-describe]", "[-nonsense]")
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	end := p.watched(1)
	for range 2 { // repeated, it runs again
		before := len(p.aws.runs("slipway-dev-migrate"))
		u := p.tryUp("dev")
		require.NotZero(t, u.status)
		for _, text := range []string{"tasks.migrate", "exit code 2", "flag provided but not defined: -nonsense"} {
			require.Contains(t, u.output, text)
		}
		require.Len(t, p.aws.runs("slipway-dev-migrate"), before+1)
		require.Equal(t, 1, p.aws.service("slipway-dev").Revision, "the service stays")
	}
	end()
	require.Equal(t, []string{"hello from dev"}, greetings(p.answers()))

	p.replace("Pulumi.dev.yaml", "[-nonsense]", "[-describe]")
	before := len(p.aws.runs("slipway-dev-migrate"))
	p.up("dev")
	require.Len(t, p.aws.runs("slipway-dev-migrate"), before+1)
	require.Equal(t, []string{"hello again"}, greetings(p.answers()))
}

func TestAContainerKilledByHandIsBackWhileTheSandboxWatches(t *testing.T) {
	t.Parallel()
	p := withContainers(t)
	p.up("dev")
	killed := p.running()[0]
	watch := p.inBackground(p.aws.sandbox("watch"))
	identity, err := p.aws.open().Identity()
	require.NoError(t, err)
	web := docker(t, "ps", "-q", "--filter", "label=slipway.sandbox.account="+identity, "--filter",
		"label=slipway.sandbox.container=web")
	require.Len(t, web, 1)
	docker(t, "kill", web[0])
	require.Eventually(t, func() bool {
		tasks := p.running()
		if len(tasks) != 1 || tasks[0].id == killed.id {
			return false
		}
		answer, err := ask(tasks[0].address)
		return err == nil && answer.Greeting == "hello from dev"
	}, waitLimit, 200*time.Millisecond)
	watch.interrupt()
	watch.succeeds()
	require.Contains(t, watch.output.String(), killed.id+" stopped")
}

func TestAKilledSandboxLeavesNothingThatTheNextCommandDoesNotPickUp(t *testing.T) {
	t.Parallel()
	p := withContainers(t)
	p.replace("Pulumi.dev.yaml", "replicas: 1", "replicas: 2")
	p.up("dev")
	for i, after := range []time.Duration{0, 300 * time.Millisecond, 800 * time.Millisecond, 2 * time.Second} {
		p.replace("Pulumi.dev.yaml", []string{"hello from dev", "one", "two", "three"}[i],
			[]string{"one", "two", "three", "four"}[i])
		killAndRepeat(p.project, func() bool {
			if !p.aws.rollingOut() {
				return false
			}
			time.Sleep(after)
			return true
		})
	}
	require.Equal(t, []string{"four", "four"}, greetings(p.answers()))
	p.holds(2)
}
