package agent

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecs"
	"slipway/sandbox/account/elb"
	"slipway/sandbox/alb"
)

const testGroup = "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:targetgroup/web/1"

// balanced is a task that answers, and a listener that forwards to it, both of which run.
func balanced(t *testing.T, delay time.Duration) (f *fakeAccount, task string) {
	t.Helper()
	f = newFake(t)
	task = f.add(t, "1a2b", `[{"name": "web", "command": ["serve=:8080"], "stopTimeout": 2,
		"portMappings": [{"containerPort": 8080, "protocol": "tcp"}]}]`)
	f.change(task, func(w *ecs.AgentTask) {
		w.Task.LoadBalancers = []ecs.ServiceLoadBalancer{{TargetGroupARN: testGroup, ContainerName: "web",
			ContainerPort: 8080}}
		w.DeregistrationDelay = delay
	})
	f.register(alb.Target{Task: task, Port: 8080})
	return f, task
}

// register has the listener send requests to these targets.
func (f *fakeAccount) register(targets ...alb.Target) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.listeners = []elb.LiveListener{{ARN: account.ARN(account.DefaultID, "elasticloadbalancing", "ap-northeast-2",
		"listener/app/web/1/2"), LoadBalancer: "web", Settings: alb.Listener{Protocol: "HTTP", Port: 80,
		DefaultActions: []alb.Action{{Type: "forward", TargetGroupARN: testGroup}},
		TargetGroups: map[string]alb.TargetGroup{testGroup: {Protocol: "HTTP", ProtocolVersion: "HTTP1",
			Targets: targets}}}}}
}

func (f *fakeAccount) url(path string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return fmt.Sprintf("http://127.0.0.1:%d%s", f.ports[80], path)
}

// status is that of the listener's answer; 0 where there is none.
func (f *fakeAccount) status(path string) int {
	response, err := http.Get(f.url(path))
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

func (f *fakeAccount) awaitStatus(t *testing.T, path string, status int) {
	t.Helper()
	f.eventually(t, func() bool { return f.status(path) == status }, "%s is not answered with %d", path, status)
}

// asksLong starts an agent, and returns when a request is under way that takes its time.
func (f *fakeAccount) asksLong(t *testing.T, task, path string) (answered chan int) {
	t.Helper()
	a := f.start(t)
	f.await(t, task, "web", running)
	f.awaitStatus(t, "/status/204", 204)
	answered = make(chan int, 1)
	go func() { answered <- f.status(path) }()
	f.eventually(t, func() bool {
		last, _ := a.listeners.since(time.Time{})
		return last.underWay[task] == 1
	}, "the request is not under way")
	return answered
}

func TestATaskThatIsToStopEndsAfterItsRequests(t *testing.T) {
	f, task := balanced(t, time.Minute)
	answered := f.asksLong(t, task, "/wait/3000")
	f.register()
	f.stop(task)
	f.awaitStatus(t, "/status/204", 503)
	require.Equal(t, running, f.container(task, "web").LastStatus)
	require.Equal(t, 200, <-answered)
	f.await(t, task, "web", stopped)
}

func TestADeregistrationDelayEnds(t *testing.T) {
	f, task := balanced(t, time.Second)
	answered := f.asksLong(t, task, "/wait/600000")
	f.register()
	f.stop(task)
	f.await(t, task, "web", stopped)
	require.Equal(t, 502, <-answered)
}

func TestAListenerKeepsItsPort(t *testing.T) {
	f, task := balanced(t, 0)
	first := f.start(t)
	f.awaitStatus(t, "/status/204", 204)
	address := f.url("/")
	first.cancel()
	<-first.stopped
	require.Equal(t, 204, f.status("/status/204"), "it answers where no agent runs")

	remove := func() {
		removed := 0
		for name, c := range f.onEngine(t) {
			if strings.HasPrefix(name, "slipway-web-80-") {
				require.NoError(t, removeContainer(t.Context(), f.docker, c.ID))
				removed++
			}
		}
		require.Equal(t, 1, removed)
	}
	remove()
	second := f.start(t)
	f.awaitStatus(t, "/status/204", 204)
	require.Equal(t, address, f.url("/"))
	second.cancel()
	<-second.stopped

	remove()
	other, err := net.Listen("tcp", strings.TrimSuffix(strings.TrimPrefix(address, "http://"), "/"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = other.Close() })
	f.start(t)
	f.eventually(t, func() bool { return f.url("/") != address }, "the port is somebody else's")
	f.awaitStatus(t, "/status/204", 204)

	f.mu.Lock()
	f.listeners = nil
	f.mu.Unlock()
	f.forget(task)
	f.eventually(t, func() bool { return len(f.onEngine(t)) == 0 }, "containers are left")
}
