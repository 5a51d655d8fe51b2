package components

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"slipway/internal/awslimits"
	"slipway/internal/policies"
	"slipway/stage"
)

// checkSizes looks for what is larger than AWS takes: the permissions of each role, and each task definition.
func checkSizes(account *stageAccount, settings *stage.Stage) error {
	var mistakes []error
	for _, name := range settings.TaskDefinitions() {
		statements := policies.Execution(settings, name, account.ARN, policies.OwnSecretLike(settings, name, account.ARN))
		_, managed, err := policies.Split(statements)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: the images and secrets that ECS is let read %w",
				settings.WhereDefined(name, "secrets"), err))
		}
		_, long, err := policies.Split(policies.Task(settings, name, account.ARN))
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: these %w", settings.WhereDefined(name, "permissions"), err))
		}
		if path := settings.Roles.Path; (managed || long) && !awslimits.PolicyPath.MatchString(path) {
			mistakes = append(mistakes, fmt.Errorf("%s: is %q, and the permissions of %s are so long that they need managed "+
				"policies, "+
				"whose paths have letters, digits and . , + @ = _ - between each two /; write such a path, or permit less",
				settings.Where("roles", "path"), path, settings.Key(name)))
		}
		size, err := taskDefinitionSize(account, settings, name)
		switch {
		case err != nil:
			mistakes = append(mistakes, fmt.Errorf("%s: %w", settings.WhereDefined(name), err))
		case size > awslimits.TaskDefinitionSize:
			mistakes = append(mistakes,
				fmt.Errorf("%s: its task definition would have about %d bytes, with the variables, secrets and commands of all "+
					"containers, and ECS takes %d; shorten them, or have the containers read what is long from elsewhere",
					settings.WhereDefined(name), size, awslimits.TaskDefinitionSize))
		}
	}
	return errors.Join(mistakes...)
}

const (
	// aroundContainers is what the rest of a task definition has at most, in bytes, beside names, tags and containers.
	aroundContainers = 512
	// aroundEFS is what a volume has more in a file system of EFS.
	aroundEFS = 320
	// longestImageTag is the longest that an image is built under, and someVersion is as long as a version of a secret.
	longestImageTag = "20060102-150405-0123456-dirty-01234567"
	someVersion     = "terraform-00000000000000000000000000"
)

// taskDefinitionSize is about how many bytes a task definition would have, with texts as long as those that are known
// later.
func taskDefinitionSize(account *stageAccount, settings *stage.Stage, name string) (int, error) {
	definition := settings.TaskDefinition(name)
	args := &taskDefinitionArgs{
		Family: settings.Family(name), Container: name, Settings: definition, Port: settings.Services[name].Port,
		PortName: settings.Services[name].Name, AppProtocol: settings.Services[name].AppProtocol,
		Exec: settings.Services[name].Exec, Images: stageImages{}, Region: account.Region, LogGroup: settings.LogGroup(name),
		PullCredentials: settings.PullCredentials(definition),
	}
	images, secrets := map[string]string{}, map[string]string{}
	for _, image := range definition.AllImages() {
		images[image] = image
		declared, own := settings.Images[image]
		switch {
		case own && declared.Owned():
			there := settings.OwnImage(image, account.ID, account.Region)
			there.Tag, there.Digest = cmp.Or(there.Tag, longestImageTag), "" // containers name it by its tag
			images[image] = there.String()
		case own:
			args.Images[image] = pinnedImage(*declared.Ref, declared.Platform)
			images[image] = declared.Ref.Pinned()
		}
	}
	for variable, secret := range definition.AllSecrets() {
		secrets[variable] = secret.ARN
		if secret.ARN == "" {
			own := policies.OwnSecretLike(settings, name, account.ARN)
			secrets[variable] = strings.Join([]string{own, variable, "", someVersion}, ":")
		}
	}
	text, err := args.containerDefinitions(resolved{images: images, secrets: secrets})
	if err != nil {
		return 0, err
	}
	size := len(text) + aroundContainers + len(args.Family) + len(settings.Roles.Path)*2 +
		2*len(account.ARN("iam", "role/"+settings.ExecutionRole(name)))
	for key, value := range settings.TagsOf(name) {
		size += len(key) + len(value) + len(`"":"",`)
	}
	for _, volume := range definition.MountedVolumes() {
		size += len(volume) + len(`{"name":"","host":{}},`)
		if efs := definition.Volumes[volume].EFS; efs != nil {
			size += aroundEFS + len(efs.Root)
		}
	}
	return size, nil
}
