package taskrun

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"
	smithytime "github.com/aws/smithy-go/time"

	"slipway/internal/awsclient"
)

// timing is how long things may take.
type timing struct {
	// firstPoll and lastPoll bound the time between two looks: short at first, for a task that ends at once.
	firstPoll, lastPoll time.Duration
	// quiet is how long no line must have come after the task's end, as CloudWatch is some seconds behind, and latest how
	// long that may go on. unanswered is how long after the end a log is waited for that does not answer.
	quiet, latest, unanswered time.Duration
	// start bounds the call that starts the task, and stop what a task may take that is stopped: at most 120 seconds for
	// its containers, and some for what Fargate does about it.
	start, stop time.Duration
	// notFoundTimeout is for how long ECS may not know the task that it has just started, and unread for how long it may
	// not answer.
	notFoundTimeout, unread time.Duration
	// waiting is the time between two words of a task that runs.
	waiting time.Duration
}

var usualTiming = timing{
	firstPoll: awsclient.FirstPoll, lastPoll: awsclient.LastPoll,
	quiet: 3 * time.Second, latest: time.Minute, unanswered: 10 * time.Second,
	start: 2 * time.Minute, stop: 4 * time.Minute,
	notFoundTimeout: time.Minute, unread: awsclient.UnreadLimit,
	waiting: time.Minute,
}

// Watcher gets what becomes of a task that runs. Its functions may be nil, and are called one at a time.
type Watcher struct {
	// Started is called once ECS has the task.
	Started func(taskARN string)
	// Line is called with each line that a container wrote.
	Line func(container, text string)
	// Waiting is called every minute with how long the task has been running.
	Waiting func(time.Duration)
	// Stopping is called when ECS is about to be asked to stop the task, with why: the context's error, or a
	// *TimeoutError.
	Stopping func(why error)
}

// TimeoutError is why a task was stopped that ran longer than its Timeout.
type TimeoutError struct{ Limit time.Duration }

func (e *TimeoutError) Error() string { return fmt.Sprintf("it ran longer than %s", Short(e.Limit)) }

// Short is a duration as people write it: 1h, and not 1h0m0s.
func Short(d time.Duration) string {
	text := d.Round(time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// Run runs a task to its end and tells how it ended, with whatever exit code. An error means that it was not started,
// or was stopped before its end; the result says what is known of it. When the context ends, Run has ECS stop the task,
// waits for its end, and returns the context's error; and likewise a *TimeoutError when the task's Timeout is over.
func (r *Runner) Run(ctx context.Context, task Task, watcher Watcher) (Result, error) {
	if ctx.Err() != nil {
		return Result{}, ctx.Err()
	}
	timing := cmp.Or(r.timing, usualTiming)
	// Not to be cut short: a task of which nobody knows would run on.
	starting, cancel := context.WithTimeout(context.WithoutCancel(ctx), timing.start)
	defer cancel()
	arn, err := r.Start(starting, task)
	if err != nil {
		return Result{}, err
	}
	if watcher.Started != nil {
		watcher.Started(arn)
	}
	run := &run{runner: r, timing: timing, task: task, watcher: watcher, arn: arn, began: time.Now()}
	reading, cancel := context.WithCancel(context.WithoutCancel(ctx)) // while it is stopped, too
	defer cancel()
	run.reading = reading
	if task.Timeout > 0 {
		ctx, cancel = context.WithTimeoutCause(ctx, task.Timeout, &TimeoutError{task.Timeout})
		defer cancel()
	}
	result, err := run.follow(ctx)
	if ctx.Err() != nil && !run.over {
		return run.stop(ctx)
	}
	return result, err
}

// run is a task that was started.
type run struct {
	runner  *Runner
	timing  timing
	task    Task
	watcher Watcher
	arn     string
	began   time.Time

	over    bool            // ECS says that the task has stopped
	reading context.Context // its logs
	logs    *logReader      // once the containers are known; nil where no log is read
	logErr  error           // of the latest look at them
}

// look is one look at the task, which is nil where ECS does not know it.
type look struct {
	task *types.Task
	err  error
}

// follow looks at the task and its log until the task has ended and its log was read. Neither waits for the other, nor
// for what the network does.
func (r *run) follow(ctx context.Context) (Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	looks := make(chan look)
	go r.look(ctx, looks)
	waiting := time.NewTicker(r.timing.waiting)
	defer waiting.Stop()
	reads := awsclient.Reads{Limit: r.timing.unread}
	seen := time.Now()
	for {
		select {
		case <-ctx.Done():
			return Result{TaskARN: r.arn}, ctx.Err()
		case <-waiting.C:
			if r.watcher.Waiting != nil {
				r.watcher.Waiting(time.Since(r.began))
			}
		case read := <-r.logLooks():
			r.pass(read)
		case look := <-looks:
			if ctx.Err() != nil {
				return Result{TaskARN: r.arn}, ctx.Err()
			}
			if err := reads.After(look.err); err != nil {
				return Result{TaskARN: r.arn}, fmt.Errorf("reading the task %s from ECS, where it may still run: %w", r.id(), err)
			}
			switch {
			case look.task != nil:
				seen = time.Now()
				r.readLogs(*look.task)
				if r.over = aws.ToString(look.task.LastStatus) == "STOPPED"; r.over {
					r.drainLogs(ctx)
					return r.ended(*look.task)
				}
			case look.err != nil: // nothing is known
			case time.Since(seen) > r.timing.notFoundTimeout: // right after the start, ECS may not know it yet
				return Result{TaskARN: r.arn}, fmt.Errorf("ECS does not know the task %s that it has started", r.id())
			}
		}
	}
}

// look looks at the task until the context ends.
func (r *run) look(ctx context.Context, looks chan<- look) {
	for wait := r.timing.firstPoll; ; wait = min(wait*3/2, r.timing.lastPoll) {
		task, err := r.describe(ctx)
		select {
		case looks <- look{task, err}:
		case <-ctx.Done():
			return
		}
		if smithytime.SleepWithContext(ctx, wait) != nil {
			return
		}
	}
}

// describe returns the task; nil where ECS does not know it.
func (r *run) describe(ctx context.Context) (*types.Task, error) {
	answer, err := r.runner.ECS.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: &r.task.Cluster,
		Tasks: []string{r.arn}})
	if err != nil {
		return nil, err
	}
	for _, failure := range answer.Failures {
		if aws.ToString(failure.Reason) != "MISSING" {
			return nil, &smithy.GenericAPIError{Code: aws.ToString(failure.Reason), Message: failureText(failure)}
		}
		return nil, nil
	}
	if len(answer.Tasks) == 0 {
		return nil, errors.New("the answer does not name it") // but was cut off, or is none of ECS
	}
	return &answer.Tasks[0], nil
}

