package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecs"
)

// task brings one task to where the account wants it, step by step. Each step looks at the engine anew.
type task struct {
	agent *Agent
	arn   string
	wake  chan struct{} // something has changed

	mu     sync.Mutex
	told   bool           // whether wanted says anything
	wanted *ecs.AgentTask // nil where the account does not want the task any more
	looks  string         // how its containers looked last
	gone   bool           // nothing of it is left

	// What follows is of the steps alone.
	work        ecs.AgentTask
	definitions []definition
	images      map[string]pulled // by container
	ended       map[string]ecs.ContainerState
	followers   map[string]*follower
	checks      map[string]*checks // by target group
	failure     *failure
	reported    string                        // the last report
	lastStates  map[string]ecs.ContainerState // in it
	saidRunning bool
	saidStopped bool
	background  sync.WaitGroup
}

// failure is why a task cannot start.
type failure struct{ container, reason string }

func (f *failure) Error() string { return f.reason }

func newTask(a *Agent, arn string) *task {
	return &task{agent: a, arn: arn, wake: make(chan struct{}, 1), ended: map[string]ecs.ContainerState{},
		followers: map[string]*follower{}, checks: map[string]*checks{}}
}

// tell says what is wanted of the task, nil for nothing, and how its containers look.
func (t *task) tell(wanted *ecs.AgentTask, looks string) {
	t.mu.Lock()
	changed := !t.told || t.looks != looks || (t.wanted == nil) != (wanted == nil) ||
		wanted != nil && t.wanted != nil && t.wanted.Task.DesiredStatus != wanted.Task.DesiredStatus
	t.told, t.wanted, t.looks = true, wanted, looks
	t.mu.Unlock()
	if changed {
		t.wakeUp()
	}
}

func (t *task) wakeUp() {
	select {
	case t.wake <- struct{}{}:
	default: // it wakes anyway
	}
}

// over reports whether nothing of the task is left.
func (t *task) over() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.gone
}

// run makes steps until nothing of the task is left, or ctx ends.
func (t *task) run(ctx context.Context) {
	inside, stop := context.WithCancel(ctx)
	defer func() {
		stop()
		t.background.Wait()
	}()
	for problem := ""; ; {
		select {
		case <-ctx.Done():
			return
		case <-t.wake:
		case <-time.After(time.Second): // for what no change tells of, such as a time that is up
		}
		t.mu.Lock()
		told, wanted := t.told, t.wanted
		t.mu.Unlock()
		if !told {
			continue
		}
		var err error
		if wanted == nil {
			if err = removeAll(ctx, t.agent.Docker, t.agent.identity, t.arn); err == nil {
				t.mu.Lock()
				t.gone = true
				t.mu.Unlock()
				return
			}
		} else {
			err = t.step(inside, *wanted)
		}
		if err != nil && ctx.Err() == nil && err.Error() != problem {
			problem = err.Error()
			t.agent.Say(fmt.Sprintf("task %s: %s", t.id(), problem))
		}
	}
}

// step brings the task nearer to what is wanted, and reports how it does.
func (t *task) step(ctx context.Context, wanted ecs.AgentTask) error {
	t.work = wanted
	if t.definitions == nil {
		definitions, err := definitionsOf(wanted.Definition)
		if err != nil {
			return err
		}
		t.definitions = definitions
		for _, state := range wanted.Task.Containers {
			if state.LastStatus == stopped {
				t.ended[state.Name] = state
			}
		}
	}
	o := &observation{}
	if err := t.observe(ctx, o); err != nil {
		return err
	}
	t.follow(ctx, o)
	var err error
	if wanted.Task.DesiredStatus == stopped || t.failure != nil {
		err = t.stop(ctx, o)
	} else {
		err = t.start(ctx, o)
		if failed := (*failure)(nil); errors.As(err, &failed) {
			t.failure = failed
			err = t.stop(ctx, o)
		}
	}
	t.check(ctx, o)
	return errors.Join(err, t.report(o))
}

// start makes and starts the containers that may start now.
func (t *task) start(ctx context.Context, o *observation) error {
	states := t.states(o)
	waits := func(d definition) bool { return states[d.Name].LastStatus == pending }
	hosted := o.host != nil && o.host.State.Running
	if !hosted && slices.ContainsFunc(t.definitions, func(d definition) bool { return states[d.Name].StartedAt != nil }) {
		return t.stop(ctx, o) // its network is gone
	}
	if !slices.ContainsFunc(t.definitions, waits) {
		return nil
	}
	if err := t.prepare(ctx); err != nil {
		return err
	}
	if !hosted {
		// What was made for an earlier host cannot join another.
		for _, c := range o.containers {
			if err := removeContainer(ctx, t.agent.Docker, c.ID); err != nil {
				return err
			}
		}
		if err := t.startHost(ctx, o); err != nil {
			return err
		}
	}
	for again := true; again; {
		again = false
		for _, d := range t.definitions {
			if !waits(d) {
				continue
			}
			ready, never := mayStart(d, t.definitions, states, time.Now())
			if never != "" {
				code := 143
				t.end(d, &code, "CannotStartContainerError: "+never)
			} else if ready {
				if err := t.startContainer(ctx, o, d); err != nil {
					return err
				}
			} else {
				continue
			}
			again = true
			if err := t.observe(ctx, o); err != nil {
				return err
			}
			t.follow(ctx, o)
			states = t.states(o)
			// At once: what has been started but is not known to be may count as never made.
			if err := t.report(o); err != nil {
				return err
			}
		}
	}
	return nil
}

