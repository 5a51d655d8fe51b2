package taskrun

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	smithytime "github.com/aws/smithy-go/time"

	"slipway/internal/awsclient"
)

// logReader reads the logs of a task's containers beside whoever watches the task, which a log that does not answer
// must not delay.
type logReader struct {
	logs   []*Log // of each container
	looks  chan logLook
	over   chan struct{} // closed once the task has ended
	timing timing
	lines  []readLine // by one look
}

// logLook is what one look at the logs has found. The task runs all the same where it failed.
type logLook struct {
	began time.Time
	lines []readLine
	err   error
}

type readLine struct {
	at              int64 // milliseconds since 1970
	container, text string
}

// readLogs begins to read what the containers of the task write.
func (r *run) readLogs(task types.Task) {
	if r.logs != nil || r.task.LogGroup == "" || r.watcher.Line == nil || len(task.Containers) == 0 {
		return
	}
	r.logs = &logReader{looks: make(chan logLook), over: make(chan struct{}), timing: r.timing}
	for _, container := range task.Containers {
		r.logs.add(r, aws.ToString(container.Name))
	}
	go r.logs.read(r.reading)
}

// add adds the log of a container.
func (l *logReader) add(r *run, container string) {
	l.logs = append(l.logs, &Log{
		Logs: r.runner.Logs, Group: r.task.LogGroup, Stream: Stream(container, r.id()),
		From: r.began.Add(-lateness), // by the task's own clock
		Print: func(event logtypes.FilteredLogEvent) error {
			l.lines = append(l.lines, readLine{aws.ToInt64(event.Timestamp), container, Line(aws.ToString(event.Message))})
			return nil
		},
	})
}

// read looks at the logs until the context ends, or they may not be read.
func (l *logReader) read(ctx context.Context) {
	for wait := l.timing.firstPoll; ; wait = min(wait*3/2, l.timing.lastPoll) {
		look := l.look(ctx)
		select {
		case l.looks <- look:
		case <-ctx.Done():
			return
		}
		if awsclient.Definite(look.err) {
			return
		}
		select {
		case <-time.After(wait):
		case <-l.over: // from now on, somebody waits for it
			if smithytime.SleepWithContext(ctx, l.timing.quiet/3) != nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// look finds what was written since the last look, in the order of its times.
func (l *logReader) look(ctx context.Context) logLook {
	look := logLook{began: time.Now()}
	for _, log := range l.logs {
		if look.err = log.Look(ctx); look.err != nil {
			look.err = fmt.Errorf("reading the log group %s: %w", log.Group, look.err)
			break
		}
	}
	look.lines, l.lines = l.lines, nil
	slices.SortStableFunc(look.lines, func(a, b readLine) int { return cmp.Compare(a.at, b.at) })
	return look
}

// logLooks are the looks at the logs; none come where none are read.
func (r *run) logLooks() <-chan logLook {
	if r.logs == nil {
		return nil
	}
	return r.logs.looks
}

// pass passes on what a look has found.
func (r *run) pass(look logLook) {
	r.logErr = look.err
	for _, line := range look.lines {
		r.watcher.Line(line.container, line.text)
	}
}

// drainLogs reads on after the task's end until nothing comes any more. A log that failed is not waited for, and one
// that does not answer not for long.
func (r *run) drainLogs(ctx context.Context) {
	if r.logs == nil || awsclient.Definite(r.logErr) {
		return
	}
	close(r.logs.over)
	ended := time.Now()
	heard, answered := ended, ended // a line, and a look
	for {
		patience := r.timing.unanswered
		if r.logErr != nil {
			patience = r.timing.quiet
		}
		wait := min(time.Until(answered.Add(patience)), time.Until(ended.Add(r.timing.latest)))
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
			if r.logErr == nil && time.Since(answered) >= patience {
				r.logErr = fmt.Errorf("reading the log group %s: it has not answered since the task has ended", r.task.LogGroup)
			}
			return
		case look := <-r.logs.looks:
			r.pass(look)
			switch {
			case awsclient.Definite(look.err):
				return
			case look.err != nil: // and so nothing is known
			case len(look.lines) > 0:
				heard, answered = time.Now(), time.Now()
			case look.began.After(heard.Add(r.timing.quiet)):
				return
			default:
				answered = time.Now()
			}
		}
	}
}
