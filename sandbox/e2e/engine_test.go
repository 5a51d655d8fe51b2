package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/ecs"
)

// containerProject is a project whose tasks are containers of the Docker engine.
type containerProject struct{ *project }

// withContainers is such a project before its first deployment. All that it started is gone after the test.
func withContainers(t *testing.T) *containerProject {
	t.Helper()
	requireEngine(t)
	return onEngine(newProject(t))
}

func onEngine(of *project) *containerProject {
	of.Helper()
	p := &containerProject{of}
	p.engine = ""
	identity, err := p.aws.open().Identity() // which a reset account has no longer
	require.NoError(p.TB, err)
	p.Cleanup(func() {
		p.reset()
		require.Empty(p.TB, containersOf(p.TB, identity), "left on the engine")
	})
	return p
}

func (p *containerProject) reset() {
	p.Helper()
	output, err := p.aws.sandbox("reset").CombinedOutput()
	require.NoError(p.TB, err, string(output))
}

// engineHolds are the containers that the engine has of this account, running or not, by id.
func (p *containerProject) engineHolds() []string {
	p.Helper()
	identity, err := p.aws.open().Identity()
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

// running are the tasks of stage dev's service that answer somewhere.
func (p *containerProject) running() (running []runningTask) {
	p.Helper()
	tasks, err := ecs.Tasks(p.aws.open(), "slipway-dev")
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

// answers are those of all of its tasks, each of which has to answer.
func (p *containerProject) answers() (answers []description) {
	p.Helper()
	for _, task := range p.running() {
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

// watched asks all tasks of the service again and again, until what it returns is called, which asserts that at every
// moment at least so many answered.
func (p *containerProject) watched(fewest int) (end func()) {
	p.Helper()
	ctx, stop := context.WithCancel(p.Context())
	var counts []int
	var asking sync.WaitGroup
	asking.Go(func() {
		for ctx.Err() == nil {
			counts = append(counts, p.answering())
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

// answering is how many of the service's tasks answer. Where tasks came or went between the question which ones there
// are and the last answer, it asks again: those are not the tasks of any one moment.
func (p *containerProject) answering() int {
	p.Helper()
	for tasks := p.running(); ; {
		answered := 0
		for _, task := range tasks {
			if _, err := ask(task.address); err == nil {
				answered++
			}
		}
		now := p.running()
		if slices.EqualFunc(tasks, now, func(a, b runningTask) bool { return a.id == b.id }) {
			return answered
		}
		tasks = now
	}
}

// requireEngine skips a test where no Docker engine answers.
func requireEngine(t testing.TB) {
	t.Helper()
	if os.Getenv(dockerMode) == "off" || exec.Command("docker", "info").Run() != nil {
		t.Skip("no Docker engine")
	}
}
