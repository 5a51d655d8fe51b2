package main

import (
	"encoding/json"
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

// completeNames completes a stage, and then one of the names that the stage has.
func completeNames(directory *string, names func(project *project, stack string) []string) cobra.CompletionFunc {
	return func(command *cobra.Command, args []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) != 1 {
			return completeStages(directory, 1)(command, args, toComplete)
		}
		project, err := findProject(*directory)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return names(project, args[0]), cobra.ShellCompDirectiveNoFileComp
	}
}

// tasks are the names of a stage's tasks, as its file and the defaults have them.
func (p *project) tasks(stack string) []string { return p.declared(stack, "tasks") }

// logged are the names of what has a log in a stage.
func (p *project) logged(stack string) []string {
	return append(p.declared(stack, "services"), p.tasks(stack)...)
}

// declared are the keys below a key of the stage, in its file and in the defaults. It asks nobody, so that completing
// is quick; what cannot be read has none.
func (p *project) declared(stack, key string) []string {
	names := map[string]json.RawMessage{}
	add := func(text string) { _ = json.Unmarshal([]byte(text), &names) } // adds to those that are there
	var defaults struct{ Value map[string]json.RawMessage }
	if shared, err := readStageFile(filepath.Join(p.Directory, "Pulumi.yaml")); err == nil {
		_ = json.Unmarshal([]byte(shared[p.Name+":defaults"]), &defaults) // none where it is no object
		add(string(defaults.Value[key]))
	}
	if own, err := readStageFile(p.stageFile(stack)); err == nil {
		add(own[p.Name+":"+key])
	}
	return sortedKeys(names)
}
