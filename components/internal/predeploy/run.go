// Package predeploy runs a task to its end before a deployment.
package predeploy

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	smithytime "github.com/aws/smithy-go/time"

	"slipway/internal/awsclient"
	"slipway/internal/taskrun"
)

// iamLimit is how long, from the first refusal on, a task is started again that IAM kept from starting: it takes some
// seconds until a role that was made just now, and what it may do, is known everywhere. A service's tasks are started
// again by ECS.
const iamLimit = time.Minute

// Run is a task that runs to its end before services move to another revision.
type Run struct {
	// Account that it runs in.
	Account *awsclient.Account
	// Key is what the user wrote: tasks.migrate.
	Key string
	// Services that wait for it.
	Services []string
	// Timeout of the task, and of the wait for one that runs already.
	Timeout time.Duration
	// LogsElsewhere says which of its output is not in its log group; empty where all is.
	LogsElsewhere string
	// Say passes on what people are to see.
	Say func(text string) error
}

// Announce says what an update will do.
func (r *Run) Announce() error { return r.Say("runs before the deployment of " + r.deployed()) }

// ToEnd runs a task, unless one that ran for the same has succeeded. Its error says what to do.
func (r *Run) ToEnd(ctx context.Context, task taskrun.Task) error {
	// The engine interrupts the program when the update is cancelled, and kills it five seconds later.
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	earlier, err := r.awaitOthers(ctx, task)
	if err != nil {
		return fmt.Errorf("%s%w", r.Key, err)
	}
	if earlier != "" {
		return r.Say(fmt.Sprintf("is not run again: the task %s, which an earlier update has started for the same "+
			"revisions, has ended with exit code 0", earlier))
	}
	clients, err := r.Account.Clients(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", r.Key, err)
	}
	return r.runToEnd(ctx, taskrun.New(clients), task)
}

// startedByPrefix begins what ECS keeps of who has started such a task.
const startedByPrefix = "slipway/before/"

// Task is the task as it is run for revisions by service, which tell it from runs for others.
func (r *Run) Task(revisions map[string]string, task taskrun.Task) taskrun.Task {
	task.StartedBy = startedByPrefix + trigger(revisions) + "/" + familyOf(task.TaskDefinition)
	task.Timeout = r.Timeout
	return task
}

// trigger is a digest of revisions by service: short, and the same for the same revisions, as fmt prints maps in the
// order of their keys.
func trigger(revisions map[string]string) string {
	return fmt.Sprintf("%.4x", sha256.Sum256(fmt.Append(nil, revisions)))
}

// familyOf is the family of the revision that an ARN names.
func familyOf(arn string) string {
	family, _, _ := strings.Cut(path.Base(arn), ":")
	return family
}

// runToEnd runs the task, and says what it writes.
func (r *Run) runToEnd(ctx context.Context, runner *taskrun.Runner, task taskrun.Task) error {
	var last []string
	var started string // the task's ARN
	watcher := taskrun.Watcher{
		Started: func(arn string) {
			started = arn
			_ = r.Say(fmt.Sprintf("%s runs as the task %s", path.Base(task.TaskDefinition), path.Base(arn)))
		},
		Line: func(container, text string) {
			if container != task.Container {
				text = container + ": " + text
			}
			_ = r.Say(text)
			last = append(last, taskrun.ShortLine(text))
			last = last[max(0, len(last)-taskrun.ErrorLines):]
		},
		Waiting: func(running time.Duration) { _ = r.Say(task.StillRunning(running, r.Key+".timeout", started)) },
		Stopping: func(why error) {
			_ = r.Say(fmt.Sprintf("ECS is asked to stop the task: %s", interruption(why)))
		},
	}
	var refused time.Time // for the first time
	for wait := 2 * time.Second; ; wait = min(wait*2, 15*time.Second) {
		result, err := runner.Run(ctx, task, watcher)
		switch {
		case err == nil && result.Succeeded():
			if result.LogErr != nil {
				_ = r.Say(result.LogErr.Error())
			}
			return r.Say(fmt.Sprintf("the task %s has ended with exit code 0", result.TaskID()))
		case err == nil || !refusedByIAM(err) || !refused.IsZero() && time.Since(refused) > iamLimit:
			return r.failure(task, result, err, last)
		case refused.IsZero():
			refused = time.Now()
		}
		_ = r.Say("was not started, as IAM may not know its roles everywhere yet: again")
		if err := smithytime.SleepWithContext(ctx, wait); err != nil {
			return r.failure(task, result, err, last)
		}
	}
}

// interruption says why a task is stopped.
func interruption(why error) string {
	if errors.Is(why, context.Canceled) {
		return "the update was interrupted"
	}
	return why.Error()
}

// refusedByIAM tells the error of a task of which nothing has run, as ECS could not assume one of its roles or its own
// one, or was not allowed with it what starting a task takes.
func refusedByIAM(err error) bool {
	text := err.Error()
	return strings.Contains(text, "unable to assume the role") ||
		// ECS's own, which an account's first cluster has just made.
		strings.Contains(text, "Unable to assume the service linked role") ||
		strings.Contains(text, "ResourceInitializationError") && strings.Contains(text, "not authorized")
}

// failure says how the task ended, what it wrote last, and what to do.
func (r *Run) failure(task taskrun.Task, result taskrun.Result, err error, last []string) error {
	var text strings.Builder
	late := errors.As(err, new(*taskrun.TimeoutError))
	if late {
		fmt.Fprintf(&text, "%s.timeout: %s ", r.Key, path.Base(task.TaskDefinition))
	} else {
		fmt.Fprintf(&text, "%s: %s ", r.Key, path.Base(task.TaskDefinition))
	}
	switch {
	case errors.Is(err, context.Canceled):
		fmt.Fprintf(&text, "was interrupted: %s", err)
	case err != nil:
		fmt.Fprintf(&text, "failed: %s", err)
	default:
		fmt.Fprintf(&text, "failed: %s", result.Why())
	}
	fmt.Fprintf(&text, "\n  Not deployed by this update: %s", r.deployed())
	if len(last) > 0 {
		text.WriteString("\n  The last lines of the task:")
		for _, line := range last {
			fmt.Fprintf(&text, "\n    %s", line)
		}
	}
	if result.LogErr != nil {
		fmt.Fprintf(&text, "\n  What it wrote could not be shown: %s", result.LogErr)
	}
	fmt.Fprintf(&text, "\n  The containers' output is in the log group %s", task.LogGroup)
	if r.LogsElsewhere != "" {
		fmt.Fprintf(&text, "; %s", r.LogsElsewhere)
	}
	if late {
		fmt.Fprintf(&text, "\n  Where it needs longer, write a longer %s.timeout (seconds)", r.Key)
	}
	fmt.Fprintf(&text, "\n  Fix the cause and run `pulumi up`: that runs the task again. To deploy without it, as on "+
		"the way back to an earlier version, remove %s.before", r.Key)
	return errors.New(text.String())
}

// deployed names the services that wait.
func (r *Run) deployed() string {
	names := slices.Clone(r.Services)
	slices.Sort(names)
	for i, name := range names {
		names[i] = "services." + name
	}
	return strings.Join(names, ", ")
}
