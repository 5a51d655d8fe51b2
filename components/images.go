package components

import (
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/stage"
)

// Images are the images of a stage by name.
type Images map[string]*Image

// NewImages declares the images that the stage builds, each with a repository of its own, and describes those that it
// pins. root is the directory of Pulumi.yaml.
func NewImages(ctx *pulumi.Context, account *Account, settings *stage.Stage, root string) (Images, error) {
	images := Images{}
	now := time.Now()
	var registry *ecr.GetAuthorizationTokenResult
	for _, name := range sortedKeys(settings.Images) {
		declared := settings.Images[name]
		if declared.Ref != nil {
			images[name] = PinnedImage(account, *declared.Ref, declared.Platform)
			continue
		}
		repository, err := NewRepository(ctx, name, &RepositoryArgs{
			Name:        settings.RepositoryName(name),
			ForceDelete: settings.Repository.ForceDelete,
		})
		if err != nil {
			return nil, err
		}
		if registry == nil { // one login serves every push
			if registry, err = ecr.GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenArgs{}); err != nil {
				return nil, err
			}
		}
		images[name], err = NewImage(ctx, name, &ImageArgs{
			Key:           settings.Where("images", name, "build"),
			Account:       account,
			Build:         *declared.Build,
			Root:          root,
			Repository:    settings.RepositoryName(name),
			RepositoryURL: repository.URL,
			Registry:      registry,
			Now:           now,
		})
		if err != nil {
			return nil, err
		}
	}
	return images, nil
}

// Summary is what the stack's outputs say of the images.
func (images Images) Summary() pulumi.Map {
	summary := pulumi.Map{}
	for name, image := range images {
		summary[name] = pulumi.Map{
			"ref": image.Ref, "tag": image.Tag, "digest": image.Digest, "commit": image.Commit,
			"platform": pulumi.String(image.Platform),
		}
	}
	return summary
}
