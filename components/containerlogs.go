package components

import (
	"maps"
	"strconv"

	"slipway/internal/awslimits"
	"slipway/stage"
)

// logConfiguration is where the output of a container goes. secrets are the references of secrets by name.
func (args *taskDefinitionArgs) logConfiguration(name string, settings stage.Container,
	secrets map[string]string) logConfiguration {
	configuration := logConfiguration{LogDriver: settings.LogDriver(), Options: map[string]string{}}
	if logs := settings.Logs; logs != nil {
		maps.Copy(configuration.Options, logs.Options)
		configuration.SecretOptions = inOrder(logs.SecretNames,
			func(option, of string) secret { return secret{option, secrets[of]} })
	}
	if configuration.LogDriver == awslimits.CloudWatchDriver {
		maps.Copy(configuration.Options, map[string]string{
			"awslogs-group":         args.LogGroup,
			"awslogs-region":        args.Region,
			"awslogs-stream-prefix": name,
		})
	}
	return configuration
}

// setFireLens makes a container the log router of its task.
func (c *containerDefinition) setFireLens(router *stage.FireLens) {
	if router == nil {
		return
	}
	options := map[string]string{"enable-ecs-log-metadata": strconv.FormatBool(router.ECSLogMetadata)}
	if router.ConfigFile != "" {
		options["config-file-type"], options["config-file-value"] = "file", router.ConfigFile
	}
	c.FireLens = &fireLens{Options: options, Type: router.Type}
	if c.User == "" {
		c.User = awslimits.FireLensUser // as ECS writes it into the revision: left out, each preview would show it
	}
}
