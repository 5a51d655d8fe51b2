package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/cmd/slipway/internal/status"
)

func statusCommand(directory *string) *cobra.Command {
	var asJSON, exitCode bool
	command := &cobra.Command{
		Use:   "status [STAGE…]",
		Short: "What each stage asks for, what was deployed last, and what runs now",
		Long: `For each service: what the stage file asks for, what the last update deployed, and what AWS reports now. For each task:
the revision that runs when it is run, and when its schedule runs it next. What differs is listed below. Without a STAGE it
shows every stage that the project has a file for.`,
		Example: `  slipway status
  slipway status dev release
  slipway status release --exit-code > /dev/null || echo release is not as it should be`,
		Args:              func(_ *cobra.Command, args []string) error { return stagefile.CheckNames(args) },
		ValidArgsFunction: completeStages(directory, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			report, project, err := begin(cmd, *directory)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				if args = project.Stages(); len(args) == 0 {
					return errors.New("there is no Pulumi.<stage>.yaml here: write one, or name a stage")
				}
			}
			done := report.Progress("Reading %s", strings.Join(args, ", "))
			stages, unread := status.ReadAll(cmd.Context(), pulumicli.New(project.Directory), project, args)
			done()
			if asJSON {
				err = report.JSON(stages)
			} else {
				status.Print(report, stages)
			}
			if err := errors.Join(err, unread); err != nil || !exitCode {
				return err
			}
			return status.Verdict(stages)
		},
	}
	command.Flags().BoolVar(&exitCode, "exit-code", false, "exit with 1 where anything differs")
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return command
}
