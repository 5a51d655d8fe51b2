package components

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecr "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/components/mirror"
	"slipway/internal/imageref"
	"slipway/internal/registries"
	"slipway/stage"
)

// imageLookup looks images up before anything changes.
type imageLookup struct {
	ctx        *pulumi.Context
	account    *Account
	registries *registries.Registries
}

func newImageLookup(ctx *pulumi.Context, account *Account, settings *stage.Stage) *imageLookup {
	return &imageLookup{ctx, account, &registries.Registries{Account: account.ID, Clients: account.Clients,
		Credentials: settings.Credentials()}}
}

// imageWarning is what people are to know of an image, and an update may well succeed: that a registry could not tell
// of it, say.
type imageWarning struct{ error }

func (w *imageWarning) Unwrap() error { return w.error }

// ofStage looks for an image that the stage pins.
func (l *imageLookup) ofStage(image stage.Image) error {
	if image.Ref.In(l.account.ID, l.account.Region) {
		return l.inECR(*image.Ref)
	}
	return l.pinnedElsewhere(*image.Ref, image.Platform)
}

func (l *imageLookup) pinnedElsewhere(ref stage.Ref, platform string) error {
	return l.elsewhere(ref, platform, "write the platform of its tasks as platform beside ref, or pin an image for "+platform)
}

// toCopy looks for an image in the stage's own repository, into which it is copied. Where that has it, nobody asks the
// registry that it comes from; where it does not, the image has to be there.
func (l *imageLookup) toCopy(one *mirror.Copy, platform string) error {
	held, err := one.Held(l.ctx.Context())
	if err != nil || held {
		return err
	}
	if err := l.pinnedElsewhere(one.Source, platform); err != nil {
		if unknown := (*imageWarning)(nil); errors.As(err, &unknown) {
			return fmt.Errorf("is to be copied, and cannot be yet; try again: %w", unknown.error)
		}
		return err
	}
	return one.Plan(l.ctx.Context())
}

// ofRepository looks for images in the repository that the stage had for an image when it built or copied it: the
// update would delete it. What cannot be read is not there.
func (l *imageLookup) ofRepository(settings *stage.Stage, image string) error {
	ctx, cancel := context.WithTimeout(l.ctx.Context(), existingLimit)
	defer cancel()
	clients, err := l.account.Clients(ctx)
	if err != nil {
		return nil
	}
	found, err := clients.ECR.ListImages(ctx, &awsecr.ListImagesInput{
		RepositoryName: aws.String(settings.RepositoryName(image)), MaxResults: aws.Int32(1)})
	if err != nil || len(found.ImageIds) == 0 {
		return nil
	}
	return &imageWarning{errors.New(settings.KeptRepository(image, "holds images"))}
}

// ofContainer looks for an image that a container beside the main one has by its reference, for the platform of its
// task.
func (l *imageLookup) ofContainer(text, platform string) error {
	image, err := imageref.Parse(text)
	switch {
	case err != nil:
		return err
	case !image.In(l.account.ID, l.account.Region):
		return l.elsewhere(image, platform, "name an image for "+platform)
	}
	if err := lookupImage(l.ctx, image); err != nil {
		return fmt.Errorf("%s is not in ECR: name an image that the repository holds: %w", text, err)
	}
	return nil
}

// inECR looks for a pinned image in the stage's own ECR, where tags do not move.
func (l *imageLookup) inECR(ref stage.Ref) error {
	found, err := ecr.GetImage(l.ctx, &ecr.GetImageArgs{RepositoryName: ref.Repository, ImageDigest: &ref.Digest})
	if err != nil {
		return fmt.Errorf("%s is not in ECR: pin an image that the repository holds: %w", ref, err)
	}
	if !slices.Contains(found.ImageTags, ref.Tag) {
		return fmt.Errorf("the image %s does not carry the tag %s, but %s: pin tag and digest of one image",
			ref.Digest, ref.Tag, strings.Join(found.ImageTags, ", "))
	}
	return nil
}

// elsewhere asks another registry for an image that is to run on a platform. Its error is an imageWarning where the
// registry gives no definite answer.
func (l *imageLookup) elsewhere(image imageref.Ref, platform, otherwise string) error {
	found, err := l.registries.Look(l.ctx.Context(), image)
	switch {
	case errors.As(err, new(*registries.Refusal)):
		return err
	case err != nil:
		return &imageWarning{fmt.Errorf("it is not known whether %s is there, and ECS may not be able to pull it: %w", image,
			err)}
	case len(found.Platforms) == 0:
		return &imageWarning{fmt.Errorf("the index %s names no platform, and may have nothing for %s", image, platform)}
	case !slices.Contains(found.Platforms, platform):
		return fmt.Errorf("%s is for %s, and its tasks run on %s: %s", image, strings.Join(found.Platforms, " and "), platform,
			otherwise)
	}
	return nil
}
