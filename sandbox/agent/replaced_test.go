package agent

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/ecs"
)

func TestEachLineIsStoredOnceWhereAgentsReplaceEachOther(t *testing.T) {
	f := newFake(t)
	const lines = 150
	arn := f.add(t, "1a2b", fmt.Sprintf(`[{"name": "web", "command": ["flood=%d", "count=%d"]}]`, lines, lines))
	for !t.Failed() {
		a := f.start(t)
		before := len(f.lines("web"))
		f.eventually(t, func() bool {
			return len(f.lines("web")) > before || f.container(arn, "web").LastStatus == stopped
		}, "no more lines")
		a.cancel()
		<-a.stopped
		if f.container(arn, "web").LastStatus == stopped {
			break
		}
	}
	var want []string
	for range 2 {
		for i := range lines {
			want = append(want, fmt.Sprintf("line %d", i))
		}
	}
	require.Equal(t, want, f.lines("web"))
}

func TestLongAndUnfinishedLines(t *testing.T) {
	f := newFake(t)
	arn := f.add(t, "1a2b", `[{"name": "web", "command": ["long=40000", "print=", "print=  indented", "rest=the rest"]}]`)
	f.start(t)
	f.await(t, arn, "web", stopped)
	require.Equal(t, []string{strings.Repeat("x", 40000), "  indented", "the rest"}, f.lines("web"))
}

func TestAnotherAgentGoesOnWhereTheHolderEnds(t *testing.T) {
	f := newFake(t)
	first, second := f.start(t), f.start(t)
	arn := f.add(t, "1a2b", `[{"name": "web", "command": ["until-term"]}]`)
	web := f.await(t, arn, "web", running)
	second.mu.Lock()
	require.False(t, second.leads)
	second.mu.Unlock()
	first.cancel()
	f.eventually(t, func() bool {
		second.mu.Lock()
		defer second.mu.Unlock()
		return second.leads
	}, "the second agent does not go on")
	require.Equal(t, web.RuntimeID, f.container(arn, "web").RuntimeID)
	f.stop(arn)
	f.await(t, arn, "web", stopped)
}

// heldDir makes this test binary a process that holds the lock of that directory.
const heldDir = "TEST_AGENT_HOLDS"

func TestAnotherAgentGoesOnWhereTheHolderIsKilled(t *testing.T) {
	if dir := os.Getenv(heldDir); dir != "" {
		f := &fakeAccount{identity: "held", dir: dir}
		a := &Agent{Settings: Settings{Dir: f.dir, Account: f}}
		lock, err := a.lock()
		require.NoError(t, err)
		fmt.Println("held", lock.Locked())
		select {}
	}
	f := newFake(t)
	holding := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	holding.Env = append(os.Environ(), heldDir+"="+f.dir)
	output, err := holding.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, holding.Start())
	held := make([]byte, len("held true"))
	_, err = output.Read(held)
	require.NoError(t, err)
	require.Equal(t, "held true", string(held))

	f.start(t)
	arn := f.add(t, "1a2b", `[{"name": "web", "command": ["until-term"]}]`)
	time.Sleep(2 * interval)
	require.Empty(t, f.onEngine(t))
	require.NoError(t, holding.Process.Kill())
	require.Error(t, holding.Wait())
	f.await(t, arn, "web", running)
}

func TestWhatAKilledAgentHasHalfMadeIsCompleted(t *testing.T) {
	f := newFake(t)
	arn := f.add(t, "1a2b", `[{"name": "one", "command": ["until-term"]}, {"name": "two", "command": ["until-term"],
		"mountPoints": [{"sourceVolume": "shared", "containerPath": "/data"}]}]`)
	// The steps that an agent makes for a task, up to each of which it may come.
	half := newTask(&Agent{Settings: f.settings(t), identity: f.identity}, arn)
	half.work = f.work[arn]
	var err error
	half.definitions, err = definitionsOf(half.work.Definition)
	require.NoError(t, err)
	o := &observation{}
	require.NoError(t, half.prepare(t.Context()))
	require.NoError(t, half.startHost(t.Context(), o))
	require.NoError(t, half.create(t.Context(), half.definitions[1], o.host.ID))
	made := f.onEngine(t)
	require.Len(t, made, 2)

	f.start(t)
	one, two := f.await(t, arn, "one", running), f.await(t, arn, "two", running)
	require.Equal(t, made[half.engineName("two")].ID, two.RuntimeID)
	require.NotEqual(t, one.RuntimeID, two.RuntimeID)
	require.Len(t, f.onEngine(t), 3)
	for name, c := range f.onEngine(t) {
		require.Equal(t, container.StateRunning, c.State, name)
	}
}

