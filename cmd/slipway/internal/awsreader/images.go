package awsreader

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"slipway/internal/imageref"
)

// Image is an image that a container definition names.
type Image struct {
	// Reference is as the container definition has it.
	Reference string `json:"reference"`
	// Ref is what that names. What it does not say of tag and digest, the definition's label and the repository do.
	imageref.Ref
	// Commit that it was built from, with -dirty where files differed from it.
	Commit string `json:"commit,omitempty"`
	// Gone is set where the image was in a repository of the account, and is there no more.
	Gone bool `json:"gone,omitempty"`
}

// Pin is the image as a stage file pins it; empty where tag or digest are not known.
func (i Image) Pin() string {
	if i.Host == "" || i.Tag == "" || i.Digest == "" {
		return ""
	}
	return i.String()
}

// image tells what a container runs: what its definition does not say of tag and digest, the repository does.
func (c *Client) image(ctx context.Context, container types.ContainerDefinition) (Image, error) {
	used := Image{Reference: aws.ToString(container.Image)}
	used.Ref, _ = imageref.Parse(used.Reference) // of other text, nothing is known
	used.Tag = cmp.Or(used.Tag, container.DockerLabels[imageref.TagLabel])
	if used.Account == c.Account && used.Region == c.Region {
		images, err := c.repository(ctx, used.Repository)
		if err != nil {
			return used, err
		}
		images.complete(&used)
	}
	used.Commit = imageref.CommitOf(used.Tag)
	return used, nil
}

// Images are what the containers of a revision run.
type Images struct {
	// Image that the main container runs.
	Image Image `json:"image"`
	// Sidecars are the images that the containers beside it run, by container.
	Sidecars map[string]Image `json:"sidecars,omitempty"`
}

// Images tells what the containers of a revision run, the main one and those beside it; nothing where there is no
// revision.
func (c *Client) Images(ctx context.Context, r *Revision, main string) (images Images, err error) {
	if r == nil {
		return images, nil
	}
	container := r.container(main)
	if images.Image, err = c.image(ctx, container); err != nil {
		return images, err
	}
	for _, beside := range r.Definition.ContainerDefinitions {
		if name := aws.ToString(beside.Name); name != aws.ToString(container.Name) {
			if images.Sidecars == nil {
				images.Sidecars = map[string]Image{}
			}
			if images.Sidecars[name], err = c.image(ctx, beside); err != nil {
				return images, err
			}
		}
	}
	return images, nil
}

// Gone says which images ECR no longer has, the main container's first. A container that runs the same is not named
// besides.
func (i Images) Gone() (sentences []string) {
	if i.Image.Gone {
		sentences = append(sentences, fmt.Sprintf("its image %s is gone from ECR", i.Image.Reference))
	}
	for _, container := range slices.Sorted(maps.Keys(i.Sidecars)) {
		if image := i.Sidecars[container]; image.Gone && image.Reference != i.Image.Reference {
			sentences = append(sentences, fmt.Sprintf("the image %s of its container %s is gone from ECR", image.Reference,
				container))
		}
	}
	return sentences
}

// Same tells whether the containers of two revisions run the same.
func (i Images) Same(other Images) bool {
	return i.Image.Reference == other.Image.Reference &&
		maps.EqualFunc(i.Sidecars, other.Sidecars, func(a, b Image) bool {
			return a.Reference == b.Reference
		})
}

// repositoryImages is what a repository of ECR holds.
type repositoryImages struct {
	digest map[string]string   // by tag
	tags   map[string][]string // by digest
}

// complete adds what is not known of an image, and whether it is gone.
func (r *repositoryImages) complete(used *Image) {
	if used.Digest == "" {
		used.Digest = r.digest[used.Tag]
		used.Gone = used.Digest == ""
		return
	}
	tags, there := r.tags[used.Digest]
	used.Gone = !there
	if used.Tag == "" && there {
		if i := slices.IndexFunc(tags, imageref.IsBuildTag); i >= 0 {
			used.Tag = tags[i]
		}
	}
}

// Holds is how many images a repository holds.
func (c *Client) Holds(ctx context.Context, repository string) (int, error) {
	images, err := c.repository(ctx, repository)
	if err != nil {
		return 0, err
	}
	return len(images.tags), nil
}

// repository lists what a repository holds, once; one that is not there holds nothing.
func (c *Client) repository(ctx context.Context, name string) (*repositoryImages, error) {
	if known := c.repositories[name]; known != nil {
		return known, nil
	}
	found := &repositoryImages{map[string]string{}, map[string][]string{}}
	pages := ecr.NewListImagesPaginator(c.ECR, &ecr.ListImagesInput{RepositoryName: &name, MaxResults: aws.Int32(1000)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if IsCode(err, "RepositoryNotFoundException") {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("reading the images of %s from ECR: %w", name, err)
		}
		for _, id := range page.ImageIds {
			digest, tag := aws.ToString(id.ImageDigest), aws.ToString(id.ImageTag)
			found.tags[digest] = append(found.tags[digest], tag)
			if tag != "" {
				found.digest[tag] = digest
			}
		}
	}
	c.repositories[name] = found
	return found, nil
}

// Describe is an image's tag, or what its definition names, and whether ECR no longer has it.
func (i Image) Describe() string {
	text := cmp.Or(i.Tag, i.Reference)
	if i.Gone {
		text += ", gone"
	}
	return text
}
