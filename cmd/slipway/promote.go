package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"slipway/cmd/slipway/internal/promotion"
)

func promoteCommand(directory *string) *cobra.Command {
	var options promotion.Options
	var asJSON bool
	command := &cobra.Command{
		Use:   "promote FROM TO",
		Short: "Write the images that one stage runs into another stage's file",
		Long: `Write the images that stage FROM runs into the stage file of TO, pinned by digest.

It reads the outputs of FROM's last update, asks ECS whether FROM is steady on them, and changes the refs under images
in Pulumi.TO.yaml, and nothing else in that file. Where TO is in another account or region, it writes mirror: true
beside a ref, which has an update copy the image; TO must be allowed to read it (repository.readers in FROM's file).
With --service it takes only the images that the containers of these services of FROM run, and with --task those of
tasks. Nothing is deployed: commit the file, or let --commit do it, and run pulumi up --stack TO.

Exit status: 0, or 1 where FROM has something that is not to be promoted or TO something that is in its way, or 2
where that could not be found out.`,
		Example: `  slipway promote dev release
  slipway promote dev release --commit && pulumi up --stack release
  slipway promote dev release --service web --service worker`,
		Args:              twoStages("promote takes two stages: slipway promote FROM TO", "%s cannot be promoted to itself"),
		ValidArgsFunction: completeStages(directory, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			report, project, err := begin(cmd, *directory)
			if err != nil {
				return err
			}
			target, err := promotion.Open(cmd.Context(), project, args[0], args[1], options)
			if err != nil {
				return err
			}
			finished := report.Progress("Reading what %s runs", args[0])
			defer finished()
			of, err := load(cmd, project, args[0], promotion.Parts)
			if err != nil {
				return err
			}
			done, err := target.Promote(cmd.Context(), of, promotion.InECS(of), target.ByItsFile(of.Pulumi))
			finished()
			if err != nil {
				return err
			}
			if asJSON {
				err = report.JSON(done)
			} else {
				err = done.Print(report.Out)
			}
			if done.Note != "" {
				fmt.Fprintf(report.Err, "\n%s\n", done.Note)
			}
			if next := done.Next(); next != "" {
				fmt.Fprintf(report.Err, "\n%s\n", next)
			}
			return err
		},
	}
	command.Flags().StringArrayVar(&options.Services, "service", nil,
		"promote only the images of this `service` of FROM; may be repeated")
	command.Flags().StringArrayVar(&options.Tasks, "task", nil,
		"promote only the images of this `task` of FROM; may be repeated")
	command.Flags().BoolVar(&options.Commit, "commit", false,
		"commit the stage file, and nothing else, with a message that names the tags")
	command.Flags().BoolVar(&options.AllowDirty, "allow-dirty", false,
		"promote images that were built from uncommitted changes too")
	command.Flags().BoolVar(&asJSON, "json", false, "print the difference as JSON")
	return command
}