func TestATaskWhoseNetworkIsGoneStops(t *testing.T) {
	for sentence, beside := range map[string]string{
		"with all containers running": "",
		"with one that waits": `, {"name": "late", "command": ["until-term"],
			"dependsOn": [{"containerName": "web", "condition": "HEALTHY"}]}`,
	} {
		t.Run(sentence, func(t *testing.T) {
			f := newFake(t)
			arn := f.add(t, "1a2b", `[{"name": "web", "command": ["until-term"]}`+beside+`]`)
			f.start(t)
			f.await(t, arn, "web", running)
			for name, c := range f.onEngine(t) {
				if strings.Contains(name, "taskhost") {
					require.NoError(t, removeContainer(t.Context(), f.docker, c.ID))
				}
			}
			f.await(t, arn, "web", stopped)
		})
	}
}

func TestAnEngineThatDoesNotAnswerDoesNotHoldUpTheEnd(t *testing.T) {
	f := newFake(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, and says nothing
	require.NoError(t, err)
	t.Cleanup(func() { _ = silent.Close() })
	settings := f.settings(t)
	// An engine that answered at first: the client knows its version.
	settings.Docker, err = client.New(client.WithHost("tcp://"+silent.Addr().String()), client.WithAPIVersion("1.41"))
	require.NoError(t, err)
	f.add(t, "1a2b", `[{"name": "web"}]`)
	a, err := Start(settings)
	require.NoError(t, err)
	begun := time.Now()
	a.Settle()
	a.End()
	require.Less(t, time.Since(begun), callTime/2)
}

func TestAnObservationThatFailsHalfWayTellsNothing(t *testing.T) {
	t.Parallel()
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/containers/json") {
			http.Error(w, `{"message": "out of order"}`, http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `[{"Id": "1", "Labels": {%q: "web"}}]`, containerLabel)
	}))
	t.Cleanup(engine.Close)
	docker, err := client.New(client.WithHost("tcp://"+engine.Listener.Addr().String()), client.WithAPIVersion("1.41"))
	require.NoError(t, err)
	running := &container.InspectResponse{ID: "1"}
	o := &observation{host: running, containers: map[string]*container.InspectResponse{"web": running}}
	require.ErrorContains(t, newTask(&Agent{Settings: Settings{Docker: docker}}, "arn").observe(t.Context(), o),
		"out of order")
	require.Equal(t, running, o.host)
	require.Equal(t, running, o.containers["web"])
}

func TestFramesOfOutput(t *testing.T) {
	t.Parallel()
	var output bytes.Buffer
	frame := func(stream byte, text string) {
		header := make([]byte, 8)
		header[0] = stream
		binary.BigEndian.PutUint32(header[4:], uint32(len(text)))
		output.Write(header)
		output.WriteString(text)
	}
	frame(1, "2026-01-02T03:04:05.000000001Z one, ")
	frame(2, "2026-01-02T03:04:05.000000002Z error\n")
	frame(1, "2026-01-02T03:04:05.000000003Z two\n")
	frame(1, "2026-01-02T03:04:05.000000004Z \n")
	frame(1, "2026-01-02T03:04:05.000000005Z rest")
	var lines []string
	require.NoError(t, frames(&output, func(at time.Time, line string) {
		lines = append(lines,
			fmt.Sprint(at.Nanosecond(), " ", line))
	}))
	require.Equal(t, []string{"2 error", "1 one, two", "4 ", "5 rest"}, lines)

	output.Write([]byte{1, 0, 0})
	require.Error(t, frames(&output, func(time.Time, string) {}))
}

func TestTargetsAreDecidedAsATargetGroupDoes(t *testing.T) {
	t.Parallel()
	for sentence, c := range map[string]struct {
		outcomes string // of checks: + or -
		want     string
	}{
		"a new target has to pass once":        {"+", "healthy"},
		"one failure decides nothing":          {"-", "undecided"},
		"failures in a row decide":             {"--", "unhealthy"},
		"a failure between passes is forgiven": {"+-+-+", "healthy"},
		"and back only after passes in a row":  {"--+", "unhealthy"},
		"which are as many as is set":          {"--+++", "healthy"},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			checks := &checks{target: ecs.HealthCheck{Healthy: 3, Unhealthy: 2}, wake: func() {}}
			passed, failed := 0, 0
			for _, outcome := range c.outcomes {
				if outcome == '+' {
					passed, failed = passed+1, 0
				} else {
					passed, failed = 0, failed+1
				}
				checks.decide(passed, failed, "reason")
			}
			found := "undecided"
			if reason, decided := checks.found(); decided {
				found = map[string]string{"": "healthy", "reason": "unhealthy"}[reason]
			}
			require.Equal(t, c.want, found)
		})
	}
}

func TestMatchers(t *testing.T) {
	t.Parallel()
	for matcher, want := range map[string]bool{"200": false, "200-299": true, "200,204": true, "200, 202-204": true,
		"300-399": false, "": false} {
		require.Equal(t, want, matches(matcher, 204), matcher)
	}
}
