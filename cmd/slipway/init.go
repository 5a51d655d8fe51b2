package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/scaffold"
	"slipway/cmd/slipway/internal/scaffold/draft"
)

func initCommand(directory *string) *cobra.Command {
	var options scaffold.Options
	var stages []string
	var dryRun, asJSON bool
	command := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Make a program of your own in a repository, from its Dockerfiles, compose file or Copilot manifests",
		Long: `Make a program of your own in DIR, or here: a Go module that has this copy of slipway as a library, Pulumi.yaml and a file
for each stage, .gitignore, and .dockerignore where an image is built from what holds the program. It goes into DIR
itself, or into DIR/deploy where DIR has Go code already.

What the stages run is read from the first of these that DIR has: the manifests of AWS Copilot (copilot/*/manifest.yml),
a compose file, Dockerfiles. It says of each thing what has become of it, and of what was not taken over what to do
instead. What looks like a secret is not written: it is named in secrets, and gets its value by pulumi config set.

A file that is there is kept. All mistakes are told at once, before anything is written. On a terminal it asks for what
the flags do not say; elsewhere it takes the name of the directory and the region of your AWS configuration.

Exit status: 0 where all was written, 1 where a file was kept that says something else, or something has to be
corrected first.`,
		Example: `  slipway init
  slipway init --project shop --region eu-west-1 --dry-run
  slipway init ../shop --stage dev=111111111111 --stage release=222222222222:eu-central-1`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			report := console.NewReport(cmd)
			options.Directory, options.Lookup = *directory, os.LookupEnv
			if len(args) == 1 && filepath.IsAbs(args[0]) {
				options.Directory = args[0]
			} else if len(args) == 1 {
				options.Directory = filepath.Join(*directory, args[0])
			}
			parsed, err := scaffold.ParseStages(stages)
			if err != nil {
				return err
			}
			options.Stages, options.StagesGiven = parsed, cmd.Flags().Changed("stage")
			if err := complete(cmd.Context(), &options, questions(cmd)); err != nil {
				return err
			}
			plan, err := scaffold.Make(cmd.Context(), options)
			if err != nil {
				if plan != nil && !asJSON {
					printLines(report, plan.Lines)
				}
				return err
			}
			if !dryRun {
				err = plan.Write()
			}
			if asJSON {
				if printed := report.JSON(plan); printed != nil {
					return printed
				}
				return err
			}
			printPlan(report, plan, dryRun)
			return err
		},
	}
	flags := command.Flags()
	flags.StringVar(&options.Project, "project", "", "the `name` of the project, with which names in AWS begin")
	flags.StringVar(&options.Region, "region", "", "the AWS `region` of stages that name none")
	flags.StringArrayVar(&stages, "stage", []string{"dev", "release"},
		"a `stage`, as NAME, NAME=ACCOUNT or NAME=ACCOUNT:REGION; the first one builds the images")
	flags.StringVar(&options.Slipway, "slipway", "", "the `directory` of the copy of slipway")
	flags.BoolVar(&options.Workflows, "workflows", false, "write workflows for GitHub Actions, too (docs/ci.md)")
	flags.BoolVar(&dryRun, "dry-run", false, "say what would be written, and write nothing")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return command
}

// complete fills in what the flags leave open: what people answer, or what is found.
func complete(ctx context.Context, options *scaffold.Options, ask func(what, usual string) string) error {
	directory, err := filepath.Abs(options.Directory)
	if err != nil {
		return err
	}
	if options.Project == "" {
		options.Project = ask("Project", draft.Plain(filepath.Base(directory)))
	}
	if options.Region == "" {
		region := "us-east-1"
		if settings, err := config.LoadDefaultConfig(ctx); err == nil {
			region = cmp.Or(settings.Region, region)
		}
		options.Region = ask("Region", region)
	}
	return nil
}

// questions asks on a terminal, and takes what is usual elsewhere.
func questions(cmd *cobra.Command) func(what, usual string) string {
	input, isFile := cmd.InOrStdin().(*os.File)
	if !isFile || !term.IsTerminal(input.Fd()) {
		return func(_, usual string) string { return usual }
	}
	return asking(input, cmd.ErrOrStderr())
}

func asking(input io.Reader, output io.Writer) func(what, usual string) string {
	lines := bufio.NewScanner(input)
	return func(what, usual string) string {
		fmt.Fprintf(output, "%s [%s]: ", what, usual)
		lines.Scan()
		return cmp.Or(strings.TrimSpace(lines.Text()), usual)
	}
}

func printPlan(report *console.Report, plan *scaffold.Plan, dryRun bool) {
	printLines(report, plan.Lines)
	report.Printf("\n")
	for _, file := range plan.Files {
		switch {
		case file.Kept && len(file.Missing) > 0:
			report.Printf("%s %s, add: %s\n", report.Bad("kept   "), file.Name, strings.Join(file.Missing, " "))
		case file.Kept:
			report.Printf("kept    %s\n", file.Name)
		case dryRun:
			report.Printf("would write %s\n", file.Name)
		default:
			report.Printf("written %s\n", file.Name)
		}
	}
	fmt.Fprintf(report.Err, "\nNext (on your own machine with `%s exec --` before each command of pulumi and slipway):\n",
		plan.Tool("sandbox"))
	for _, command := range plan.Next {
		fmt.Fprintf(report.Err, "  %s\n", command)
	}
	if plan.HasSecrets() {
		fmt.Fprintln(report.Err, "A secret that is kept in AWS already: write its ARN under slipway:secrets instead.")
	}
}

// printLines says what has become of what was found.
func printLines(report *console.Report, lines []draft.Line) {
	for _, line := range lines {
		if text, left := strings.CutPrefix(line.String(), "!"); left {
			report.Printf("%s%s\n", report.Bad("!"), text)
		} else {
			report.Printf("%s\n", line)
		}
	}
}
