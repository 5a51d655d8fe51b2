// Package agent is the ECS agent of the sandbox: it runs an account's tasks as containers of the local Docker engine.
// What it knows stands on the engine, as labels, and in the account; so it may be killed at any point, and the next one
// goes on.
package agent

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/gofrs/flock"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/moby/client"

	"slipway/sandbox/account/ecs"
	"slipway/sandbox/account/elb"
	"slipway/sandbox/account/logs"
	"slipway/sandbox/account/sts"
	"slipway/sandbox/alb"
)

// Account is what the agent needs of an account.
type Account interface {
	Identity() (string, error)
	AgentTasks() ([]ecs.AgentTask, error)
	SubmitTaskStateChange(taskARN string, r ecs.TaskStateChange) error
	CreateLogStream(taskARN, group, stream string) error
	PutLogEvents(taskARN, group, stream string, events []logs.LogEvent) error
	FindLogEvents(taskARN, group, prefix string, from, to int64) ([]*logs.LogEvent, error)
	Listeners() ([]elb.LiveListener, error)
	KeepLocalPort(l elb.LiveListener, port int) error
	Authority() (alb.Authority, error)
	TaskCredentials(taskARN, roleARN string) (sts.Credentials, error)
	Names(taskARN string) (map[string][]string, error)
}

// Registry has the images of the account's own ECR.
type Registry interface {
	// Pull finds the image of a reference to ECR.
	Pull(reference, platform string) (v1.Image, error)
}

// Settings are what an agent works with.
type Settings struct {
	Dir      string // the account's directory: one agent at a time runs its tasks
	Account  Account
	Registry Registry
	Docker   *client.Client
	Programs string       // the directory of the programs taskhost and loadbalancer
	API      http.Handler // the account's APIs, for containers
	Say      func(string) // is told of tasks that start and stop; may be nil
}

// Times that the agent keeps.
const (
	interval   = 200 * time.Millisecond // between two looks at the account and the engine
	callTime   = time.Minute            // that the engine may take to answer, where it has little to do
	settleTime = 10 * time.Second       // that Settle waits for tasks that stop
	startTime  = 3 * time.Second        // that Settle waits for tasks that start
	listenTime = time.Minute            // that Settle waits for listeners, which nobody sees to afterwards
	endTime    = 3 * time.Second        // that End waits for an engine that may not answer
)

// Agent is an agent that runs until End.
type Agent struct {
	Settings
	identity string
	cancel   context.CancelFunc
	stopped  chan struct{}
	loading  sync.Mutex // one image at a time is loaded into the engine

	tasks     map[string]*task // by ARN; only the loop uses it
	listeners *listeners
	all       sync.WaitGroup // of the goroutines of tasks and listeners

	mu    sync.Mutex
	leads bool // whether this process runs the account's tasks, and no other
}

