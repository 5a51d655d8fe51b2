package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"slipway/cmd/slipway/internal/pinning"
	"slipway/cmd/slipway/internal/snapshot"
	"slipway/cmd/slipway/internal/stagefile"
)

func pinCommand(directory *string) *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "pin STAGE [IMAGE…]",
		Short: "Look up the digests of images by their tags, and write them into the stage file",
		Long: `Look up the digests of images by their tags, and write them into the stage file.

It is for images that somebody else builds: the refs under images, and the images of containers, that have a tag and no
digest. Each is looked up in its registry, with the password that registries has for it, and gets the digest that its
tag has now: in Pulumi.STAGE.yaml, or in the defaults in Pulumi.yaml where it stands there. Nothing else in the files
changes, and nothing is written where one of the images cannot be read.

With IMAGE, only these are looked up, and those that have a digest already get the one that their tag has now. IMAGE is
a name in images, or what stands before the tag of a container's image, such as public.ecr.aws/nginx/nginx.

Exit status: 0, or 1 where a registry does not have an image or refuses it, or 2 where that could not be told.`,
		Example: `  slipway pin release
  slipway pin release public.ecr.aws/nginx/nginx && pulumi up --stack release`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("pin takes a stage, and images of it: slipway pin STAGE [IMAGE…]")
			}
			return stagefile.CheckNames(args[:1])
		},
		ValidArgsFunction: completeStages(directory, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			report, project, err := begin(cmd, *directory)
			if err != nil {
				return err
			}
			if err := project.CheckStage(args[0]); err != nil {
				return err
			}
			finished := report.Progress("Asking the registries of %s", args[0])
			defer finished()
			of, err := load(cmd, project, args[0], snapshot.Parts{})
			if err != nil {
				return err
			}
			done, err := pinning.Pin(cmd.Context(), of, args[1:])
			finished()
			switch {
			case err != nil:
				return err
			case asJSON:
				return report.JSON(done)
			}
			done.Print(report.Out)
			if next := done.Next(); next != "" {
				fmt.Fprintf(report.Err, "\n%s\n", next)
			}
			return nil
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print the images as JSON")
	return command
}
