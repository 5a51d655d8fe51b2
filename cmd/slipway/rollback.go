package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/rollback"
	"slipway/cmd/slipway/internal/stagefile"
)

func rollbackCommand(directory *string) *cobra.Command {
	var to int
	var pin, up, asJSON bool
	command := &cobra.Command{
		Use:   "rollback STAGE",
		Short: "Take a stage back to what an earlier update deployed",
		Long: `Take a stage back to what an earlier update deployed: without --to, the last one that succeeded with something else. Where the last update failed, that is the last one that
succeeded.

It shows what will change, and commits Pulumi.STAGE.yaml as it was in that update: the history stays linear. An image
that the stage builds from source is then pinned beside its build, where that update ran another one. With --pin it
commits the number of the earlier revision for each service instead, which is fastest: nothing is registered, and nothing
else in the file changes. Tasks have no pin, and stay as they are then. A task that runs before a service is deployed does
so on the way back, too: where it cannot, remove its key before.

Nothing is deployed, unless --up is given. What is needed and gone (an image, a revision, a version of a secret) is said,
and nothing is written; nor is it where the program would refuse the earlier stage file today. Values that the stage file
does not have, as those of other stacks, come back with --pin only.`,
		Example: `  slipway rollback release
  slipway rollback release --to 12 --pin --up`,
		Args:              oneStage("rollback takes a stage: slipway rollback STAGE"),
		ValidArgsFunction: completeStages(directory, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("to") && to < 1 {
				return errors.New("--to: updates are numbered from 1: slipway history lists them")
			}
			report, project, err := begin(cmd, *directory)
			if err != nil {
				return err
			}
			file, err := rollback.Open(cmd.Context(), project, args[0])
			if err != nil {
				return err
			}
			done := report.Progress("Reading the history of %s", args[0])
			defer done()
			of, err := load(cmd, project, args[0], rollback.Parts)
			if err != nil {
				return err
			}
			planned, err := rollback.Prepare(cmd.Context(), of, file, to, pin)
			done()
			if err != nil {
				return err
			}
			if !asJSON {
				planned.Print(report)
			}
			err = planned.Apply(cmd.Context())
			if asJSON && err == nil {
				err = report.JSON(planned)
			}
			if err != nil {
				return err
			}
			if planned.Commit != "" {
				fmt.Fprintf(report.Err, "\nCommitted %s: %s\n", planned.Commit, planned.Subject())
			}
			if !up {
				fmt.Fprintf(report.Err, "Next: pulumi up --stack %s\n", args[0])
				return nil
			}
			return pulumiUp(project, args[0], report)
		},
	}
	command.Flags().IntVar(&to, "to", 0, "the `number` of the update to go back to, as slipway history shows it")
	command.Flags().BoolVar(&pin, "pin", false, "pin the services to that update's revisions")
	command.Flags().BoolVar(&up, "up", false, "deploy it: run pulumi up --yes")
	command.Flags().BoolVar(&asJSON, "json", false, "print what changes as JSON")
	return command
}

// pulumiUp deploys the stage, with the output that pulumi gives. A terminal sends Ctrl-C to pulumi too, which would
// take a second one for "stop at once": only what pulumi is not sent by itself is passed on.
func pulumiUp(project *stagefile.Project, stack string, report *console.Report) error {
	command := exec.Command("pulumi", "up", "--stack", stack, "--yes")
	command.Dir, command.Stdin, command.Stdout, command.Stderr = project.Directory, os.Stdin, report.Err, report.Err
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	defer signal.Stop(terminated)
	if err := command.Start(); err != nil {
		return fmt.Errorf("starting pulumi: %w", err)
	}
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-terminated:
			_ = command.Process.Signal(os.Interrupt) // it may have ended
		case <-ended:
		}
	}()
	if err := command.Wait(); err != nil {
		return exit.Refuse("pulumi up --stack %s did not succeed (%w): its output says why", stack, err)
	}
	return nil
}
