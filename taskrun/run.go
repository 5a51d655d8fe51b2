package taskrun

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// pace is how long things may take.
type pace struct {
	// first and last bound the time between two looks: short at first, for a task that ends at once.
	first, last time.Duration
	// quiet is how long no line must have come after the task's end, as CloudWatch is some seconds behind, and latest how
	// long that may go on.
	quiet, latest time.Duration
	// start bounds the call that starts the task, and stop what a task may take that is stopped: at most 120 seconds for its
	// containers, and some for what Fargate does about it.
	start, stop time.Duration
	// unseen is for how long ECS may not know the task that it has just started.
	unseen time.Duration
}

var usualPace = pace{
	first: 250 * time.Millisecond, last: 3 * time.Second,
	quiet: 3 * time.Second, latest: time.Minute,
	start: 2 * time.Minute, stop: 4 * time.Minute,
	unseen: time.Minute,
}

// Watcher is told of a task that runs. Its functions may be nil, and are called one at a time.
type Watcher struct {
	// Started is called once ECS has the task.
	Started func(taskARN string)
	// Line is called with each line that a container wrote.
	Line func(container, text string)
	// Stopping is called when the context has ended and ECS was asked to stop the task.
	Stopping func()
}

// Run runs a task to its end and tells how it ended, with whatever exit code. An error means that it was not started, or
// was stopped before its end; the result says what is known of it. When the context ends, Run has ECS stop the task, waits
// for its end, and returns the context's error.
func (r *Runner) Run(ctx context.Context, task Task, watcher Watcher) (Result, error) {
	if ctx.Err() != nil {
		return Result{}, ctx.Err()
	}
	pace := cmp.Or(r.pace, usualPace)
	// Not to be cut short: a task of which nobody knows would run on.
	starting, cancel := context.WithTimeout(context.WithoutCancel(ctx), pace.start)
	defer cancel()
	arn, err := r.Start(starting, task)
	if err != nil {
		return Result{}, err
	}
	if watcher.Started != nil {
		watcher.Started(arn)
	}
	run := &run{runner: r, pace: pace, task: task, watcher: watcher, arn: arn, began: time.Now()}
	result, err := run.follow(ctx)
	if ctx.Err() != nil && !run.over {
		return run.stop(ctx)
	}
	return result, err
}

// run is a task that was started.
type run struct {
	runner  *Runner
	pace    pace
	task    Task
	watcher Watcher
	arn     string
	began   time.Time

	over   bool       // ECS says that the task has stopped
	logs   []*Log     // of each container, once they are known
	read   []readLine // by one look
	logErr error      // the first one, after which no log is read
}

type readLine struct {
	at              int64 // milliseconds since 1970
	container, text string
}

// follow looks at the task and its log until the task has ended and its log was read.
func (r *run) follow(ctx context.Context) (Result, error) {
	seen := time.Now()
	for wait := r.pace.first; ; wait = min(wait*3/2, r.pace.last) {
		task, err := r.describe(ctx)
		if err != nil {
			return Result{TaskARN: r.arn}, fmt.Errorf("reading the task %s from ECS, where it may still run: %w", r.id(), err)
		}
		switch {
		case task != nil:
			seen = time.Now()
		case time.Since(seen) > r.pace.unseen: // right after the start, ECS may not know it yet
			return Result{TaskARN: r.arn}, fmt.Errorf("ECS does not know the task %s that it has started", r.id())
		}
		if task != nil {
			r.over = aws.ToString(task.LastStatus) == "STOPPED"
			r.readLogs(ctx, *task)
			if r.over {
				r.drainLogs(ctx, *task)
				return r.ended(*task)
			}
		}
		if err := sleep(ctx, wait); err != nil {
			return Result{TaskARN: r.arn}, err
		}
	}
}