// prepare pulls images and makes log streams, as Fargate does before a container starts.
func (t *task) prepare(ctx context.Context) error {
	if t.images != nil {
		return nil
	}
	images := map[string]pulled{}
	for _, d := range t.definitions {
		image, err := t.agent.pull(ctx, d.Image, platformOf(t.work.Definition))
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return &failure{container: d.Name, reason: "CannotPullContainerError: " + err.Error()}
		}
		images[d.Name] = image
		group, stream := d.log(t.id())
		if group == "" {
			continue
		}
		err = t.agent.Account.CreateLogStream(group, stream)
		if err != nil && !account.IsCode(err, "ResourceAlreadyExistsException") {
			return &failure{container: d.Name,
				reason: "ResourceInitializationError: failed to validate logger args: create stream has been " +
					"retried 1 times: failed to create Cloudwatch log stream: " + err.Error() + " : exit status 1"}
		}
	}
	t.images = images
	return nil
}

// startContainer makes a container where it is not there, and starts it. One that cannot start has ended.
func (t *task) startContainer(ctx context.Context, o *observation, d definition) error {
	if o.containers[d.Name] == nil {
		if err := t.create(ctx, d, o.host.ID); errdefs.IsConflict(err) {
			return err // an agent that was killed meanwhile has made it: the next step sees it
		} else if err != nil {
			return t.refused(ctx, d, "CannotCreateContainerError", err, nil)
		}
		if err := t.observe(ctx, o); err != nil {
			return err
		}
	}
	c := o.containers[d.Name]
	if c == nil {
		return fmt.Errorf("the container %s is gone from the Docker engine", t.engineName(d.Name))
	}
	call, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	_, err := t.agent.Docker.ContainerStart(call, c.ID, client.ContainerStartOptions{})
	if err == nil {
		return nil
	}
	var code *int
	if found, inspection := t.agent.Docker.ContainerInspect(call, c.ID,
		client.ContainerInspectOptions{}); inspection == nil {
		code = &found.Container.State.ExitCode
	}
	return t.refused(ctx, d, "CannotStartContainerError", err, code)
}

// refused ends a container that the engine refuses. Where the engine itself does not answer, it is tried again.
func (t *task) refused(ctx context.Context, d definition, kind string, err error, code *int) error {
	if ctx.Err() != nil || client.IsErrConnectionFailed(err) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	t.end(d, code, daemonError(kind, err))
	return nil
}

// end notes that a container is over that did not run.
func (t *task) end(d definition, code *int, reason string) {
	now := time.Now()
	state := ecs.ContainerState{Name: d.Name, ImageDigest: t.images[d.Name].digest, LastStatus: stopped,
		ExitCode: code,
		Reason:   reason, StoppedAt: &now}
	if d.health() {
		state.Health = "UNKNOWN"
	}
	t.ended[d.Name] = state
}

// stop ends what runs, each container after those that depend on it, and gives up what has not started.
func (t *task) stop(ctx context.Context, o *observation) error {
	for {
		runs := map[string]bool{}
		for _, d := range t.definitions {
			if c := o.containers[d.Name]; c != nil && c.State.Running {
				runs[d.Name] = true
			} else if _, over := t.ended[d.Name]; !over && began(c) == nil && t.known(d.Name).StartedAt == nil {
				reason := ""
				if t.failure != nil && t.failure.container == d.Name {
					reason = t.failure.reason
				}
				t.end(d, nil, reason)
			}
		}
		if len(runs) == 0 {
			return nil
		}
		var stopping sync.WaitGroup
		errs := make([]error, len(t.definitions))
		for i, d := range t.definitions {
			if runs[d.Name] && mayStop(d, t.definitions, runs) {
				stopping.Go(func() { errs[i] = t.stopContainer(ctx, d, o.containers[d.Name].ID) })
			}
		}
		stopping.Wait()
		if err := errors.Join(errs...); err != nil {
			return err
		}
		if err := t.observe(ctx, o); err != nil {
			return err
		}
	}
}

