package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/stage"
)

// stageImages are the images of a stage by name.
type stageImages map[string]*stageImage

// newImages declares the images that the stage builds or copies, each with a repository of its own, and describes those
// that it pins. An image that the stage builds and pins to an earlier one has its repository, and nothing is built for
// it.
func newImages(ctx *pulumi.Context, settings *stage.Stage, preflight *Preflight) (stageImages, error) {
	images := stageImages{}
	var login *ecr.GetAuthorizationTokenResult
	for _, name := range sortedKeys(settings.Images) {
		declared := settings.Images[name]
		if !declared.Owned() {
			images[name] = pinnedImage(*declared.Ref, declared.Platform)
			continue
		}
		repository, err := newRepository(ctx, name, settings, preflight.account)
		if err != nil {
			return nil, err
		}
		if declared.Mirror {
			images[name], err = newMirroredImage(ctx, settings.Where("images", name, "ref"), name, repository,
				preflight.copies[name], declared.Platform)
			if err != nil {
				return nil, err
			}
			continue
		}
		if declared.Ref != nil {
			images[name] = earlierImage(repository.URL, *declared.Ref, declared.Platform)
			continue
		}
		if login == nil { // one login serves every push
			if login, err = ecr.GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenArgs{}); err != nil {
				return nil, err
			}
		}
		images[name], err = newImage(ctx, name, preflight.builds[name], settings.RepositoryName(name), repository.URL, login)
		if err != nil {
			return nil, err
		}
	}
	return images, nil
}

// refs name the images of a task's containers, the main one's first: repository:tag@sha256:… of those of the stage, and
// any other as the stage file has it.
func (images stageImages) refs(definition stage.TaskDefinition) pulumi.StringArray {
	var refs pulumi.StringArray
	for _, image := range definition.AllImages() {
		if own := images[image]; own != nil {
			refs = append(refs, own.Ref)
		} else {
			refs = append(refs, pulumi.String(image))
		}
	}
	return refs
}

// Summary is what the stack's outputs say of the images.
func (images stageImages) Summary() pulumi.Map {
	summary := pulumi.Map{}
	for name, image := range images {
		summary[name] = pulumi.Map{
			"ref": image.Ref, "tag": image.Tag, "digest": image.Digest, "commit": image.Commit,
			"platform": pulumi.String(image.Platform),
		}
	}
	return summary
}
