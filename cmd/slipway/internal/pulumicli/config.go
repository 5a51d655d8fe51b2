package pulumicli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"slipway/cmd/slipway/internal/stagefile"
)

// StageConfig is the configuration of a stage as its file says it now.
type StageConfig struct {
	// Config is by full key, with stagefile.HiddenValue for what is encrypted, but for what the AWS provider needs.
	Config map[string]string
	// SecretKeys are the keys that are encrypted or hold an encrypted value.
	SecretKeys []string
	// Values are what pulumi says, decrypted where that was asked for and could be done.
	Values map[string]ConfigValue
	// DecryptErr is why it could not be done; nil where nothing is encrypted.
	DecryptErr error
}

// ReadConfig reads a stage's configuration; with decrypt its secrets, too, where what decrypts them is at hand.
func ReadConfig(ctx context.Context, pulumi CLI, project *stagefile.Project, stack string,
	decrypt bool) (*StageConfig, error) {
	file, err := stagefile.Read(project.StageFile(stack)) // first: a mistake in it is reported with its name and line
	if err != nil {
		return nil, err
	}
	found := &StageConfig{}
	if decrypt {
		found.Values, found.DecryptErr = pulumi.Config(ctx, stack, "", "--show-secrets")
	}
	if !decrypt || found.DecryptErr != nil {
		if found.Values, err = pulumi.Config(ctx, stack, ""); err != nil {
			return nil, err
		}
	}
	found.Config, found.SecretKeys = PublicConfig(found.Values, file)
	if len(found.SecretKeys) == 0 {
		found.DecryptErr = nil
	}
	return found, found.revealProvider(ctx, pulumi, stack, decrypt)
}

// revealProvider adds the provider's own secrets, which are needed to ask AWS.
func (c *StageConfig) revealProvider(ctx context.Context, pulumi CLI, stack string, decrypted bool) (err error) {
	revealed := c.Values
	for _, key := range c.SecretKeys {
		if !strings.HasPrefix(key, "aws:") {
			continue
		}
		if !decrypted {
			if revealed, err = pulumi.Config(ctx, stack, "", "--show-secrets"); err != nil {
				return err
			}
			decrypted = true
		}
		if revealed[key].Value == nil {
			return fmt.Errorf("%s of %s is encrypted, and AWS cannot be asked without it: give pulumi what decrypts it, "+
				"such as PULUMI_CONFIG_PASSPHRASE", key, stack)
		}
		c.Config[key] = *revealed[key].Value
	}
	return nil
}

// PublicConfig are the values of a configuration that are no secrets, with HiddenValue for those that are, and the keys
// of these. file is what the stage file has.
func PublicConfig(values map[string]ConfigValue, file map[string]string) (config map[string]string,
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