// Start starts an agent. While another process runs the account's tasks it waits, to go on where that one ends.
func Start(s Settings) (*Agent, error) {
	identity, err := s.Account.Identity()
	if err != nil {
		return nil, err
	}
	if s.Say == nil {
		s.Say = func(string) {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	a := &Agent{Settings: s, identity: identity, cancel: cancel, stopped: make(chan struct{}), tasks: map[string]*task{}}
	a.listeners = &listeners{agent: a}
	lock, err := a.lock()
	if err != nil {
		cancel()
		return nil, err
	}
	if !a.leads {
		a.Say("another process runs the account's tasks: this one goes on when it ends")
	}
	go func() {
		defer close(a.stopped)
		defer lock.Unlock()
		if locked, _ := lock.TryLockContext(ctx, interval); locked {
			a.lead()
			a.run(ctx)
		}
	}()
	return a, nil
}

// lock is what one process has at a time. It tries to get it at once: a short command is over before it would be tried
// again.
func (a *Agent) lock() (lock *flock.Flock, err error) {
	lock = flock.New(filepath.Join(a.Dir, "agent.lock"))
	if a.leads, err = lock.TryLock(); err != nil {
		return nil, fmt.Errorf("running the account's tasks: %w", err)
	}
	return lock, nil
}

func (a *Agent) lead() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.leads = true
}

// run brings the engine to where the account wants it, until ctx ends.
func (a *Agent) run(ctx context.Context) {
	defer a.all.Wait()
	a.all.Go(func() { a.listeners.run(ctx) })
	for ctx.Err() == nil {
		// Volumes without containers are only left where an agent was killed.
		if leftovers, err := a.volumeTasks(ctx); err == nil && a.look(ctx, leftovers) == nil {
			break
		}
		sleep(ctx, interval)
	}
	for problem := ""; ctx.Err() == nil; sleep(ctx, interval) {
		if err := a.look(ctx, nil); err == nil {
			problem = ""
		} else if ctx.Err() == nil && err.Error() != problem {
			problem = err.Error()
			a.Say("looking at the account and the engine: " + problem)
		}
	}
}

// look tells every task what is wanted of it and how its containers do: those that the account wants, and those that
// only the engine still has something of.
func (a *Agent) look(ctx context.Context, leftovers []string) error {
	// In this order: what the engine has of a task that is not among the wanted ones is not wanted any more.
	found, err := a.list(ctx)
	if err != nil {
		return err
	}
	work, err := a.Account.AgentTasks()
	if err != nil {
		return err
	}
	for arn, t := range a.tasks {
		if t.over() {
			delete(a.tasks, arn)
		}
	}
	wanted := map[string]*ecs.AgentTask{}
	for _, w := range work {
		wanted[w.Task.ARN] = &w
		a.task(ctx, w.Task.ARN)
	}
	for _, arn := range slices.Concat(slices.Collect(maps.Keys(found)), leftovers) {
		a.task(ctx, arn)
	}
	for arn, t := range a.tasks {
		t.tell(wanted[arn], found[arn])
	}
	return nil
}

// task has a task looked after.
func (a *Agent) task(ctx context.Context, arn string) {
	if a.tasks[arn] != nil {
		return
	}
	t := newTask(a, arn)
	a.tasks[arn] = t
	a.all.Go(func() { t.run(ctx) })
}

// Settle waits a little for tasks and listeners to be as they are wanted, whichever process sees to that: what a
// command has started or stopped just before it ended.
func (a *Agent) Settle() {
	ctx, cancel := context.WithTimeout(context.Background(), settleTime)
	defer cancel()
	for begun := time.Now(); ctx.Err() == nil; sleep(ctx, interval/2) {
		starting, stopping, err := a.unsettled(ctx)
		if err == nil && stopping == 0 && (starting == 0 || time.Since(begun) > startTime) {
			break
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.leads { // whichever process does sees to it
		a.listeners.settle()
	}
}

// unsettled counts the tasks and listeners that are about to start, and those that are to stop or of which something is
// left.
func (a *Agent) unsettled(ctx context.Context) (starting, stopping int, err error) {
	left, err := a.list(ctx)
	if err != nil {
		return 0, 0, err
	}
	volumes, err := a.volumeTasks(ctx)
	if err != nil {
		return 0, 0, err
	}
	for _, arn := range volumes {
		left[arn] += "volume\n"
	}
	work, err := a.Account.AgentTasks()
	if err != nil {
		return 0, 0, err
	}
	starting, stopping, err = a.unsettledListeners(ctx)
	if err != nil {
		return 0, 0, err
	}
	for _, w := range work {
		delete(left, w.Task.ARN)
		switch {
		case w.Task.DesiredStatus == stopped:
			stopping++
		case w.Task.LastStatus != running:
			starting++
		}
	}
	return starting, stopping + len(left), nil
}

// End ends the agent, once what containers have written is stored. They run on.
func (a *Agent) End() {
	a.cancel()
	select {
	case <-a.stopped:
	case <-time.After(endTime):
	}
}
