package agent

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/moby/moby/api/types/container"

	"slipway/sandbox/account/ecs"
)

// task brings one task to where the account wants it, step by step. Each step looks at the engine again.
type task struct {
	agent *Agent
	arn   string
	wake  chan struct{} // something has changed

	mu     sync.Mutex
	asked  bool           // whether wanted says anything
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
	draining    time.Time                     // since when it is to stop, and requests may be under way
	reported    string                        // the last report
	lastStates  map[string]ecs.ContainerState // in it
	answering   atomic.Bool                   // what its containers ask
	naming      sync.Once
	named       chan struct{} // closed once its containers know the names that they can call
	saidRunning bool
	saidStopped bool
	background  sync.WaitGroup
}

func newTask(a *Agent, arn string) *task {
	return &task{agent: a, arn: arn, wake: make(chan struct{}, 1), ended: map[string]ecs.ContainerState{},
		followers: map[string]*follower{}, checks: map[string]*checks{},
		named: make(chan struct{})}
}

// tell says what is wanted of the task, nil for nothing, and how its containers look.
func (t *task) tell(wanted *ecs.AgentTask, looks string) {
	t.mu.Lock()
	changed := !t.asked || t.looks != looks || (t.wanted == nil) != (wanted == nil) ||
		wanted != nil && t.wanted != nil && t.wanted.Task.DesiredStatus != wanted.Task.DesiredStatus
	t.asked, t.wanted, t.looks = true, wanted, looks
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
		case <-time.After(t.pause()): // for what no change tells of, such as a time that is up
		}
		t.mu.Lock()
		asked, wanted := t.asked, t.wanted
		t.mu.Unlock()
		if !asked {
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
	err := t.answer(ctx, o)
	if err != nil {
		return err
	}
	switch {
	case wanted.Task.DesiredStatus == stopped && t.failure == nil && !t.drained():
	case wanted.Task.DesiredStatus == stopped || t.failure != nil:
		err = t.stop(ctx, o)
	default:
		err = t.start(ctx, o)
		if failed := (*failure)(nil); errors.As(err, &failed) {
			t.failure = failed
			err = t.stop(ctx, o)
		}
	}
	t.check(ctx, o)
	return errors.Join(err, t.report(o))
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
		f := &follower{agent: t.agent, task: t.arn, container: c.ID, begun: time.Now(), done: make(chan struct{}),
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
