package stagefile

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"slipway/stage"
)

// HiddenValue stands for a value that is encrypted, and is not decrypted.
const HiddenValue = "[secret]"

// ConfigOfFiles is the configuration of a stage as its file and Pulumi.yaml have it, as far as they say it without
// pulumi.
func (p *Project) ConfigOfFiles(stack string) (config map[string]string, secretKeys []string, err error) {
	config, err = p.sharedConfig()
	if err != nil {
		return nil, nil, err
	}
	own, err := Read(p.StageFile(stack))
	for key, text := range own {
		config[key] = text
		if strings.Contains(text, HiddenValue) {
			secretKeys = append(secretKeys, key)
		}
	}
	return config, secretKeys, err
}

// sharedConfig is what Pulumi.yaml gives every stage.
func (p *Project) sharedConfig() (map[string]string, error) {
	shared, err := Read(filepath.Join(p.Directory, "Pulumi.yaml"))
	if err != nil {
		return nil, err
	}
	config := map[string]string{}
	for key, text := range shared {
		if !strings.Contains(key, ":") {
			key = p.Name + ":" + key
		}
		config[key] = text // or what it is declared to be
		var declared struct{ Value, Default any }
		if json.Unmarshal([]byte(text), &declared) != nil || declared.Value == nil && declared.Default == nil {
			continue
		}
		if declared.Value == nil {
			declared.Value = declared.Default
		}
		if config[key], err = configText(declared.Value); err != nil {
			return nil, err
		}
	}
	return config, nil
}

// Read returns the values of a stage file by full key, objects as JSON, with HiddenValue for what is
// encrypted.
func Read(path string) (map[string]string, error) {
	source, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	config, err := Parse(source)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return config, nil
}

// Parse is as Read, of a file's content.
func Parse(source []byte) (map[string]string, error) {
	var file struct {
		Config map[string]any `yaml:"config"`
	}
	if err := yaml.Unmarshal(source, &file); err != nil {
		return nil, err
	}
	config := map[string]string{}
	for key, value := range file.Config {
		var err error
		if config[key], err = configText(Hide(value, isEncrypted)); err != nil {
			return nil, fmt.Errorf("config.%s: %w", key, err)
		}
	}
	return config, nil
}

// configText is a value as the CLI keeps it: text as it is, all else as JSON.
func configText(value any) (string, error) {
	if text, ok := value.(string); ok {
		return text, nil
	}
	text, err := json.Marshal(value)
	return string(text), err
}

// isEncrypted tells a value that is written as {secure: …}.
func isEncrypted(object map[string]any) bool {
	_, is := object["secure"]
	return is && len(object) == 1
}

// Hide puts HiddenValue in the place of every object in a value that is a secret.
func Hide(value any, isSecret func(object map[string]any) bool) any {
	switch value := value.(type) {
	case map[string]any:
		if isSecret(value) {
			return HiddenValue
		}
		for key := range value {
			value[key] = Hide(value[key], isSecret)
		}
	case []any:
		for i := range value {
			value[i] = Hide(value[i], isSecret)
		}
	}
	return value
}

// Load checks a configuration as `pulumi up` would. Values that are encrypted are not looked into. outputs reads those
// of other stacks; nil where they do not matter.
func Load(project *Project, stack string, config map[string]string, secretKeys []string,
	outputs stage.ReadOutputs) (*stage.Stage, error) {
	return stage.Load(stage.Input{
		Project: project.Name, Stage: StageName(stack), Config: config, SecretKeys: secretKeys, Root: project.Directory,
		Outputs: outputs,
	})
}

// LoadFiles loads a stage as its file and Pulumi.yaml have it, without pulumi: with HiddenValue for what is encrypted,
// and without values of other stacks.
func LoadFiles(project *Project, stack string) (*stage.Stage, error) {
	config, secretKeys, err := project.ConfigOfFiles(stack)
	if err != nil {
		return nil, err
	}
	return Load(project, stack, config, secretKeys, nil)
}
