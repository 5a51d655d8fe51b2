// Package oneoff runs a task of a stage once.
package oneoff

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os/user"
	"path"
	"slices"
	"time"

	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/snapshot"
	"slipway/internal/taskrun"
)

// Prepare is the task as the last update deployed it.
func Prepare(of *snapshot.Stage, name string) (taskrun.Task, error) {
	deployed, there := of.Outputs.Tasks[name]
	if !there {
		return taskrun.Task{}, noTask(of, name)
	}
	var timeout time.Duration
	if declared, err := of.Declared(); err == nil { // a mistake in the file is no reason not to run
		timeout = declared.Tasks[name].TimeLimit()
	}
	return taskrun.Task{
		Cluster: deployed.Cluster, TaskDefinition: deployed.TaskDefinition, Container: deployed.Container,
		LogGroup: deployed.LogGroup, Subnets: deployed.Subnets, SecurityGroups: deployed.SecurityGroups,
		AssignPublicIP: deployed.AssignPublicIP, StartedBy: "slipway-run/" + userName(), Timeout: timeout,
	}, nil
}

// noTask says why a task cannot be run that the last update has not deployed.
func noTask(of *snapshot.Stage, name string) error {
	stack := of.Stack
	settings, err := of.Declared()
	if err != nil {
		return fmt.Errorf("%s was not deployed to %s as a task, and slipway cannot tell whether the stage file declares it:\n%w",
			name, stack, err)
	}
	if _, declared := settings.Tasks[name]; declared {
		return fmt.Errorf("tasks.%s of %s is not deployed yet: run `pulumi up --stack %[2]s`", name, stack)
	}
	tasks := slices.Collect(maps.Keys(settings.Tasks))
	tasks = slices.Compact(slices.Sorted(slices.Values(slices.AppendSeq(tasks, maps.Keys(of.Outputs.Tasks)))))
	if len(tasks) == 0 {
		return fmt.Errorf("%s has no tasks (its services: %s): declare tasks.%s in Pulumi.%s.yaml, as "+
			"docs/configuration.md has it, and run `pulumi up --stack %[1]s`", stack,
			console.OrNone(slices.Sorted(maps.Keys(settings.Services))), name, of.Name())
	}
	if _, service := settings.Services[name]; service {
		return fmt.Errorf("%s of %s is a service, which ECS keeps running: name one of its tasks: %s", name, stack,
			console.OrNone(tasks))
	}
	return fmt.Errorf("%s has no task %q: name one of its tasks: %s", stack, name, console.OrNone(tasks))
}

// userName is who starts a task, for whoever wonders later in ECS.
func userName() string {
	if current, err := user.Current(); err == nil {
		return path.Base(current.Username)
	}
	return "unknown"
}

// startedTask is a task that nobody waits for, as --json prints it.
type startedTask struct {
	Task           string `json:"task"`
	TaskDefinition string `json:"taskDefinition"`
}

// Start starts a task and prints its ARN.
func Start(ctx context.Context, report *console.Report, runner *taskrun.Runner, task taskrun.Task, asJSON bool) error {
	arn, err := runner.Start(ctx, task)
	if err != nil {
		return err
	}
	if asJSON {
		return report.JSON(startedTask{arn, task.TaskDefinition})
	}
	report.Printf("%s\n", arn)
	return nil
}

// Run runs a task to its end, with its output. limit is what sets its timeout, as the user wrote it.
func Run(ctx context.Context, report *console.Report, runner *taskrun.Runner, task taskrun.Task, limit string,
	asJSON bool) error {
	output := report.Out
	if asJSON {
		output = report.Err
	}
	name := path.Base(task.TaskDefinition)
	done := report.Progress("Starting a task of %s", name)
	var started string // its ARN
	result, err := runner.Run(ctx, task, taskrun.Watcher{
		Started: func(arn string) {
			started = arn
			done()
			done = report.Progress("Task %s runs %s", path.Base(arn), name)
		},
		Line: func(container, text string) {
			done()
			fmt.Fprintln(output, console.Line(task.Container, container, text))
		},
		Waiting: func(running time.Duration) {
			done()
			fmt.Fprintf(report.Err, "Task %s %s\n", name, task.StillRunning(running, limit, started))
		},
		Stopping: func(why error) {
			done()
			if late := (*taskrun.TimeoutError)(nil); errors.As(why, &late) {
				fmt.Fprintf(report.Err, "Stopping the task: %v.\n", late)
				return
			}
			fmt.Fprintln(report.Err, "Stopping the task. Ctrl-C again leaves that to ECS.")
		},
	})
	done()
	if result.LogErr != nil {
		fmt.Fprintf(report.Err, "What the task wrote is not shown to its end: %v\n", result.LogErr)
	}
	if asJSON && result.TaskARN != "" {
		if err := report.JSON(result); err != nil {
			return err
		}
	}
	switch {
	case ctx.Err() != nil && err != nil:
		return exit.WithStatus(130, err)
	case err != nil:
		return err
	case *result.ExitCode != 0:
		return exit.WithStatus(*result.ExitCode, fmt.Errorf("the task %s failed: %s", result.TaskID(), result.Why()))
	}
	return nil
}
