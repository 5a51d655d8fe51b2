package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/ecs"
)

// running is a project whose tasks are containers of the Docker engine, before its first deployment. All that it
// started is gone after the test.
func running(t *testing.T) *project {
	t.Helper()
	requireEngine(t)
	p := newProject(t)
	p.engine = ""
	identity, err := p.open().Identity() // which a reset account has no longer
	require.NoError(t, err)
	t.Cleanup(func() {
		p.resetAccount()
		require.Empty(t, containersOf(t, identity), "left on the engine")
	})
	return p
}

func (p *project) resetAccount() {
	p.Helper()
	output, err := exec.Command(filepath.Join(root, ".bin/sandbox"), "--dir", p.account, "reset").CombinedOutput()
	require.NoError(p.TB, err, string(output))
}

// engineHolds are the containers that the engine has of this account, running or not, by id.
func (p *project) engineHolds() []string {
	p.Helper()
	identity, err := p.open().Identity()
	require.NoError(p.TB, err)
	return containersOf(p.TB, identity)
}

func containersOf(t testing.TB, identity string) []string {
	t.Helper()
	return docker(t, "ps", "-aq", "--filter", "label=slipway.sandbox.account="+identity)
}

func docker(t testing.TB, args ...string) []string {
	t.Helper()
	output, err := exec.Command("docker", args...).CombinedOutput()
	require.NoError(t, err, string(output))
	return strings.Fields(string(output))
}

// runningTask is a task of a service that answers at an address.
type runningTask struct{ id, address string }

// running are the service's tasks that answer somewhere.
func (p *project) running(cluster string) (running []runningTask) {
	p.Helper()
	tasks, err := ecs.Tasks(p.open(), cluster)
	require.NoError(p.TB, err)
	for _, task := range tasks {
		if task.Run != nil || task.LastStatus != "RUNNING" {
			continue
		}
		for _, c := range task.Containers {
			if c.LastStatus == "RUNNING" && len(c.Ports) > 0 {
				running = append(running, runningTask{task.ID(), fmt.Sprint("http://127.0.0.1:", c.Ports[0].HostPort)})
				break
			}
		}
	}
	return running
}

// description is what the sample app answers.
type description struct {
	Stage, Greeting string
	Image           struct{ Reference, ID string }
	Variables       []string
}

// ask is what a client of the task is answered.
func ask(address string) (answer description, err error) {
	client := http.Client{Timeout: 3 * time.Second}
	response, err := client.Get(address)
	if err != nil {
		return answer, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer, err
	}
	return answer, json.Unmarshal(body, &answer)
}

// answers are those of all of the service's tasks, each of which has to answer.
func (p *project) answers(cluster string) (answers []description) {
	p.Helper()
	for _, task := range p.running(cluster) {
		answer, err := ask(task.address)
		require.NoError(p.TB, err)
		answers = append(answers, answer)
	}
	return answers
}

// greetings are the greetings in answers.
func greetings(answers []description) (greetings []string) {
	for _, answer := range answers {
		greetings = append(greetings, answer.Greeting)
	}
	return greetings
}

// watched asks all tasks of a service again and again, until what it returns is called, which asserts that at every
// moment at least so many answered.
func (p *project) watched(cluster string, fewest int) (end func()) {
	p.Helper()
	ctx, stop := context.WithCancel(p.Context())
	var counts []int
	var asking sync.WaitGroup
	asking.Go(func() {
		for ctx.Err() == nil {
			counts = append(counts, p.answering(cluster))
			time.Sleep(100 * time.Millisecond)
		}
	})
	p.Cleanup(func() { // where the test has failed before the end
		stop()
		asking.Wait()
	})
	return func() {
		p.Helper()
		stop()
		asking.Wait()
		require.Greater(p.TB, len(counts), 3)
		require.GreaterOrEqual(p.TB, slices.Min(counts), fewest, "tasks that answered: %v", counts)
	}
}

// answering is how many of a service's tasks answer. Where tasks came or went between the question which ones there are
// and the last answer, it asks again: those are not the tasks of any one moment.
func (p *project) answering(cluster string) int {
	p.Helper()
	for tasks := p.running(cluster); ; {
		answered := 0
		for _, task := range tasks {
			if _, err := ask(task.address); err == nil {
				answered++
			}
		}
		now := p.running(cluster)
		if slices.EqualFunc(tasks, now, func(a, b runningTask) bool { return a.id == b.id }) {
			return answered
		}
		tasks = now
	}
}

// checkingHealth gives the service a health check, so that a task counts once it answers.
func (p *project) checkingHealth() {
	p.Helper()
	p.serviceKeys("healthCheck: {command: [CMD, /app, -healthcheck], interval: 5, timeout: 5, retries: 2}")
}

