package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/oneoff"
	"slipway/cmd/slipway/internal/snapshot"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/internal/pulumiconfig"
	"slipway/internal/taskrun"
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
					"of the two (`timeout 30m slipway run …` in the background limits it, too)")
			}
			return stagefile.CheckNames(args[:1])
		},
		ValidArgsFunction: completeNames(directory, (*stagefile.Project).Tasks),
		RunE: func(cmd *cobra.Command, args []string) error {
			report, project, err := begin(cmd, *directory)
			if err != nil {
				return err
			}
			done := report.Progress("Reading how %s was deployed in %s", args[1], args[0])
			defer done()
			of, err := load(cmd, project, args[0], snapshot.Parts{Outputs: true})
			if err != nil {
				return err
			}
			task, err := oneoff.Prepare(of, args[1])
			if err != nil {
				return err
			}
			client, err := awsreader.Connect(cmd.Context(), of.Stack, of.Config)
			if err != nil {
				return err
			}
			done()
			runner := taskrun.New(client.Clients)
			if len(args) > 2 {
				task.Command = args[2:]
			}
			limit := pulumiconfig.Path("tasks", args[1], "timeout")
			if cmd.Flags().Changed("timeout") {
				task.Timeout, limit = timeout, "--timeout"
			}
			if detach {
				return oneoff.Start(cmd.Context(), report, runner, task, asJSON)
			}
			if elsewhere := of.LogsElsewhere(args[1]); elsewhere != "" {
				fmt.Fprintln(report.Err, elsewhere)
			}
			return oneoff.Run(cmd.Context(), report, runner, task, limit, asJSON)
		},
	}
	command.Flags().BoolVarP(&detach, "detach", "d", false,
		"print the task's ARN as soon as ECS has it, and do not wait for its end")
	command.Flags().DurationVar(&timeout, "timeout", 0, "stop the task after this `duration`, such as 30m; 0 for no limit")
	command.Flags().BoolVar(&asJSON, "json", false,
		"print how the task ended as JSON, and what it writes to standard error")
	return command
}
