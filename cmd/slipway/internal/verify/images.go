package verify

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/exit"
	"slipway/internal/imageref"
)

// checkImages looks for the images that the stage pins, and for the repositories of those that it builds.
func (v *verifier) checkImages() {
	for _, name := range slices.Sorted(maps.Keys(v.stage.Images)) {
		image := v.stage.Images[name]
		if image.Ref == nil {
			v.add("image", v.stage.Where("images", name, "build"), func(ctx context.Context) (string, error) {
				return v.repositoryOf(ctx, name)
			})
			continue
		}
		v.add("image", v.stage.Where("images", name, "ref"), func(ctx context.Context) (string, error) {
			there := fmt.Sprintf("%s is there, for %s", image.Ref, image.Platform)
			if !image.Mirror {
				return there, v.registries.CheckPinned(ctx, *image.Ref, image.Platform)
			}
			own := v.stage.OwnImage(name, v.Account, v.Region)
			copied, err := v.registries.CheckCopy(ctx, own, *image.Ref, image.Platform)
			if copied {
				return fmt.Sprintf("%s is copied already, into %s", own.Tag, own.Repository), err
			}
			return there + "; the update copies it into " + own.Repository, err
		})
	}
}

func (v *verifier) repositoryOf(ctx context.Context, image string) (string, error) {
	name := v.stage.RepositoryName(image)
	_, err := v.ECR.DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{RepositoryNames: []string{name}})
	if awsreader.IsCode(err, "RepositoryNotFoundException") {
		return "", noted("is built by the update, which makes its repository %s, too", name)
	}
	return "is built by the update, for the repository " + name, err
}

// checkReferences looks for the images that containers name by themselves, and not by a name in images.
func (v *verifier) checkReferences() {
	for _, user := range v.stage.TaskDefinitions() {
		definition := v.stage.TaskDefinition(user)
		for _, name := range slices.Sorted(maps.Keys(definition.Containers)) {
			image := definition.Containers[name].Image
			if _, declared := v.stage.Images[image]; !declared {
				v.add("image", v.stage.WhereDefined(user, "containers", name, "image"), func(ctx context.Context) (string, error) {
					platform := v.stage.Images[definition.Image].Platform
					return fmt.Sprintf("%s is there, for %s", image, platform), v.registries.CheckNamed(ctx, image, platform)
				})
			}
		}
	}
}

// checkRevisions looks for the revisions that services are pinned to.
func (v *verifier) checkRevisions() {
	for _, name := range slices.Sorted(maps.Keys(v.stage.Services)) {
		if number := v.stage.Services[name].Revision; number != 0 {
			v.add("revision", v.stage.Where("services", name, "revision"), func(ctx context.Context) (string, error) {
				return v.pinnedRevision(ctx, fmt.Sprintf("%s:%d", v.stage.Family(name), number))
			})
		}
	}
}

func (v *verifier) pinnedRevision(ctx context.Context, name string) (string, error) {
	found, err := v.Revision(ctx, name)
	if err != nil {
		return "", err
	}
	if found == nil {
		return "", exit.Refuse("there is no revision %s: name one that `aws ecs list-task-definitions --family-prefix %s` lists",
			name, name[:strings.LastIndex(name, ":")])
	}
	if !found.Active {
		return "", exit.Refuse("%s is INACTIVE, and ECS starts no tasks of it: name an ACTIVE revision", name)
	}
	for _, container := range found.Definition.ContainerDefinitions {
		image, stored := imageref.ParseECRIn(v.Account, v.Region, aws.ToString(container.Image))
		if !stored { // other registries and accounts are taken to have it
			continue
		}
		there, err := v.registries.Has(ctx, image)
		if err != nil {
			return "", err
		}
		if !there {
			return "", exit.Refuse("the image of its container %s, %s, is no longer in ECR: name a revision whose image is there",
				aws.ToString(container.Name), aws.ToString(container.Image))
		}
	}
	return path.Base(found.ARN) + " is ACTIVE, and its images are there", nil
}
