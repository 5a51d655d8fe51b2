package stagefile

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"slipway/internal/pulumiconfig"
	"slipway/internal/spelling"
)

// CheckNames refuses what cannot be the name of a stage.
func CheckNames(stacks []string) error {
	for _, stack := range stacks {
		if !stackName.MatchString(stack) {
			return fmt.Errorf("%q is not the name of a stage", stack)
		}
	}
	return nil
}

// Stages are those that the project has a file for.
func (p *Project) Stages() []string {
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

// CheckStage is an error where the project has no file for a stage; it says which stages have one.
func (p *Project) CheckStage(stack string) error {
	name, stages := StageName(stack), p.Stages()
	switch meant := spelling.Nearest(name, stages); {
	case slices.Contains(stages, name):
		return nil
	case len(stages) == 0:
		return fmt.Errorf("there is no stage %s, and no Pulumi.<stage>.yaml in %s", stack, p.Directory)
	case meant != "":
		return fmt.Errorf("there is no stage %s: did you mean %s? Pulumi.<stage>.yaml is there for %s", stack, meant,
			strings.Join(stages, ", "))
	}
	return fmt.Errorf("there is no stage %s: Pulumi.<stage>.yaml is there for %s", stack, strings.Join(stages, ", "))
}

// Tasks are the names of a stage's tasks, as its file and the defaults have them.
func (p *Project) Tasks(stack string) []string { return p.declared(stack, "tasks") }

// Logged are the names of what has a log in a stage.
func (p *Project) Logged(stack string) []string {
	return append(p.declared(stack, "services"), p.Tasks(stack)...)
}

// declared are the keys below a key of the stage, in its file and in the defaults. It asks nobody, so that completing
// is quick; what cannot be read has none.
func (p *Project) declared(stack, key string) []string {
	config, _, _ := p.ConfigOfFiles(stack)
	namespace, names := pulumiconfig.NamespaceOf(p.Name, config), map[string]json.RawMessage{}
	var defaults map[string]json.RawMessage
	_ = json.Unmarshal([]byte(config[namespace+":defaults"]), &defaults) // none where it is no object
	for _, text := range []string{string(defaults[key]), config[namespace+":"+key]} {
		_ = json.Unmarshal([]byte(text), &names) // adds to those that are there
	}
	return slices.Sorted(maps.Keys(names))
}

// DefaultImages are what the defaults say of a stage's images; what cannot be read says nothing.
func (p *Project) DefaultImages(stack string) map[string]map[string]any {
	config, _, _ := p.ConfigOfFiles(stack)
	var defaults struct {
		Images map[string]map[string]any `json:"images"`
	}
	_ = json.Unmarshal([]byte(config[pulumiconfig.NamespaceOf(p.Name, config)+":defaults"]), &defaults)
	return defaults.Images
}

// stackName is a stage, or organization/stage or organization/project/stage.
var stackName = regexp.MustCompile(`^([\w.-]+/){0,2}[\w-][\w.-]*$`)