func TestBothReplicasAnswerWithTheStagesVariables(t *testing.T) {
	t.Parallel()
	p := running(t)
	p.checkingHealth()
	p.replace("Pulumi.dev.yaml", "replicas: 1", "replicas: 2")
	p.commit("two replicas")
	p.up("dev")
	answers := p.answers("slipway-dev")
	require.Equal(t, []string{"hello from dev", "hello from dev"}, greetings(answers))
	images := p.images()
	require.Len(t, images, 1)
	for _, answer := range answers {
		require.Equal(t, "dev", answer.Stage)
		require.True(t, strings.HasSuffix(answer.Image.Reference, ":"+images[0].Tag), answer.Image.Reference)
		require.Equal(t, images[0].Digest, answer.Image.ID)
	}

	shown, err := exec.Command(filepath.Join(root, ".bin/sandbox"), "--dir", p.account, "ps").Output()
	require.NoError(t, err)
	for _, task := range p.running("slipway-dev") {
		require.Contains(t, string(shown), task.address)
	}

	p.replace("Pulumi.dev.yaml", "hello from dev", "good morning")
	end := p.watched("slipway-dev", 2)
	p.up("dev").builtNothing()
	end()
	require.Equal(t, []string{"good morning", "good morning"}, greetings(p.answers("slipway-dev")))
	p.settled("dev")
	require.Len(t, p.running("slipway-dev"), 2)

	p.stageKeys("slipway:repository: {forceDelete: true}")
	p.up("dev")
	p.ok("pulumi", "destroy", "--stack", "dev", "--yes", "--non-interactive", "--skip-preview")
	p.holds(0)
}

// badVersion deploys a change that cannot come to run, goes back, and asserts that the earlier version answered
// throughout.
func (p *project) badVersion(change func(), says ...string) {
	p.Helper()
	change()
	p.commit("a bad version")
	end := p.watched("slipway-dev", 1)
	u := p.tryUp("dev")
	require.NotZero(p.TB, u.status)
	for _, text := range append(says, "failed and was rolled back", "deployment failed: tasks failed to start",
		"3 stopped: ", "Serving now: slipway-dev-web:") {
		require.Contains(p.TB, u.output, text)
	}
	p.git("revert", "--no-edit", "HEAD")
	p.copyFile(filepath.Join(root, "app/build/app"), filepath.Join(p.dir, "app/build/app"))
	p.up("dev")
	end()
	require.Equal(p.TB, []string{"hello from dev"}, greetings(p.answers("slipway-dev")))
}

func TestBadVersionsOfTheAppNeverReplaceTheGoodOne(t *testing.T) {
	t.Parallel()
	p := running(t)
	p.checkingHealth()
	p.commit("a health check")
	p.up("dev")
	entry := `ENTRYPOINT ["/app"]`
	p.badVersion(func() { p.replace("app/Dockerfile", entry, `ENTRYPOINT ["/app", "-nonsense"]`) },
		"Essential container in task exited", "container web: exit code 2", "flag provided but not defined: -nonsense")
	p.badVersion(func() { p.replace("app/Dockerfile", entry, `ENTRYPOINT ["/nowhere"]`) },
		"CannotStartContainerError", "/nowhere")
	p.badVersion(func() {
		p.replace("app/handler.go", "w.WriteHeader(http.StatusOK)", "w.WriteHeader(http.StatusServiceUnavailable)")
		p.ok("make", "-s", "app")
	}, "Task failed container health checks")
}

// prepared gives the service an init container with this command.
func (p *project) prepared(command string) {
	p.Helper()
	p.serviceKeys("dependsOn: {prepare: SUCCESS}",
		"containers: {prepare: {image: web, essential: false, command: ["+command+"], environment: {GREETING: \"prepared\"}}}")
}

func TestAnInitContainerEndsBeforeTheMainOneStarts(t *testing.T) {
	t.Parallel()
	p := running(t)
	p.prepared("-describe")
	p.up("dev")
	tasks := p.ecsService().Tasks
	require.Len(t, tasks, 1)
	containers := map[string]ecs.ContainerState{}
	for _, c := range tasks[0].Containers {
		containers[c.Name] = c
	}
	require.Equal(t, "STOPPED", containers["prepare"].LastStatus)
	require.Zero(t, *containers["prepare"].ExitCode)
	require.Equal(t, "RUNNING", containers["web"].LastStatus)
	require.False(t, containers["web"].StartedAt.Before(*containers["prepare"].StoppedAt))
	require.Equal(t, []string{"hello from dev"}, greetings(p.answers("slipway-dev")))
	require.Contains(t, p.ok("slipway", "logs", "dev", "web").stdout, `"greeting": "prepared"`)

	p.replace("Pulumi.dev.yaml", "[-describe]", "[-nonsense]")
	end := p.watched("slipway-dev", 1)
	u := p.tryUp("dev")
	end()
	require.NotZero(t, u.status)
	for _, text := range []string{"container prepare: exit code 2", "dependency did not exit successfully",
		"flag provided but not defined: -nonsense",
		"Serving now: slipway-dev-web:1, 1 of 1 replicas"} {
		require.Contains(t, u.output, text)
	}
}

