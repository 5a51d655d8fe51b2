package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/snapshot"
	"slipway/cmd/slipway/internal/stagefile"
)

// oneStage takes a stage as the only argument.
func oneStage(usage string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return errors.New(usage)
		}
		return stagefile.CheckNames(args)
	}
}

// twoStages takes two stages, of which same says, with the name, that they must differ.
func twoStages(usage, same string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 2 {
			return errors.New(usage)
		}
		if err := stagefile.CheckNames(args); err != nil {
			return err
		}
		if stagefile.StageName(args[0]) == stagefile.StageName(args[1]) {
			return fmt.Errorf(same+": name two stages", args[0])
		}
		return nil
	}
}

// load reads a stage of the project.
func load(cmd *cobra.Command, project *stagefile.Project, stack string, parts snapshot.Parts) (*snapshot.Stage, error) {
	return snapshot.Load(cmd.Context(), pulumicli.New(project.Directory), project, stack, parts)
}

// begin has where a command prints to, and the project that it works on.
func begin(cmd *cobra.Command, directory string) (*console.Report, *stagefile.Project, error) {
	project, err := stagefile.Find(directory)
	return console.NewReport(cmd), project, err
}

// answer prints what a command found, and ends it by that.
func answer(report *console.Report, asJSON bool, found interface {
	Print(*console.Report)
	Verdict() error
}) error {
	if !asJSON {
		found.Print(report)
	} else if err := report.JSON(found); err != nil {
		return err
	}
	return found.Verdict()
}