// ended is the result of a task that has stopped.
func (r *run) ended(task types.Task) (Result, error) {
	result := resultOf(task, r.task.Container)
	result.LogErr = r.logErr
	switch {
	case result.ExitCode == nil:
		return result, fmt.Errorf("the container %s of the task %s was not started: %s", r.task.Container, r.id(),
			result.Why())
	case result.stoppedFromOutside():
		return result, fmt.Errorf("the task %s was stopped before its end: %s", r.id(), result.Why())
	}
	return result, nil
}

// stop has ECS stop the task, and waits for its end.
func (r *run) stop(ctx context.Context) (Result, error) {
	why := context.Cause(ctx)
	if r.watcher.Stopping != nil {
		r.watcher.Stopping(why)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.timing.stop)
	defer cancel()
	if err := r.askToStop(ctx, why); err != nil {
		return Result{TaskARN: r.arn},
			fmt.Errorf("ECS did not stop the task %s, which may still run; `aws ecs stop-task --cluster %s --task %[1]s` "+
				"stops it: "+
				"%[3]w (%[4]w)", r.id(), path.Base(r.task.Cluster), err, why)
	}
	result, err := r.follow(ctx)
	switch {
	case r.over:
		return result, fmt.Errorf("the task %s was stopped: %w", r.id(), why)
	case ctx.Err() != nil:
		return result, fmt.Errorf("ECS was asked to stop the task %s, and has not within %s: %w", r.id(), r.timing.stop, why)
	}
	return result, fmt.Errorf("ECS was asked to stop the task %s: %w (%w)", r.id(), err, why)
}

// askToStop asks ECS until it answers.
func (r *run) askToStop(ctx context.Context, why error) error {
	reason := "slipway, which waited for its end, was interrupted"
	if late := (*TimeoutError)(nil); errors.As(why, &late) {
		reason = "slipway stops it: " + late.Error()
	}
	for {
		_, err := r.runner.ECS.StopTask(ctx, &ecs.StopTaskInput{Cluster: &r.task.Cluster, Task: &r.arn, Reason: &reason})
		if err == nil || awsclient.Definite(err) || smithytime.SleepWithContext(ctx, r.timing.lastPoll) != nil {
			return err
		}
	}
}

// id is the last part of the task's ARN.
func (r *run) id() string { return path.Base(r.arn) }
