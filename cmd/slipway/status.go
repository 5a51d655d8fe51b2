package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/cmd/slipway/internal/status"
)

func statusCommand(directory *string) *cobra.Command {
	var asJSON, exitCode bool
	command := &cobra.Command{
		Use:   "status [STAGE…]",
		Short: "What each stage asks for, what was deployed last, and what runs now",
		Long: `For each service: what the stage file asks for, what the last update deployed, and what AWS reports now. For each task:
the revision that runs when it is run, and when its schedule runs it next. What differs is listed below. Without a STAGE it
shows every stage that the project has a file for.`,
		Example: `  slipway status
  slipway status dev release
  slipway status release --exit-code > /dev/null || echo release is not as it should be`,
		Args:              func(_ *cobra.Command, args []string) error { return stagefile.CheckNames(args) },
		ValidArgsFunction: completeStages(directory, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			return showStatus(cmd.Context(), console.NewReport(cmd), *directory, args, asJSON, exitCode)
		},
	}
	command.Flags().BoolVar(&exitCode, "exit-code", false, "exit with 1 where anything differs")
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return command
}

func showStatus(ctx context.Context, report *console.Report, directory string, stacks []string, asJSON,
	exitCode bool) error {
	project, err := stagefile.Find(directory)
	if err != nil {
		return err
	}
	if len(stacks) == 0 {
		if stacks = project.Stages(); len(stacks) == 0 {
			return errors.New("there is no Pulumi.<stage>.yaml here: write one, or name a stage")
		}
	}
	done := report.Progress("Reading %s", strings.Join(stacks, ", "))
	pulumi := pulumicli.New(project.Directory)
	stages := make([]*status.Stage, len(stacks))
	var running errgroup.Group
	running.SetLimit(awsreader.Lookups)
	errs := make([]error, len(stacks))
	for i, stack := range stacks {
		running.Go(func() error {
			stages[i], errs[i] = status.Read(ctx, pulumi, project, stack)
			return nil
		})
	}
	_ = running.Wait() // the errors have places of their own, so that all are told, in the same order always
	done()
	read := slices.DeleteFunc(stages, func(s *status.Stage) bool { return s == nil })
	if asJSON {
		if err := report.JSON(read); err != nil {
			return err
		}
	} else {
		status.Print(report, read)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	differs := slices.ContainsFunc(read, func(s *status.Stage) bool { return len(s.Differences) > 0 })
	if exitCode && differs {
		return exit.Difference
	}
	var undecrypted []error
	for _, stage := range read {
		if exitCode && !stage.SecretsCompared {
			undecrypted = append(undecrypted,
				fmt.Errorf("the secrets of %s could not be decrypted: whether those of the stage file were deployed is not known",
					stage.Stage))
		}
	}
	return errors.Join(undecrypted...)
}
