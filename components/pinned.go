package components

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"golang.org/x/sync/errgroup"

	"slipway/internal/imageref"
	"slipway/stage"
)

// lookups is how many lookups are under way at once: a stage may pin a hundred images.
const lookups = 10

// LookupPinned looks up what the stage pins: images by digest, services to earlier revisions, whose ARNs it returns by
// service, and the images in ECR that containers name by their references. Whatever is missing is reported at once,
// before anything is built or changed.
func LookupPinned(ctx *pulumi.Context, account *Account, settings *stage.Stage) (map[string]string, error) {
	var running errgroup.Group
	running.SetLimit(lookups)
	var mistakes []*error // each in its own place, so that their order is always the same
	look := func(where string, check func() error) {
		mistake := new(error)
		mistakes = append(mistakes, mistake)
		running.Go(func() error {
			if *mistake = check(); *mistake != nil && where != "" {
				*mistake = fmt.Errorf("%s: %w", where, *mistake)
			}
			return nil
		})
	}
	for _, name := range sortedKeys(settings.Images) {
		if ref := settings.Images[name].Ref; ref != nil {
			look(settings.Where("images", name, "ref"), func() error { return checkPinned(ctx, account, *ref) })
		}
	}
	var mutex sync.Mutex
	revisions := map[string]string{}
	for _, name := range sortedKeys(settings.Services) {
		if settings.Services[name].Revision == 0 {
			continue
		}
		look(settings.Where("services", name, "revision"), func() error {
			arn, err := lookupRevision(ctx, account, settings, name)
			mutex.Lock()
			defer mutex.Unlock()
			revisions[name] = arn
			return err
		})
	}
	for _, name := range settings.TaskDefinitions() {
		look("", func() error { return lookupReferences(ctx, account, settings, name) })
	}
	_ = running.Wait()
	var all []error
	for _, mistake := range mistakes {
		all = append(all, *mistake)
	}
	return revisions, errors.Join(all...)
}

// lookupReferences looks up the images in the stage's ECR that containers of a service or a task name by their
// references.
func lookupReferences(ctx *pulumi.Context, account *Account, settings *stage.Stage, name string) error {
	var mistakes []error
	containers := settings.TaskDefinition(name).Containers
	for _, container := range sortedKeys(containers) {
		text := containers[container].Image
		image, stored := imageref.ParseECRIn(account.ID, account.Region, text)
		if _, declared := settings.Images[text]; declared || !stored {
			continue
		}
		if err := lookupImage(ctx, image); err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %s is not in ECR: name an image that the repository holds: %w",
				settings.WhereDefined(name, "containers", container, "image"), text, err))
		}
	}
	return errors.Join(mistakes...)
}

// pinnedImage describes an image that another stage built. Nothing is declared for it: it is there already.
func pinnedImage(ref stage.Ref, platform string) *Image {
	return &Image{
		Reference: pulumi.String(ref.Pinned()).ToStringOutput(),
		Ref:       pulumi.String(ref.String()).ToStringOutput(),
		Tag:       pulumi.String(ref.Tag).ToStringOutput(),
		Digest:    pulumi.String(ref.Digest).ToStringOutput(),
		Commit:    pulumi.String(imageref.CommitOf(ref.Tag)).ToStringOutput(),
		Platform:  platform,
		// The reference is a digest, which says nothing to a reader: the tag tells time and commit.
		Labels: map[string]string{imageref.TagLabel: ref.Tag},
	}
}

// earlierImage describes an image that this stage built earlier. Containers name it as they did then, by its tag, which
// never moves: going back makes the same container definitions again.
func earlierImage(repositoryURL pulumi.StringOutput, ref stage.Ref, platform string) *Image {
	image := pinnedImage(ref, platform)
	image.Reference = pulumi.Sprintf("%s:%s", repositoryURL, ref.Tag)
	image.Labels = nil
	return image
}

// checkPinned looks a pinned image up before anything changes, and says what is wrong with it.
func checkPinned(ctx *pulumi.Context, account *Account, ref stage.Ref) error {
	if ref.Account != account.ID || ref.Region != account.Region {
		return nil
	}
	found, err := ecr.GetImage(ctx, &ecr.GetImageArgs{RepositoryName: ref.Repository, ImageDigest: &ref.Digest})
	if err != nil {
		return fmt.Errorf("%s is not in ECR: pin an image that the repository holds: %w", ref, err)
	}
	if !slices.Contains(found.ImageTags, ref.Tag) {
		return fmt.Errorf("the image %s does not carry the tag %s, but %s: pin tag and digest of one image",
			ref.Digest, ref.Tag, strings.Join(found.ImageTags, ", "))
	}
	return nil
}
