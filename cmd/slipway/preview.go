package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/preview"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/cmd/slipway/internal/status"
)

func previewCommand(directory *string) *cobra.Command {
	var asJSON, asMarkdown, exitCode bool
	command := &cobra.Command{
		Use:   "preview STAGE",
		Short: "What `pulumi up` would do, by service and by name of variable",
		Long: `What ` + "`pulumi up`" + ` would do to a stage, as a reviewer reads it: which services roll and which only change in place, each
variable by its name, what is replaced or deleted, which images are built, copied (from where, and how much), exchanged
with the commits in between, or the same, which task runs before a deployment, and what AWS has otherwise than it was
deployed. Values that are secret are not shown.

It is what ` + "`pulumi preview`" + ` finds out, and as little is changed. Of more than 60,000 characters the rest is counted.`,
		Example: `  slipway preview dev
  slipway preview release --markdown > comment.md
  slipway preview release --exit-code > /dev/null || echo release is to change`,
		Args:              oneStage("preview takes one stage: slipway preview STAGE"),
		ValidArgsFunction: completeStages(directory, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			report, project, err := begin(cmd, *directory)
			if err != nil {
				return err
			}
			done := report.Progress("Previewing %s", args[0])
			found, err := previewStage(cmd.Context(), project, args[0])
			done()
			if found == nil {
				return err
			}
			if !asJSON {
				found.Print(report, asMarkdown)
			} else if err := report.JSON(found); err != nil {
				return err
			}
			if err == nil && exitCode && found.Anything() {
				return exit.Difference
			}
			return err
		},
	}
	command.Flags().BoolVar(&exitCode, "exit-code", false, "exit with 1 where anything changes")
	command.Flags().BoolVar(&asMarkdown, "markdown", false, "print Markdown, as for a comment on a pull request")
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	command.MarkFlagsMutuallyExclusive("markdown", "json")
	return command
}

// previewStage asks Pulumi what would change, and AWS what is otherwise than it was deployed. Where only the latter
// could not be found out, there are both a preview and an error.
func previewStage(ctx context.Context, project *stagefile.Project, stack string) (*preview.Preview, error) {
	pulumi := pulumicli.New(project.Directory)
	var would *pulumicli.Preview
	var config *pulumicli.StageConfig
	var now *status.Stage
	var undeclared, unread error
	asking, asked := errgroup.WithContext(ctx)
	asking.Go(func() (err error) {
		would, err = pulumi.Preview(asked, stack)
		return err
	})
	asking.Go(func() error { // of the CLI, as an environment of Pulumi's may have some of it
		config, undeclared = pulumicli.ReadConfig(asked, pulumi, project, stack, false)
		return nil
	})
	asking.Go(func() error {
		now, unread = status.Read(asked, pulumi, project, stack)
		return nil
	})
	if err := asking.Wait(); err != nil {
		return nil, err
	}
	if undeclared != nil {
		return nil, undeclared
	}
	// Values of other stacks pulumi has checked.
	settings, err := stagefile.Load(project, stack, config.Config, config.SecretKeys, nil)
	if err != nil {
		return nil, err
	}
	found := preview.Of(stack, would, settings)
	if now != nil {
		found.Drift = append(found.Drift, slices.DeleteFunc(now.Differences, isOfTheUpdate)...)
	}
	var cloud *awsreader.Client
	found.FindRefusals(settings, func(repository string) (count int, err error) {
		if cloud == nil {
			if cloud, err = awsreader.Connect(ctx, stack, config.Config); err != nil {
				return 0, err
			}
		}
		return cloud.Holds(ctx, repository)
	})
	found.FindCommits(ctx, project.Directory, settings)
	if unread != nil {
		return found, fmt.Errorf("whether AWS has %s as it was deployed is not known: %w", stack, unread)
	}
	return found, nil
}

// isOfTheUpdate tells whether a difference that status finds is one that the preview itself tells of.
func isOfTheUpdate(difference string) bool {
	return strings.HasPrefix(difference, "not deployed yet: ") ||
		strings.HasPrefix(difference, "removed since the last update") ||
		strings.Contains(difference, " has never been deployed")
}
