package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// checkStackNames refuses what cannot be the name of a stage.
func checkStackNames(stacks []string) error {
	for _, stack := range stacks {
		if !stackName.MatchString(stack) {
			return fmt.Errorf("%q is not the name of a stage", stack)
		}
	}
	return nil
}

// stages are those that the project has a file for.
func (p *project) stages() []string {
	files, err := filepath.Glob(filepath.Join(p.Directory, p.StackConfigDir, "Pulumi.*.yaml"))
	if err != nil {
		return nil
	}
	var stages []string
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			stages = append(stages, strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "Pulumi."), ".yaml"))
		}
	}
	return stages
}

// completeStages completes the first arguments of a command as stages: as many as most, or any number if that is 0.
func completeStages(directory *string, most int) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		project, err := findProject(*directory)
		if err != nil || (most > 0 && len(args) >= most) {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return project.stages(), cobra.ShellCompDirectiveNoFileComp
	}
}
