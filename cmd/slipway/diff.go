package main

import (
	"github.com/spf13/cobra"

	"slipway/cmd/slipway/internal/comparison"
	"slipway/cmd/slipway/internal/pulumicli"
)

func diffCommand(directory *string) *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "diff STAGE STAGE",
		Short: "What differs between two stages",
		Long: `What differs between two stages: the images that they run, by the outputs of their last updates, with the commits in
between; and their settings, as their files have them now, with the defaults. A secret is compared, and never shown.
An image that is built in one stage and pinned in the other is no difference: what runs counts.

Exit status: 0 where nothing differs, 1 where something does, 2 where that could not be found out.`,
		Example: `  slipway diff dev release
  slipway diff dev release --json | jq '.images'`,
		Args:              twoStages("diff takes two stages: slipway diff STAGE STAGE", "%s does not differ from itself"),
		ValidArgsFunction: completeStages(directory, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			report, project, err := begin(cmd, *directory)
			if err != nil {
				return err
			}
			done := report.Progress("Reading %s and %s", args[0], args[1])
			stages, err := comparison.Load(cmd.Context(), pulumicli.New(project.Directory), project, [2]string(args))
			if err != nil {
				return err
			}
			found, err := comparison.Compare(cmd.Context(), stages)
			done()
			if err != nil {
				return err
			}
			return answer(report, asJSON, found)
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return command
}
