package components

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/internal/imageref"
	"slipway/internal/origins"
	"slipway/internal/policies"
	"slipway/internal/registries"
	"slipway/internal/secretref"
	"slipway/stage"
)

// lookupRevision finds the earlier revision that a service is pinned to, and whether it can start as the service is
// now, before anything changes.
func lookupRevision(ctx *pulumi.Context, account *stageAccount, images *registries.Registries, settings *stage.Stage,
	service string) (arn string, err error) {
	family := settings.Family(service)
	name := fmt.Sprintf("%s:%d", family, settings.Services[service].Revision)
	found, err := ecs.LookupTaskDefinition(ctx, &ecs.LookupTaskDefinitionArgs{TaskDefinition: name})
	if err != nil {
		return "", fmt.Errorf("there is no task definition %s: name one that "+
			"`aws ecs list-task-definitions --family-prefix %s` lists: %w", name, family, err)
	}
	if found.Status != "ACTIVE" {
		return "", fmt.Errorf("the task definition %s is %s, and ECS starts no task from it: name one that is ACTIVE", name,
			found.Status)
	}
	runsOn := compatibility(settings.Services[service].NeedsInstances())
	if made := found.RequiresCompatibilities; len(made) > 0 && !slices.Contains(made, runsOn) {
		return "", fmt.Errorf("the task definition %s is made for %s, and the service runs on %s now: write the capacity that "+
			"it had then, or go back by `git revert`", name, strings.Join(made, ", "), runsOn)
	}
	var containers []containerDefinition
	if err := json.Unmarshal([]byte(found.ContainerDefinitions), &containers); err != nil {
		return "", fmt.Errorf("reading the containers of the task definition %s: %w", name, err)
	}
	if err := fits(containers, settings, service); err != nil {
		return "", fmt.Errorf("the task definition %s %w", name, err)
	}
	if err := mountsFit(found.Volumes, containers, settings.TaskDefinition(service), service); err != nil {
		return "", fmt.Errorf("the task definition %s %w", name, err)
	}
	return found.Arn, lookupImages(ctx.Context(), images, name, containers,
		policies.Repositories(settings, service, account.ARN))
}

// lookupImages finds out whether ECR still has the images of an earlier revision, in repositories that the service's
// role may pull from.
func lookupImages(ctx context.Context, images *registries.Registries, name string, containers []containerDefinition,
	repositories []string) error {
	for _, container := range containers {
		image, inECR := imageref.ParseECR(container.Image)
		if !inECR {
			continue
		}
		if !slices.Contains(repositories, policies.RepositoryARN(image)) {
			return fmt.Errorf("the task definition %s runs the image %s, and the service's role may not pull from its "+
				"repository any more: go back by `git revert`", name, container.Image)
		}
		if !images.Own(image) {
			continue
		}
		there, err := images.Has(ctx, image)
		switch {
		case err != nil:
			return fmt.Errorf("the task definition %s runs the image %s: %w", name, container.Image, err)
		case !there:
			return fmt.Errorf("the task definition %s runs the image %s, which is not in ECR, as one that has expired "+
				"(repository.keepRevisions): name a later revision, or go back by `git revert`", name, container.Image)
		}
	}
	return nil
}

// fits tells what a service no longer has that the containers of an earlier revision need: the port that the load
// balancer and security groups have, the one that others call by its name, and secrets that its execution role may
// read.
func fits(containers []containerDefinition, settings *stage.Stage, service string) error {
	now := settings.Services[service]
	named := func(c containerDefinition) bool {
		return slices.ContainsFunc(c.PortMappings,
			func(p portMapping) bool { return p.Name == now.Name && p.ContainerPort == now.Port })
	}
	if now.Name != "" && !slices.ContainsFunc(containers, named) {
		return fmt.Errorf("has no port %d named %s, by which ECS lets others call the service: write port and name that it had "+
			"then at services.%s, or no name, or go back by `git revert`", now.Port, now.Name, service)
	}
	listens := func(c containerDefinition) bool {
		return c.Name == service &&
			slices.ContainsFunc(c.PortMappings, func(p portMapping) bool { return p.ContainerPort == now.Port })
	}
	if now.Port != 0 && !slices.ContainsFunc(containers, listens) {
		return fmt.Errorf("does not listen on port %d, at which the service is reached: write the port of that revision as "+
			"services.%s.port", now.Port, service)
	}
	readable, keepsOwn := map[string]bool{}, false
	for _, current := range now.AllSecrets() {
		readable[secretref.ARN(current.ARN)] = true
		keepsOwn = keepsOwn || current.ARN == ""
	}
	uses := map[string]bool{}
	for _, current := range now.AllContainers(service) {
		for _, name := range current.Uses {
			uses[origins.HandOver(name)] = true
		}
	}
	pullCredentials := slices.Collect(maps.Values(settings.PullCredentials(now.TaskDefinition)))
	for _, container := range containers {
		origins, _ := origins.In(container.DockerLabels)
		for _, needed := range slices.Concat(container.Secrets, container.LogConfiguration.SecretOptions) {
			if uses[origins[needed.Name]] { // and so the role may read what is handed over
				continue
			}
			reference, _ := secretref.Parse(needed.ValueFrom)
			own := reference.IsOf(settings.Family(service))
			switch {
			case own && !keepsOwn:
				return fmt.Errorf("is given %s from the secret of the service, which the stage no longer has: go back by "+
					"`git revert`, which recreates it", needed.Name)
			case !own && !readable[secretref.ARN(needed.ValueFrom)]:
				return fmt.Errorf("is given the secret %s, which the service's role may not read: name it in services.%s.secrets "+
					"again, with the same ARN", needed.Name, service)
			}
		}
		if needed := container.PullCredentials; needed != nil && !slices.Contains(pullCredentials,
			needed.CredentialsParameter) {
			return fmt.Errorf("is pulled with the secret %s, which the service's role may not read any more: go back by "+
				"`git revert`", needed.CredentialsParameter)
		}
	}
	return nil
}

// mountsFit tells what an earlier revision mounts of EFS that the service's task role is not let in to any more.
func mountsFit(volumes []ecs.GetTaskDefinitionVolume, containers []containerDefinition, now stage.TaskDefinition,
	service string) error {
	for _, volume := range volumes {
		writes := slices.ContainsFunc(containers, func(c containerDefinition) bool {
			return slices.ContainsFunc(c.MountPoints,
				func(m mountPoint) bool { return m.SourceVolume == volume.Name && !m.ReadOnly })
		})
		for _, efs := range volume.EfsVolumeConfigurations {
			for _, authorization := range efs.AuthorizationConfigs {
				there := stage.EFS{ID: efs.FileSystemId, AccessPoint: authorization.AccessPointId}
				if authorization.Iam != "ENABLED" { // and so the role says nothing
					continue
				}
				if mistake := policies.MountMistake(now, there, writes, service); mistake != "" {
					return errors.New(mistake)
				}
			}
		}
	}
	return nil
}