// describe returns the task; nil where ECS does not know it.
func (r *run) describe(ctx context.Context) (*types.Task, error) {
	answer, err := r.runner.ECS.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: &r.task.Cluster, Tasks: []string{r.arn}})
	if err != nil {
		return nil, err
	}
	for _, failure := range answer.Failures {
		if aws.ToString(failure.Reason) != "MISSING" {
			return nil, errors.New(failureText(failure))
		}
	}
	if len(answer.Tasks) == 0 {
		return nil, nil
	}
	return &answer.Tasks[0], nil
}

// ended is the result of a task that has stopped.
func (r *run) ended(task types.Task) (Result, error) {
	result := resultOf(task, r.task.Container)
	result.LogErr = r.logErr
	switch {
	case result.ExitCode == nil:
		return result, fmt.Errorf("the container %s of the task %s was not started: %s", r.task.Container, r.id(), result.Why())
	case result.stoppedFromOutside():
		return result, fmt.Errorf("the task %s was stopped before its end: %s", r.id(), result.Why())
	}
	return result, nil
}

// stop has ECS stop the task, and waits for its end.
func (r *run) stop(ctx context.Context) (Result, error) {
	why := ctx.Err()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.pace.stop)
	defer cancel()
	_, err := r.runner.ECS.StopTask(ctx, &ecs.StopTaskInput{
		Cluster: &r.task.Cluster, Task: &r.arn, Reason: aws.String("slipway, which waited for its end, was interrupted"),
	})
	if err != nil {
		return Result{TaskARN: r.arn}, fmt.Errorf("ECS did not stop the task %s, which may still run: %w (%w)", r.id(), err, why)
	}
	if r.watcher.Stopping != nil {
		r.watcher.Stopping()
	}
	result, err := r.follow(ctx)
	switch {
	case r.over:
		return result, fmt.Errorf("the task %s was stopped: %w", r.id(), why)
	case ctx.Err() != nil:
		return result, fmt.Errorf("ECS was asked to stop the task %s, and has not within %s: %w", r.id(), r.pace.stop, why)
	}
	return result, fmt.Errorf("ECS was asked to stop the task %s: %w (%w)", r.id(), err, why)
}

// readLogs passes on what the containers wrote since the last look, and tells whether that was anything. Where the log
// cannot be read, the task runs all the same.
func (r *run) readLogs(ctx context.Context, task types.Task) bool {
	if r.task.LogGroup == "" || r.watcher.Line == nil {
		return false
	}
	if len(r.logs) == 0 {
		for _, container := range task.Containers {
			r.logs = append(r.logs, r.log(aws.ToString(container.Name)))
		}
	}
	for _, log := range r.logs {
		if r.logErr != nil {
			break
		}
		if err := log.Look(ctx); err != nil && ctx.Err() == nil {
			r.logErr = fmt.Errorf("reading the log group %s: %w", r.task.LogGroup, err)
		}
	}
	read := r.read
	r.read = nil
	slices.SortStableFunc(read, func(a, b readLine) int { return cmp.Compare(a.at, b.at) })
	for _, line := range read {
		r.watcher.Line(line.container, line.text)
	}
	return len(read) > 0
}

// log is that of one container.
func (r *run) log(container string) *Log {
	return &Log{
		Logs: r.runner.Logs, Group: r.task.LogGroup, Stream: Stream(container, r.id()),
		From: r.began.Add(-lateness), // by the task's own clock
		Print: func(event logtypes.FilteredLogEvent) error {
			r.read = append(r.read, readLine{aws.ToInt64(event.Timestamp), container, Line(aws.ToString(event.Message))})
			return nil
		},
	}
}

// drainLogs reads on after the task's end until nothing comes any more.
func (r *run) drainLogs(ctx context.Context, task types.Task) {
	if len(r.logs) == 0 {
		return
	}
	ended := time.Now()
	for heard := ended; time.Since(heard) < r.pace.quiet && time.Since(ended) < r.pace.latest && r.logErr == nil; {
		if sleep(ctx, r.pace.quiet/3) != nil {
			return
		}
		if r.readLogs(ctx, task) {
			heard = time.Now()
		}
	}
}

// id is the last part of the task's ARN.
func (r *run) id() string { return path.Base(r.arn) }

func sleep(ctx context.Context, wait time.Duration) error {
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
