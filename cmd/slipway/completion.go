package main

import (
	"github.com/spf13/cobra"

	"slipway/cmd/slipway/internal/stagefile"
)

// completeStages completes the first arguments of a command as stages: as many as most, or any number if that is 0.
func completeStages(directory *string, most int) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		project, err := stagefile.Find(*directory)
		if err != nil || (most > 0 && len(args) >= most) {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return project.Stages(), cobra.ShellCompDirectiveNoFileComp
	}
}

// completeNames completes a stage, and then one of the names that the stage has.
func completeNames(directory *string, names func(project *stagefile.Project,
	stack string) []string) cobra.CompletionFunc {
	return func(command *cobra.Command, args []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) != 1 {
			return completeStages(directory, 1)(command, args, toComplete)
		}
		project, err := stagefile.Find(*directory)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return names(project, args[0]), cobra.ShellCompDirectiveNoFileComp
	}
}
