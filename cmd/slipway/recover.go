package main

import (
	"github.com/spf13/cobra"

	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/recovery"
)

func recoverCommand(directory *string) *cobra.Command {
	var dryRun, asJSON, alsoLost bool
	command := &cobra.Command{
		Use:   "recover STAGE",
		Short: "Bring a stage whose update was cut off back in line with AWS",
		Long: `Bring a stage whose update was cut off back in line with AWS.

A pulumi up or destroy that is killed leaves pending operations in the stage's state: Pulumi does not know whether AWS has done
them. This command looks for each in AWS, by the name and the tags that it was to have. What was created is imported into the
state; what was created and is not needed any more is deleted by the next pulumi up; what was changed or deleted is read again;
what is not there is forgotten. In AWS it changes nothing. What carries another stage's tags is left alone, and said.

A state that was lost has none. Put it back from a backup, where there is one (docs/operations.md). Where there is none, and the
stack is new or empty, this command asks pulumi preview what the stage is to have, looks for all of that in AWS, and imports what
carries the stage's tags. It does so, too, where the state has something, if you say --lost: after an old backup was put back, or
a recovery was interrupted. Images cannot be imported; the next pulumi up builds them again.

Before it changes the state it writes that to a file, whose path it prints. Where the stack is still locked, run pulumi
cancel first.

The exit status is 0 if all is in line, 1 if something is left for you to look at, and 2 if AWS or Pulumi could not be asked.`,
		Example: `  pulumi cancel --stack dev --yes
  slipway recover dev --dry-run
  slipway recover dev && pulumi up --stack dev`,
		Args:              oneStage("recover takes a stage: slipway recover STAGE"),
		ValidArgsFunction: completeStages(directory, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			report, project, err := begin(cmd, *directory)
			if err != nil {
				return err
			}
			r, err := recovery.Run(cmd.Context(), report, project, args[0], dryRun, alsoLost)
			if err != nil {
				return err
			}
			if asJSON {
				err = report.JSON(r)
			} else {
				r.Print(report, dryRun)
			}
			if err == nil && r.Left() {
				err = exit.Difference
			}
			return err
		},
	}
	command.Flags().BoolVar(&dryRun, "dry-run", false, "only show what was cut off or lost, and what would become of it")
	command.Flags().BoolVar(&alsoLost, "lost", false, "look for what the state lacks, also where it has something")
	command.Flags().BoolVar(&asJSON, "json", false, "print what was found as JSON")
	return command
}
