package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"slipway/cmd/slipway/internal/deployrole"
	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/stage"
)

func iamCommand(directory *string) *cobra.Command {
	var purpose, trust string
	var from []string
	command := &cobra.Command{
		Use:   "iam STAGE",
		Short: "Print the least IAM policy of the role that deploys a stage",
		Long: `Print the least IAM policy of the role that deploys STAGE, for what --for says:

  update    ` + "`pulumi up`, refresh and destroy" + `, and all commands of slipway
  preview   ` + "`pulumi preview` (without --refresh) and `slipway preview`" + `
  promote   what promote asks about STAGE, as the one that it promotes from; with --from, as the one that it promotes to
  read      status, history, diff, logs, verify and rollback

It is made from the stage file alone (and the outputs of other stacks that this names), for the account in aws:allowedAccountIds, the region, and the names and options
that stand there: print it again when services, tasks or options come, before the update that adds them. One that
removes something needs the policy from before. Where Pulumi keeps the state and what encrypts it (a bucket, a key) is
not in it.

With --from FROM it is for the images, too, that ` + "`slipway promote FROM STAGE`" + ` would write: so that the first promotion
finds a role that may read them, and the next update one that may copy them.

With --trust it prints the trust policy of a role that GitHub's workflows assume with OIDC: for update and promote, jobs
in the environment STAGE, whose protection rules on GitHub say who deploys from which branch; for preview and read, jobs
of pull requests. The account needs the OIDC provider token.actions.githubusercontent.com.

Standard output has JSON and nothing else; what to know of it is on standard error.`,
		Example: `  slipway iam release > policy.json
  slipway iam release --for preview --from dev > preview.json
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
			var policy *deployrole.Policy
			if trust != "" {
				policy, err = trustOf(project, args[0], purpose, trust)
			} else {
				policy, err = permissionsOf(cmd.Context(), project, args[0], from, purpose)
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
	command.Flags().StringArrayVar(&from, "from", nil,
		"cover the images of this `stage` before they are promoted to STAGE; may be repeated")
	command.Flags().StringVar(&trust, "trust", "",
		"print the trust policy for workflows of this `repository`: github:ORG/REPO")
	command.MarkFlagsMutuallyExclusive("from", "trust")
	return command
}

// permissionsOf is the policy of what the role may do.
func permissionsOf(ctx context.Context, project *stagefile.Project, name string, from []string,
	purpose string) (*deployrole.Policy, error) {
	declared, promoted, err := stagesOf(ctx, project, name, from)
	if err != nil {
		return nil, err
	}
	return deployrole.For(purpose, declared, promoted...)
}

// trustOf is the policy of who may have the role. It goes by the stage's account alone, as the role is there before the
// first promotion gives the stage its images.
func trustOf(project *stagefile.Project, name, purpose, trust string) (*deployrole.Policy, error) {
	config, _, err := project.ConfigOfFiles(name)
	if err != nil {
		return nil, err
	}
	of := &stage.Stage{Project: project.Name, Name: stagefile.StageName(name)}
	of.AWS.Region = config["aws:region"]
	_ = json.Unmarshal([]byte(config["aws:allowedAccountIds"]), &of.AWS.AllowedAccountIDs) // without them it is refused
	return deployrole.Trust(of, purpose, trust)
}

// stagesOf loads a stage as its file has it, and as it will be once the images of others are promoted to it. The first
// is nil where the file names images that only a promotion brings.
func stagesOf(ctx context.Context, project *stagefile.Project, name string, from []string) (own *stage.Stage,
	promoted []*stage.Stage, err error) {
	config, secretKeys, err := project.ConfigOfFiles(name)
	if err != nil {
		return nil, nil, err
	}
	outputs := pulumicli.StackOutputs(ctx, pulumicli.New(project.Directory), project, name, false)
	own, refused := stagefile.Load(project, name, config, secretKeys, outputs)
	for _, each := range from {
		if err := project.CheckStage(each); err != nil {
			return nil, nil, err
		}
		if each == name {
			return nil, nil, fmt.Errorf("%s cannot be promoted to itself", name)
		}
		source, err := stagefile.LoadFiles(project, each)
		if err != nil {
			return nil, nil, exit.Refuse("%w", err)
		}
		if config, err = deployrole.Promoted(config, source); err != nil {
			return nil, nil, err
		}
		var later *stage.Stage
		if later, refused = stagefile.Load(project, name, config, secretKeys, outputs); refused == nil {
			promoted = append(promoted, later)
		}
	}
	if refused != nil && len(from) == 0 && strings.Contains(refused.Error(), "slipway promote") {
		refused = fmt.Errorf("%w\nBefore the promotion, name the stage that its images come from: --from FROM", refused)
	}
	if refused != nil {
		return nil, nil, exit.Refuse("%w", refused)
	}
	return own, promoted, nil
}