// task declares a task of stage dev that runs the app once.
func (p *project) task(name string, lines ...string) {
	p.Helper()
	p.stageKeys(append([]string{"slipway:tasks:", "  " + name + ":", "    image: web"}, indented(lines)...)...)
}

func indented(lines []string) (deeper []string) {
	for _, line := range lines {
		deeper = append(deeper, "    "+line)
	}
	return deeper
}

func TestAOneOffTaskRunsToItsEnd(t *testing.T) {
	t.Parallel()
	p := running(t)
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
func (p *project) holds(tasks int) {
	p.Helper()
	const each = 2 // and the holder of its network
	require.Eventually(p.TB, func() bool {
		if len(p.engineHolds()) == each*tasks {
			return true
		}
		p.ok("true")
		return false
	}, patience, time.Second)
}

func TestAMigrationInAContainerThatFailsStopsTheUpdate(t *testing.T) {
	t.Parallel()
	p := running(t)
	p.task("migrate", "command: [-describe]", "before: [web]")
	u := p.up("dev")
	require.Contains(t, u.output, `"greeting": ""`)
	require.Equal(t, 1, p.migrations())
	p.settled("dev")
	require.Equal(t, 1, p.migrations(), "unchanged, it does not run again")

	p.replace("Pulumi.dev.yaml", "[-describe]", "[-nonsense]")
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	end := p.watched("slipway-dev", 1)
	for range 2 { // repeated, it runs again
		before := p.migrations()
		u := p.tryUp("dev")
		require.NotZero(t, u.status)
		for _, text := range []string{"tasks.migrate", "exit code 2", "flag provided but not defined: -nonsense"} {
			require.Contains(t, u.output, text)
		}
		require.Equal(t, before+1, p.migrations())
		require.Equal(t, 1, p.service("slipway-dev").Revision, "the service stays")
	}
	end()
	require.Equal(t, []string{"hello from dev"}, greetings(p.answers("slipway-dev")))

	p.replace("Pulumi.dev.yaml", "[-nonsense]", "[-describe]")
	before := p.migrations()
	p.up("dev")
	require.Equal(t, before+1, p.migrations())
	require.Equal(t, []string{"hello again"}, greetings(p.answers("slipway-dev")))
}

// migrations is how many tasks of the family were started so far.
func (p *project) migrations() int {
	p.Helper()
	tasks, err := ecs.Tasks(p.open(), "slipway-dev")
	require.NoError(p.TB, err)
	started := 0
	for _, task := range tasks {
		if task.Family() == "slipway-dev-migrate" {
			started++
		}
	}
	return started
}

func TestAContainerKilledByHandIsBackWhileTheSandboxWatches(t *testing.T) {
	t.Parallel()
	p := running(t)
	p.up("dev")
	killed := p.running("slipway-dev")[0]
	watch := p.inBackground(exec.Command(filepath.Join(root, ".bin/sandbox"), "--dir", p.account, "watch"))
	identity, err := p.open().Identity()
	require.NoError(t, err)
	web := docker(t, "ps", "-q", "--filter", "label=slipway.sandbox.account="+identity, "--filter",
		"label=slipway.sandbox.container=web")
	require.Len(t, web, 1)
	docker(t, "kill", web[0])
	require.Eventually(t, func() bool {
		tasks := p.running("slipway-dev")
		if len(tasks) != 1 || tasks[0].id == killed.id {
			return false
		}
		answer, err := ask(tasks[0].address)
		return err == nil && answer.Greeting == "hello from dev"
	}, patience, 200*time.Millisecond)
	watch.interrupt()
	watch.succeeds()
	require.Contains(t, watch.output.String(), killed.id+" stopped")
}

func TestAKilledSandboxLeavesNothingThatTheNextCommandDoesNotPickUp(t *testing.T) {
	t.Parallel()
	p := running(t)
	p.replace("Pulumi.dev.yaml", "replicas: 1", "replicas: 2")
	p.up("dev")
	for i, after := range []time.Duration{0, 300 * time.Millisecond, 800 * time.Millisecond, 2 * time.Second} {
		p.replace("Pulumi.dev.yaml", []string{"hello from dev", "one", "two", "three"}[i],
			[]string{"one", "two", "three", "four"}[i])
		p.killed(func() bool {
			if !p.rollingOut() {
				return false
			}
			time.Sleep(after)
			return true
		})
	}
	require.Equal(t, []string{"four", "four"}, greetings(p.answers("slipway-dev")))
	p.holds(2)
}
