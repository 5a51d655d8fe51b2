package components

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"golang.org/x/sync/errgroup"

	"slipway/components/internal/mirror"
	"slipway/internal/imageref"
	"slipway/internal/registries"
	"slipway/stage"
)

// lookups is how many lookups are under way at once: a stage may pin a hundred images.
const lookups = 10

// pinnedLookup is what was found of what a stage pins.
type pinnedLookup struct {
	// Revisions are the ARNs of the revisions that services are pinned to, by service.
	Revisions map[string]string
	// Copies are of the images that the stage has copied into its own repositories, by image.
	Copies map[string]*mirror.Copy
	// Warnings are about images, and no reason not to update the stage.
	Warnings []string
}

// lookupPinned looks up what the stage pins: images by digest, and services to earlier revisions. Whatever is missing
// is reported at once, before anything is built or changed.
func lookupPinned(ctx *pulumi.Context, account *stageAccount, settings *stage.Stage) (*pinnedLookup, error) {
	var running errgroup.Group
	running.SetLimit(lookups)
	var mistakes []*error // each in its own place, so that their order is always the same
	look := func(where string, check func() error) {
		mistake := new(error)
		mistakes = append(mistakes, mistake)
		running.Go(func() error {
			if *mistake = check(); *mistake != nil {
				*mistake = fmt.Errorf("%s: %w", where, *mistake)
			}
			return nil
		})
	}
	images := &registries.Registries{Account: account.ID, Region: account.Region, Clients: account.Clients,
		Credentials: settings.Credentials()}
	copies := map[string]*mirror.Copy{}
	for _, name := range sortedKeys(settings.Images) {
		image := settings.Images[name]
		switch {
		case image.Mirror:
			own := settings.OwnImage(name, account.ID, account.Region)
			one := &mirror.Copy{Registries: images, Source: *image.Ref, Own: own}
			copies[name] = one
			look(settings.Where("images", name, "ref"), func() error { return one.Prepare(ctx.Context(), image.Platform) })
		case image.Ref != nil:
			look(settings.Where("images", name, "ref"),
				func() error { return images.CheckPinned(ctx.Context(), *image.Ref, image.Platform) })
		}
		if !image.Owned() && !settings.Repository.ForceDelete { // where it is true, it probably was before
			look(settings.Where("images", name), func() error { return leftBehind(ctx.Context(), account, settings, name) })
		}
	}
	var mutex sync.Mutex
	revisions := map[string]string{}
	for _, name := range sortedKeys(settings.Services) {
		if settings.Services[name].Revision == 0 {
			continue
		}
		look(settings.Where("services", name, "revision"), func() error {
			arn, err := lookupRevision(ctx, account, images, settings, name)
			mutex.Lock()
			defer mutex.Unlock()
			revisions[name] = arn
			return err
		})
	}
	for _, name := range settings.TaskDefinitions() {
		definition := settings.TaskDefinition(name)
		for _, container := range sortedKeys(definition.Containers) {
			image := definition.Containers[container].Image
			if _, declared := settings.Images[image]; !declared {
				platform := settings.Images[definition.Image].Platform
				look(settings.WhereDefined(name, "containers", container, "image"),
					func() error { return images.CheckNamed(ctx.Context(), image, platform) })
			}
		}
	}
	_ = running.Wait()
	found := &pinnedLookup{Revisions: revisions, Copies: copies}
	var all []error
	for _, mistake := range mistakes {
		if errors.As(*mistake, new(*registries.Warning)) {
			found.Warnings = append(found.Warnings, (*mistake).Error())
		} else {
			all = append(all, *mistake)
		}
	}
	return found, errors.Join(all...)
}

// leftBehind looks for images in the repository that the stage had for an image when it built or copied it: the update
// would delete it. What cannot be read is not there; whether the state has the repository, the program does not know.
func leftBehind(ctx context.Context, account *stageAccount, settings *stage.Stage, image string) error {
	ctx, cancel := context.WithTimeout(ctx, existingLimit)
	defer cancel()
	clients, err := account.Clients(ctx)
	if err != nil {
		return nil
	}
	found, err := clients.ECR.ListImages(ctx, &ecr.ListImagesInput{
		RepositoryName: aws.String(settings.RepositoryName(image)), MaxResults: aws.Int32(1)})
	if err != nil || len(found.ImageIds) == 0 {
		return nil
	}
	return &registries.Warning{Says: settings.KeptRepository(image, "holds images") +
		". A repository that no update of this stage made stays as it is"}
}

// pinnedImage describes an image that the stage does not build. Nothing is declared for it: it is there already.
func pinnedImage(ref stage.Ref, platform string) *stageImage {
	return &stageImage{
		Reference: pulumi.String(ref.Pinned()).ToStringOutput(),
		Ref:       pulumi.String(ref.String()).ToStringOutput(),
		Tag:       pulumi.String(ref.Tag).ToStringOutput(),
		Digest:    pulumi.String(ref.Digest).ToStringOutput(),
		Commit:    pulumi.String(imageref.CommitOf(ref.Tag)).ToStringOutput(),
		Platform:  platform,
		Labels:    tagLabel(ref.Tag),
	}
}

// tagLabel are the labels of a container whose image is named by its digest, which says nothing to a reader: the tag
// does.
func tagLabel(tag string) map[string]string { return map[string]string{imageref.TagLabel: tag} }

// byDigest is an image that a container has by its reference as ECS takes it, by the digest alone, and the container's
// labels. A reference without a tag stays as it is.
func byDigest(text string) (reference string, labels map[string]string) {
	ref, err := imageref.Parse(text)
	if err != nil || ref.Tag == "" || ref.Digest == "" {
		return text, nil
	}
	return strings.Replace(text, ":"+ref.Tag+"@", "@", 1), tagLabel(ref.Tag)
}

// earlierImage describes an image that this stage built earlier. Containers name it as they did then, by its tag, which
// never moves: going back makes the same container definitions again.
func earlierImage(repositoryURL pulumi.StringOutput, ref stage.Ref, platform string) *stageImage {
	image := pinnedImage(ref, platform)
	image.Reference = pulumi.Sprintf("%s:%s", repositoryURL, ref.Tag)
	image.Labels = nil
	return image
}
