package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"slipway/cmd/slipway/internal/deployrole"
	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/stagefile"
)

func iamCommand(directory *string) *cobra.Command {
	var purpose, trust string
	command := &cobra.Command{
		Use:   "iam STAGE",
		Short: "Print the least IAM policy of the role that deploys a stage",
		Long: `Print the least IAM policy of the role that deploys STAGE, for what --for says:

  update    ` + "`pulumi up`, refresh and destroy" + `, and all commands of slipway
  preview   ` + "`pulumi preview` (without --refresh) and `slipway preview`" + `
  promote   what promote asks about STAGE, as the one that it promotes from
  read      status, history, diff, logs, verify and rollback

It is made from the stage file alone, for the account in aws:allowedAccountIds, the region, and the names and options
that stand there: print it again when services, tasks or options come, before the update that adds them. One that
removes something needs the policy from before. Where Pulumi keeps the state and what encrypts it (a bucket, a key) is
not in it.

With --trust it prints the trust policy of a role that GitHub's workflows assume with OIDC: for update and promote, jobs
in the environment STAGE, whose protection rules on GitHub say who deploys from which branch; for preview and read, jobs
of pull requests. The account needs the OIDC provider token.actions.githubusercontent.com.

Standard output has JSON and nothing else; what to know of it is on standard error.`,
		Example: `  slipway iam release > policy.json
  slipway iam release --trust github:example/shop > trust.json
  aws iam create-role --role-name deploy-release --assume-role-policy-document file://trust.json
  aws iam put-role-policy --role-name deploy-release --policy-name deploy --policy-document file://policy.json`,
		Args:              oneStage("iam takes one stage: slipway iam STAGE"),
		ValidArgsFunction: completeStages(directory, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			report, project, err := begin(cmd, *directory)
			if err != nil {
				return err
			}
			if err := project.CheckStage(args[0]); err != nil {
				return err
			}
			if !slices.Contains(deployrole.PurposeNames(), purpose) {
				return fmt.Errorf("--for %s: write one of %s", purpose, strings.Join(deployrole.PurposeNames(), ", "))
			}
			config, secretKeys, err := project.ConfigOfFiles(args[0])
			if err != nil {
				return err
			}
			declared, err := stagefile.Load(project, args[0], config, secretKeys)
			if err != nil {
				return exit.Refuse("%w", err)
			}
			policy, err := deployrole.For(declared, purpose)
			if trust != "" && err == nil {
				policy, err = deployrole.Trust(declared, purpose, trust)
			}
			if err != nil {
				return err
			}
			for _, note := range policy.Notes {
				fmt.Fprintf(report.Err, "Note: %s.\n", note)
			}
			return report.JSON(policy)
		},
	}
	command.Flags().StringVar(&purpose, "for", "update",
		"what the role is for: "+strings.Join(deployrole.PurposeNames(), ", "))
	command.Flags().StringVar(&trust, "trust", "",
		"print the trust policy for workflows of this `repository`: github:ORG/REPO")
	return command
}
