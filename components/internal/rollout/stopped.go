package rollout

import (
	"context"
	"fmt"
	"path"
	"slices"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"slipway/internal/ecsread"
	"slipway/internal/taskrun"
)

const (
	// mostReasons keeps an error readable: where reasons name the task, each task has one of its own.
	mostReasons = 5
	// mostLogs is for how many of these reasons the error has what a container wrote last.
	mostLogs = 3
	// exitSIGKILL and exitSIGTERM are the exit codes of a container that a signal ended.
	exitSIGKILL, exitSIGTERM = 137, 143
	// logLimit is how long reading what the stopped tasks wrote may take: the verdict stands without.
	logLimit = 10 * time.Second
)

// stoppedReasons says why tasks of the target revision stopped, each reason once with its count, the most frequent
// first, and below it what such a task's container wrote last.
func (r *Rollout) stoppedReasons(ctx context.Context) []string {
	clients, err := r.reader.Clients(ctx)
	if err != nil {
		return nil
	}
	reasons := ecsread.StoppedByReason(ctx, clients.ECS, r.reader.Cluster, r.Service, r.TargetRevision)
	ctx, cancel := context.WithTimeout(ctx, logLimit)
	defer cancel()
	var lines []string
	for i, stopped := range reasons[:min(len(reasons), mostReasons)] {
		lines = append(lines, stopped.String())
		if i < mostLogs {
			lines = append(lines, r.lastLogLines(ctx, clients.Logs, stopped.Latest)...)
		}
	}
	if more := len(reasons) - mostReasons; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more reasons", more))
	}
	return lines
}

// lastLogLines are the last lines of the container that ended a task. They are left out where there are none, or none
// that may be read: the log group is named in any case.
func (r *Rollout) lastLogLines(ctx context.Context, logs taskrun.Logs, task types.Task) []string {
	id := path.Base(awssdk.ToString(task.TaskArn))
	for _, container := range firstExited(task) {
		written, err := taskrun.LastLines(ctx, logs, r.LogGroup, taskrun.Stream(container, id), taskrun.ErrorLines)
		if err != nil || len(written) == 0 {
			continue
		}
		lines := []string{fmt.Sprintf("  The last lines of the container %s of the task %s:", container, id)}
		for _, line := range written {
			lines = append(lines, "    "+taskrun.ShortLine(line))
		}
		return lines
	}
	return nil
}

// firstExited are a task's containers that were started, with the one that has most likely ended the task first: one
// that failed by itself, then one that was killed, as the others are when a task ends, then the rest.
func firstExited(task types.Task) (names []string) {
	const failed, killed, fine = 0, 1, 2
	kind := func(container types.Container) int {
		switch *container.ExitCode {
		case 0:
			return fine
		case exitSIGKILL, exitSIGTERM:
			return killed
		}
		return failed
	}
	ended := slices.DeleteFunc(slices.Clone(task.Containers), func(c types.Container) bool { return c.ExitCode == nil })
	slices.SortStableFunc(ended, func(a, b types.Container) int { return kind(a) - kind(b) })
	for _, container := range ended {
		names = append(names, awssdk.ToString(container.Name))
	}
	return names
}
