package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"slipway/cmd/slipway/internal/comparison"
	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/stagefile"
)

func diffCommand(directory *string) *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "diff STAGE STAGE",
		Short: "What differs between two stages",
		Long: `What differs between two stages: the images that they run, by the outputs of their last updates, with the commits in
between; and their settings, as their files have them now, with the defaults. A secret is compared, and never shown.
An image that is built in one stage and pinned in the other is no difference: what runs counts.

Exit status: 0 where nothing differs, 1 where something does, 2 where that could not be told.`,
		Example: `  slipway diff dev release
  slipway diff dev release --json | jq '.images'`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return errors.New("diff takes two stages: slipway diff STAGE STAGE")
			}
			if err := stagefile.CheckNames(args); err != nil {
				return err
			}
			if stagefile.StageName(args[0]) == stagefile.StageName(args[1]) {
				return fmt.Errorf("%s does not differ from itself: name two stages", args[0])
			}
			return nil
		},
		ValidArgsFunction: completeStages(directory, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			project, err := stagefile.Find(*directory)
			if err != nil {
				return err
			}
			report := console.NewReport(cmd)
			done := report.Progress("Reading %s and %s", args[0], args[1])
			found, err := comparison.Compare(cmd.Context(), pulumicli.New(project.Directory), project, [2]string(args))
			done()
			if err != nil {
				return err
			}
			if asJSON {
				if err := report.JSON(found); err != nil {
					return err
				}
			} else {
				found.Print(report)
			}
			return found.Verdict()
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return command
}
