package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/promotion"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/stagefile"
)

func promoteCommand(directory *string) *cobra.Command {
	var options promotion.Options
	var asJSON bool
	command := &cobra.Command{
		Use:   "promote FROM TO",
		Short: "Write the images that one stage runs into another stage's file",
		Long: `Write the images that stage FROM runs into the stage file of TO, pinned by digest.

It reads the outputs of FROM's last update, asks ECS whether FROM is steady on them, and changes the refs under images
in Pulumi.TO.yaml, and nothing else in that file. With --service it takes only the images that the containers of these
services of FROM run, and with --task those of tasks. Nothing is deployed: commit the file, or let --commit do it, and run pulumi up --stack TO.

Exit status: 0, or 1 where FROM has something that is not to be promoted or TO something that is in its way, or 2
where that could not be told.`,
		Example: `  slipway promote dev release
  slipway promote dev release --commit && pulumi up --stack release
  slipway promote dev release --service web --service worker`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return errors.New("promote takes two stages: slipway promote FROM TO")
			}
			if err := stagefile.CheckNames(args); err != nil {
				return err
			}
			if stagefile.StageName(args[0]) == stagefile.StageName(args[1]) {
				return fmt.Errorf("%s cannot be promoted to itself: name two stages", args[0])
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
			finished := report.Progress("Reading what %s runs", args[0])
			done, err := promotion.Promote(cmd.Context(), promotion.Origin{CLI: pulumicli.New(project.Directory),
				Project: project}, project, args[0],
				args[1],
				options)
			finished()
			if err != nil {
				return err
			}
			if done.Note, err = pulumicli.LockNote(cmd.Context(), project, args[0]); err != nil {
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
