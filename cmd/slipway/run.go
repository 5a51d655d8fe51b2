package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/user"
	"path"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/internal/taskrun"
	"slipway/stage"
)

func runCommand(directory *string) *cobra.Command {
	var detach, asJSON bool
	var timeout time.Duration
	command := &cobra.Command{
		Use:   "run STAGE TASK [-- COMMAND…]",
		Short: "Run a task once, and show what it writes",
		Long: `Run a task of a stage once, as the last update deployed it, and show what it writes until it ends. A COMMAND takes the
place of its main container's.

What the main container writes goes to standard output as it is; lines of other containers begin with their names. Ctrl-C
stops the task; a second one leaves that to ECS. A task that runs longer than its timeout is stopped, too: that of --timeout, or
else the one in the stage file. With --detach nobody stays, and so nothing stops it.

Exit status: that of the task's main container, or 2 where the task was not started, was stopped by somebody else, or could
not be watched, or 130 after Ctrl-C. With --detach 0 as soon as ECS has the task.`,
		Example: `  slipway run dev migrate
  slipway run release migrate -- migrate -down 1
  slipway run release report --json 2>report.log | jq .exitCode
  aws ecs wait tasks-stopped --cluster shop-dev --tasks "$(slipway run dev report --detach)"`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch dash := cmd.ArgsLenAtDash(); {
			case len(args) < 2 || dash == 0 || dash == 1:
				return errors.New("run takes a stage and a task: slipway run STAGE TASK [-- COMMAND…]")
			case len(args) > 2 && dash != 2:
				return fmt.Errorf("write -- before a command that the task is to run: slipway run %s %s -- %s …", args[0], args[1],
					args[2])
			case len(args) == 2 && dash == 2:
				return errors.New("there is no command after --: write one, or leave the -- out")
			case detach && cmd.Flags().Changed("timeout"):
				return errors.New("--timeout cannot be combined with --detach, as nobody stays to stop the task: leave out one " +
					"of the two " +
					"(`timeout 30m slipway run …` in the background limits it, too)")
			}
			return stagefile.CheckNames(args[:1])
		},
		ValidArgsFunction: completeNames(directory, (*stagefile.Project).Tasks),
		RunE: func(cmd *cobra.Command, args []string) error {
			project, err := stagefile.Find(*directory)
			if err != nil {
				return err
			}
			report := console.NewReport(cmd)
			done := report.Progress("Reading how %s was deployed in %s", args[1], args[0])
			runner, task, err := prepareRun(cmd.Context(), pulumicli.New(project.Directory), project, args[0], args[1])
			done()
			if err != nil {
				return err
			}
			if len(args) > 2 {
				task.Command = args[2:]
			}
			limit := stage.Path("tasks", args[1], "timeout")
			if cmd.Flags().Changed("timeout") {
				task.Timeout, limit = timeout, "--timeout"
			}
			if detach {
				return startTask(cmd.Context(), report, runner, task, asJSON)
			}
			return runTask(cmd.Context(), report, runner, task, limit, asJSON)
		},
	}
	command.Flags().BoolVarP(&detach, "detach", "d", false,
		"print the task's ARN as soon as ECS has it, and do not wait for its end")
	command.Flags().DurationVar(&timeout, "timeout", 0, "stop the task after this `duration`, such as 30m; 0 for no limit")
	command.Flags().BoolVar(&asJSON, "json", false,
		"print how the task ended as JSON, and what it writes to standard error")
	return command
}

// prepareRun reads what running a task takes.
func prepareRun(ctx context.Context, pulumi pulumicli.CLI, project *stagefile.Project, stack,
	name string) (*taskrun.Runner,
	taskrun.Task, error) {
	config, secretKeys, err := pulumicli.ReadConfig(ctx, pulumi, project, stack)
	if err != nil {
		return nil, taskrun.Task{}, err
	}
	outputs, err := pulumicli.ReadOutputs(ctx, pulumi, stack)
	if err != nil {
		return nil, taskrun.Task{}, err
	}
	deployed, there := outputs.Tasks[name]
	if !there {
		return nil, taskrun.Task{}, noTask(project, stack, name, config, secretKeys, outputs)
	}
	cfg, settings, _, err := awsreader.Configure(ctx, stack, config)
	if err != nil {
		return nil, taskrun.Task{}, err
	}
	var timeout time.Duration
	// a mistake in the file is no reason not to run
	if declared, err := stagefile.Load(project, stack, config, secretKeys); err == nil {
		timeout = declared.Tasks[name].TimeLimit()
	}
	return taskrun.New(cfg, settings.Endpoint), taskrun.Task{
		Cluster: deployed.Cluster, TaskDefinition: deployed.TaskDefinition, Container: deployed.Container,
		LogGroup: deployed.LogGroup,
		Subnets:  deployed.Subnets, SecurityGroups: deployed.SecurityGroups, AssignPublicIP: deployed.AssignPublicIP,
		StartedBy: "slipway-run/" + userName(), Timeout: timeout,
	}, nil
}

// noTask says why a task cannot be run that the last update has not deployed.
func noTask(project *stagefile.Project, stack, name string, config map[string]string, secretKeys []string,
	outputs *pulumicli.Outputs) error {
	settings, err := stagefile.Load(project, stack, config, secretKeys)
	if err != nil {
		return fmt.Errorf("%s was not deployed to %s as a task, and slipway cannot tell whether the stage file declares it:\n%w",
			name, stack, err)
	}
	if _, declared := settings.Tasks[name]; declared {
		return fmt.Errorf("tasks.%s of %s is not deployed yet: run `pulumi up --stack %[2]s`", name, stack)
	}
	tasks := map[string]bool{}
	for task := range settings.Tasks {
		tasks[task] = true
	}
	for task := range outputs.Tasks {
		tasks[task] = true
	}
	if len(tasks) == 0 {
		return fmt.Errorf("%s has no tasks (its services: %s): declare tasks.%s in Pulumi.%s.yaml, as "+
			"docs/configuration.md has it, and run "+
			"`pulumi up --stack %[1]s`", stack, console.OrNone(slices.Sorted(maps.Keys(settings.Services))), name,
			stagefile.StageName(stack))
	}
	if _, service := settings.Services[name]; service {
		return fmt.Errorf("%s of %s is a service, which ECS keeps running: name one of its tasks: %s", name, stack,
			console.OrNone(slices.Sorted(maps.Keys(tasks))))
	}
	return fmt.Errorf("%s has no task %q: name one of its tasks: %s", stack, name,
		console.OrNone(slices.Sorted(maps.Keys(tasks))))
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

// startTask starts a task and prints its ARN.
func startTask(ctx context.Context, report *console.Report, runner *taskrun.Runner, task taskrun.Task,
	asJSON bool) error {
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

// runTask runs a task to its end, with its output. limit is what sets its timeout, as the user wrote it.
func runTask(ctx context.Context, report *console.Report, runner *taskrun.Runner, task taskrun.Task, limit string,
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
			printLine(output, task.Container, container, text)
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

// printLine prints a line of the main container as it is, and those of others with their names.
func printLine(w io.Writer, main, container, text string) {
	if container != main {
		text = container + ": " + text
	}
	fmt.Fprintln(w, text)
}
