package pulumicli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"slipway/cmd/slipway/internal/stagefile"
)

// ReadConfig is the configuration of a stage as its file says it now, by full key, with hiddenValue for what is
// encrypted, but for what the AWS provider needs. secretKeys are the keys that are encrypted or hold an encrypted
// value.
func ReadConfig(ctx context.Context, pulumi CLI, project *stagefile.Project,
	stack string) (config map[string]string,
	secretKeys []string, err error) {
	file, err := stagefile.Read(project.StageFile(stack)) // first: a mistake in it is told with its name and line
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
func publicConfig(values map[string]ConfigValue, file map[string]string) (config map[string]string,
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
			config[key] = stagefile.HiddenValue
		}
	}
	slices.Sort(secretKeys)
	return config, secretKeys
}

// StageConfig is the configuration of a stage as its file says it now.
type StageConfig struct {
	// Config and secretKeys are as those of readConfig.
	Config     map[string]string
	SecretKeys []string
	// Values are the decrypted ones, where they could be decrypted.
	Values map[string]ConfigValue
}

// ReadStageConfig reads a stage's configuration with its secrets, where what decrypts them is at hand.
func ReadStageConfig(ctx context.Context, pulumi CLI, project *stagefile.Project, stack string,
	files *Backend) (*StageConfig, error) {
	found := &StageConfig{}
	file, err := stagefile.Read(project.StageFile(stack)) // first: a mistake in it is told with its name and line
	if err != nil {
		return nil, err
	}
	if project.Encrypts(stack) || files == nil {
		found.Values, err = pulumi.Config(ctx, stack, "", "--show-secrets")
	}
	if found.Values == nil || err != nil {
		if found.Values, err = pulumi.Config(ctx, stack, ""); err != nil {
			return nil, err
		}
	}
	found.Config, found.SecretKeys = publicConfig(found.Values, file)
	for _, key := range found.SecretKeys {
		if !strings.HasPrefix(key, "aws:") {
			continue
		}
		if found.Values[key].Value == nil {
			return nil, fmt.Errorf("%s of %s is encrypted, and AWS cannot be asked without it: give pulumi what decrypts it, "+
				"such as "+
				"PULUMI_CONFIG_PASSPHRASE", key, stack)
		}
		found.Config[key] = *found.Values[key].Value // the provider's own secrets are needed to ask AWS
	}
	return found, nil
}
