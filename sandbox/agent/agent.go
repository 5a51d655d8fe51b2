// Package agent is the ECS agent of the sandbox: it runs an account's tasks as containers of the local Docker engine. What it
// knows stands on the engine, as labels, and in the account; so it may be killed at any point, and the next one goes on.
package agent

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/moby/client"

	"slipway/sandbox/account"
)

// Account is what the agent needs of an account.
type Account interface {
	Identity() (string, error)
	Work() ([]account.Work, error)
	Report(taskARN string, r account.Report) error
	CreateLogStream(group, stream string) error
	PutLogEvents(group, stream string, events []account.LogEvent) error
	LogEvents(group, prefix string, from, to int64) ([]*account.LogEvent, error)
}

// Registry has the images of the account's own ECR.
type Registry interface {
	// Pull finds the image of a reference to ECR.
	Pull(reference string) (v1.Image, error)
}

// Settings are what an agent works with.
type Settings struct {
	Dir      string // the account's directory: one agent at a time runs its tasks
	Account  Account
	Registry Registry
	Docker   *client.Client
	TaskHost string       // the file of the program taskhost
	Say      func(string) // is told of tasks that start and stop; may be nil
}

// Times that the agent keeps.
const (
	interval   = 200 * time.Millisecond // between two looks at the account and the engine
	callTime   = time.Minute            // that the engine may take to answer, where it has little to do
	settleTime = 10 * time.Second       // that Settle waits for tasks that stop
	startTime  = 3 * time.Second        // that Settle waits for tasks that start
	endTime    = 3 * time.Second        // that End waits for an engine that may not answer
)

// Agent is an agent that runs until End.
type Agent struct {
	Settings
	identity string
	cancel   context.CancelFunc
	stopped  chan struct{}
	loading  sync.Mutex // one image at a time is loaded into the engine

	tasks map[string]*task // by ARN; only the loop uses it
	all   sync.WaitGroup   // of the tasks' goroutines

	mu     sync.Mutex
	leads  bool // whether this process runs the account's tasks, and no other
	looked look
}

// look is what the last look at account and engine found.
type look struct {
	begun              time.Time
	err                error
	starting, stopping int // tasks that are not as they are wanted yet
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

// lock is what one process has at a time. It tries to get it at once: a short command is over before it would be tried again.
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
	leftovers, err := a.volumeTasks(ctx)
	for {
		l := look{begun: time.Now(), err: err}
		if err == nil {
			l.starting, l.stopping, l.err = a.look(ctx, leftovers)
		}
		a.mu.Lock()
		a.looked = l
		a.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-time.After(interval):
		}
		if err != nil {
			leftovers, err = a.volumeTasks(ctx)
		} else if l.err == nil {
			leftovers = nil
		}
	}
}

// look tells every task what is wanted of it and how its containers do: those that the account wants, and those that only the
// engine still has something of.
func (a *Agent) look(ctx context.Context, leftovers []string) (starting, stopping int, err error) {
	// In this order: what the engine has of a task that is not among the wanted ones is not wanted any more.
	found, err := a.list(ctx)
	if err != nil {
		return 0, 0, err
	}
	work, err := a.Account.Work()
	if err != nil {
		return 0, 0, err
	}
	for arn, t := range a.tasks {
		if t.over() {
			delete(a.tasks, arn)
		}
	}
	wanted := map[string]*account.Work{}
	for _, w := range work {
		wanted[w.Task.ARN] = &w
		a.task(ctx, w.Task.ARN)
		switch {
		case w.Task.DesiredStatus == stopped:
			stopping++
		case w.Task.LastStatus != running:
			starting++
		}
	}
	for arn := range found {
		a.task(ctx, arn)
	}
	for _, arn := range leftovers {
		a.task(ctx, arn)
	}
	for arn, t := range a.tasks {
		if wanted[arn] == nil {
			stopping++
		}
		t.tell(wanted[arn], found[arn])
	}
	return starting, stopping, nil
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

// Settle waits a little for tasks to be as they are wanted: what a command has started or stopped just before it ended.
func (a *Agent) Settle() {
	begun := time.Now()
	for !a.settled(begun) && time.Since(begun) < settleTime {
		time.Sleep(interval / 4)
	}
}

// End ends the agent, once what containers have written is stored. They run on.
func (a *Agent) End() {
	a.cancel()
	select {
	case <-a.stopped:
	case <-time.After(endTime):
	}
}

// settled reports whether there is nothing to wait for, as was found since that moment.
func (a *Agent) settled(since time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.looked
	switch {
	case !a.leads || l.err != nil:
		return true
	case l.begun.Before(since):
		return false
	}
	return l.stopping == 0 && (l.starting == 0 || time.Since(since) > startTime)
}
