package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"slipway/cmd/slipway/internal/history"
	"slipway/cmd/slipway/internal/stagefile"
)

func historyCommand(directory *string) *cobra.Command {
	var options history.Options
	command := &cobra.Command{
		Use:   "history STAGE [NUMBER]",
		Short: "What was deployed to a stage, when, from which commit, and what it changed",
		Long: `What was deployed to a stage, when, from which commit, and what it changed: a row for each update, newest first.

It joins the history that Pulumi keeps with the revisions in ECS and the images in ECR. A service or a task is shown where
the update put another revision in place for it. With a NUMBER, one update is shown whole: the configuration that it changed,
and how its container definitions differ from those before. Values of secrets are never shown.`,
		Example: `  slipway history dev
  slipway history dev 12
  slipway history release --limit 0 --json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 || len(args) > 2 {
				return errors.New("history takes a stage, and the number of an update: slipway history STAGE [NUMBER]")
			}
			if len(args) == 2 {
				if number, err := strconv.Atoi(args[1]); err != nil || number < 1 {
					return fmt.Errorf("%q is not the number of an update, which is 1 or more", args[1])
				}
			}
			if options.Limit < 0 {
				return errors.New("--limit must be 0, for all, or more")
			}
			return stagefile.CheckNames(args[:1])
		},
		ValidArgsFunction: completeStages(directory, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 {
				options.Number, _ = strconv.Atoi(args[1]) // checked above
			}
			report, project, err := begin(cmd, *directory)
			if err != nil {
				return err
			}
			done := report.Progress("Reading the history of %s", args[0])
			defer done()
			of, err := load(cmd, project, args[0], options.Parts())
			if err != nil {
				return err
			}
			return history.Show(cmd.Context(), of, report, options, done)
		},
	}
	command.Flags().IntVarP(&options.Limit, "limit", "n", 20, "show the newest `updates` only; 0 for all")
	command.Flags().BoolVar(&options.JSON, "json", false, "print JSON")
	return command
}
