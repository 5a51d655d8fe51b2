package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"go.yaml.in/yaml/v3"

	"slipway/provider"
	"slipway/stage"
)

// hiddenValue stands for a value that is encrypted, and is not decrypted.
const hiddenValue = "[secret]"

// readConfig is the configuration of a stage as its file says it now, by full key, with hiddenValue for what is
// encrypted, but for what the AWS provider needs. secretKeys are the keys that are encrypted or hold an encrypted
// value.
func readConfig(ctx context.Context, pulumi pulumiCLI, project *project, stack string) (config map[string]string,
	secretKeys []string, err error) {
	file, err := readStageFile(project.stageFile(stack)) // first: a mistake in it is told with its name and line
	if err != nil {
		return nil, nil, err
	}
	values, err := pulumi.Config(ctx, stack, "")
	if err != nil {
		return nil, nil, err
	}
	config, secretKeys = publicConfig(values, file)
	// The provider's own secrets are needed to ask AWS.
	if !slices.ContainsFunc(secretKeys, func(key string) bool { return strings.HasPrefix(key, "aws:") }) {
		return config, secretKeys, nil
	}
	revealed, err := pulumi.Config(ctx, stack, "", "--show-secrets")
	for key, value := range revealed {
		if strings.HasPrefix(key, "aws:") && value.Value != nil {
			config[key] = *value.Value
		}
	}
	return config, secretKeys, err
}

// publicConfig are the values of a configuration that are no secrets, with hiddenValue for those that are, and the keys
// of these. file is what the stage file has.
func publicConfig(values map[string]configValue, file map[string]string) (config map[string]string,
	secretKeys []string) {
	config = map[string]string{}
	for key, value := range values {
		if value.Secret {
			secretKeys = append(secretKeys, key)
		}
		switch text, inFile := file[key]; {
		case value.Value != nil && !value.Secret:
			config[key] = *value.Value
		case inFile: // the CLI leaves an object out in which one value is encrypted
			config[key] = text
		default: // from an environment of Pulumi ESC
			config[key] = hiddenValue
		}
	}
	slices.Sort(secretKeys)
	return config, secretKeys
}

// configOfFiles is the configuration of a stage as its file and Pulumi.yaml have it, as far as they say it without
// pulumi.
func (p *project) configOfFiles(stack string) (config map[string]string, secretKeys []string, err error) {
	shared, err := readStageFile(filepath.Join(p.Directory, "Pulumi.yaml"))
	if err != nil {
		return nil, nil, err
	}
	config = map[string]string{}
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
			return nil, nil, err
		}
	}
	own, err := readStageFile(p.stageFile(stack))
	for key, text := range own {
		config[key] = text
		if strings.Contains(text, hiddenValue) {
			secretKeys = append(secretKeys, key)
		}
	}
	return config, secretKeys, err
}

// stageConfig is the configuration of a stage as its file says it now.
type stageConfig struct {
	// config and secretKeys are as those of readConfig.
	config     map[string]string
	secretKeys []string
	// values are the decrypted ones, where they could be decrypted.
	values map[string]configValue
}

// readStageConfig reads a stage's configuration with its secrets, where what decrypts them is at hand.
func readStageConfig(ctx context.Context, pulumi pulumiCLI, project *project, stack string,
	files *stackFiles) (*stageConfig, error) {
	found := &stageConfig{}
	file, err := readStageFile(project.stageFile(stack)) // first: a mistake in it is told with its name and line
	if err != nil {
		return nil, err
	}
	if project.encrypts(stack) || files == nil {
		found.values, err = pulumi.Config(ctx, stack, "", "--show-secrets")
	}
	if found.values == nil || err != nil {
		if found.values, err = pulumi.Config(ctx, stack, ""); err != nil {
			return nil, err
		}
	}
	found.config, found.secretKeys = publicConfig(found.values, file)
	for _, key := range found.secretKeys {
		if !strings.HasPrefix(key, "aws:") {
			continue
		}
		if found.values[key].Value == nil {
			return nil, fmt.Errorf("%s of %s is encrypted, and AWS cannot be asked without it: give pulumi what decrypts it, "+
				"such as "+
				"PULUMI_CONFIG_PASSPHRASE", key, stack)
		}
		found.config[key] = *found.values[key].Value // the provider's own secrets are needed to ask AWS
	}
	return found, nil
}

// readStageFile returns the values of a stage file by full key, objects as JSON, with hiddenValue for what is
// encrypted.
func readStageFile(path string) (map[string]string, error) {
	source, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	config, err := parseStageFile(source)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return config, nil
}

func parseStageFile(source []byte) (map[string]string, error) {
	var file struct {
		Config map[string]any `yaml:"config"`
	}
	if err := yaml.Unmarshal(source, &file); err != nil {
		return nil, err
	}
	config := map[string]string{}
	for key, value := range file.Config {
		var err error
		if config[key], err = configText(hideEncrypted(value)); err != nil {
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

// hideEncrypted puts hiddenValue in the place of every {secure: …}.
func hideEncrypted(value any) any {
	switch value := value.(type) {
	case map[string]any:
		if _, encrypted := value["secure"]; encrypted && len(value) == 1 {
			return hiddenValue
		}
		for key := range value {
			value[key] = hideEncrypted(value[key])
		}
	case []any:
		for i := range value {
			value[i] = hideEncrypted(value[i])
		}
	}
	return value
}

// loadStage checks a configuration as `pulumi up` would. Values that are encrypted are not looked into.
func loadStage(project *project, stack string, config map[string]string, secretKeys []string) (*stage.Stage, error) {
	return stage.Load(stage.Input{
		Project: project.Name, Stage: stageName(stack), Config: config, SecretKeys: secretKeys, Root: project.Directory,
	})
}

// awsOf prepares calls to AWS with the settings that the stage's own provider has, in an account that the stage may
// use.
func awsOf(ctx context.Context, stack string, config map[string]string) (cfg aws.Config, settings provider.Settings,
	account string, err error) {
	settings, err = provider.ReadSettings(func(key string) string { return config["aws:"+key] })
	if err != nil {
		return cfg, settings, "", err
	}
	file := "Pulumi." + stageName(stack) + ".yaml"
	cfg, err = settings.Load(ctx)
	if err == nil && cfg.Region == "" {
		return cfg, settings, "", fmt.Errorf("aws:region (%s): is missing; write the region of the stage, or set AWS_REGION",
			file)
	}
	if err == nil {
		account, err = settings.Account(ctx, cfg)
	}
	if err != nil {
		return cfg, settings, "", settings.Explain(err, file)
	}
	var allowed []string
	if text := config["aws:allowedAccountIds"]; text != "" {
		if err := json.Unmarshal([]byte(text), &allowed); err != nil {
			return cfg, settings, "", fmt.Errorf("aws:allowedAccountIds (%s): must be a list of account numbers in quotes", file)
		}
		if !slices.Contains(allowed, account) {
			return cfg, settings, "",
				fmt.Errorf("the credentials belong to account %s, and %s may only use %s (aws:allowedAccountIds)",
					account, stack, strings.Join(allowed, ", "))
		}
	}
	return cfg, settings, account, nil
}
