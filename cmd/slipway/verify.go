package main

import (
	"github.com/spf13/cobra"

	"slipway/cmd/slipway/internal/snapshot"
	"slipway/cmd/slipway/internal/verify"
)

func verifyCommand(directory *string) *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "verify STAGE",
		Short: "Check, before an update, what would only fail during or after it",
		Long: `Check what an update of STAGE needs in AWS, and would only miss once it is under way: images and the platforms that they
are for, revisions that services are pinned to, secrets and who may read them, roles, ways from the subnets to ECR, the
certificate and the hosted zone, and the queues of schedules.

It reads the stage file as it is now, and AWS. It changes nothing and decrypts nothing. Each line says ok, note (there is
nothing to check yet, or something that cannot be checked from here), wrong, or unknown (AWS refused to answer).
Exit status: 0 if nothing is wrong, 1 if something is, 2 if something could not be found out.`,
		Example:           "  slipway verify release",
		Args:              oneStage("verify takes one stage: slipway verify STAGE"),
		ValidArgsFunction: completeStages(directory, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			report, project, err := begin(cmd, *directory)
			if err != nil {
				return err
			}
			done := report.Progress("Asking AWS what %s needs", args[0])
			defer done()
			of, err := load(cmd, project, args[0], snapshot.Parts{})
			if err != nil {
				return err
			}
			found, err := verify.Run(cmd.Context(), of)
			done()
			if err != nil {
				return err
			}
			return answer(report, asJSON, found)
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print the checks as JSON")
	return command
}