// follow has the output of every container that was started carried into the log.
func (t *task) follow(ctx context.Context, o *observation) {
	for _, d := range t.definitions {
		c := o.containers[d.Name]
		if _, over := t.ended[d.Name]; over || began(c) == nil || t.followers[d.Name] != nil {
			continue
		}
		f := &follower{agent: t.agent, container: c.ID, begun: time.Now(), done: make(chan struct{}),
			to: t.known(d.Name).LogsTo}
		f.group, f.stream = d.log(t.id())
		t.followers[d.Name] = f
		t.background.Go(func() {
			f.run(ctx)
			t.wakeUp()
		})
	}
}

// logTime is how long a container's end waits for its last lines, where the engine does not come to give them.
const logTime = time.Minute

// logsEnded reports whether what a container that has ended wrote is in the log.
func (t *task) logsEnded(name string, c *container.InspectResponse) bool {
	f := t.followers[name]
	if f == nil || f.ended() {
		return f != nil
	}
	end := moment(c.State.FinishedAt)
	return end != nil && time.Since(*end) > logTime && time.Since(f.begun) > logTime
}

// check has the target groups check the task while it is wanted, from when the container runs that they send traffic
// to.
func (t *task) check(ctx context.Context, o *observation) {
	if t.work.Task.DesiredStatus == stopped || t.failure != nil {
		for arn, c := range t.checks {
			c.stop()
			delete(t.checks, arn)
		}
		return
	}
	for _, target := range t.work.HealthChecks {
		earlier := t.checks[target.TargetGroupARN]
		if earlier != nil && earlier.target == target {
			continue
		}
		url, start := t.target(target.ContainerPort, o)
		if start == nil {
			continue
		}
		checking, stop := context.WithCancel(ctx)
		c := &checks{target: target, url: url + target.Path, began: *start, wake: t.wakeUp, stop: stop}
		if earlier != nil { // its settings have changed, which is no verdict
			earlier.stop()
			c.reason, c.decided = earlier.found()
		}
		t.checks[target.TargetGroupARN] = c
		t.background.Go(func() { c.run(checking) })
	}
}

// target is where a container's port answers on this machine, and since when the container runs; nil where it does not.
func (t *task) target(containerPort int, o *observation) (url string, start *time.Time) {
	for _, d := range t.definitions {
		for _, port := range t.ports(d, o) {
			if start := began(o.containers[d.Name]); port.ContainerPort == containerPort && start != nil {
				return fmt.Sprintf("http://%s:%d", port.HostIP, port.HostPort), start
			}
		}
	}
	return "", nil
}

// report tells the account how the task does, where that has changed.
func (t *task) report(o *observation) error {
	states := t.states(o)
	r := ecs.TaskStateChange{Targets: map[string]string{}}
	if t.failure != nil {
		r.StopCode, r.StoppedReason = "TaskFailedToStart", t.failure.reason
	}
	for _, d := range t.definitions {
		r.Containers = append(r.Containers, states[d.Name])
	}
	for arn, c := range t.checks {
		if reason, decided := c.found(); decided {
			r.Targets[arn] = reason
		}
	}
	content, err := json.Marshal(r)
	if err != nil || string(content) == t.reported {
		return err
	}
	if err := t.agent.Account.SubmitTaskStateChange(t.arn, r); err != nil {
		return err
	}
	t.reported, t.lastStates = string(content), states
	t.say(states)
	return nil
}

// say tells of a task that has come to run, or ended.
func (t *task) say(states map[string]ecs.ContainerState) {
	count := map[string]int{}
	var addresses, ends []string
	for _, d := range t.definitions {
		s := states[d.Name]
		count[s.LastStatus]++
		for _, p := range s.Ports {
			addresses = append(addresses, fmt.Sprintf("%s at %s:%d", d.Name, p.HostIP, p.HostPort))
		}
		end := d.Name
		if s.ExitCode != nil {
			end += " exit code " + strconv.Itoa(*s.ExitCode)
		}
		if s.Reason != "" {
			end += " " + s.Reason
		}
		if end != d.Name {
			ends = append(ends, end)
		}
	}
	what := fmt.Sprintf("%s:%d task %s", t.work.Definition.Family, t.work.Definition.Revision, t.id())
	switch {
	case count[stopped] == len(t.definitions) && !t.saidStopped:
		t.saidStopped = true
		reason := t.work.Task.StoppedReason
		if t.failure != nil {
			reason, ends = t.failure.reason, nil
		}
		t.agent.Say(strings.Join(slices.DeleteFunc([]string{what + " stopped", reason, strings.Join(ends, ", ")},
			func(s string) bool { return s == "" }), ": "))
	case count[pending] == 0 && count[running] > 0 && !t.saidRunning && !t.saidStopped:
		t.saidRunning = true
		t.agent.Say(strings.Join(append([]string{what + " runs"}, addresses...), ", "))
	}
}

func atoi(text string) int {
	n, _ := strconv.Atoi(text) // the engine's own number
	return n
}
