package registries

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"slipway/internal/imageref"
)

// Warning is what people are to know of an image, and ECS may well run it: that it could not be looked for, say.
type Warning struct {
	Says string
	// Cause is why it could not be looked for; nil where it could, and where nobody is to.
	Cause error
}

func (w *Warning) Error() string {
	if w.Cause == nil {
		return w.Says
	}
	return w.Says + ": " + w.Cause.Error()
}

func (w *Warning) Unwrap() error { return w.Cause }

// The checks below have a Refusal as their error where an image is not there, or does not run on the platform of its
// tasks; a Warning where that is not known; and any other where the stage's own ECR does not answer.

// CheckPinned checks an image that the stage pins. In the stage's own ECR it has to have its tag, too.
func (r *Registries) CheckPinned(ctx context.Context, image imageref.Ref, platform string) error {
	return r.check(ctx, image, platform, otherPin(platform))
}

// CheckNamed checks an image that a container names by a reference of its own.
func (r *Registries) CheckNamed(ctx context.Context, reference, platform string) error {
	image, err := imageref.Parse(reference)
	if err != nil {
		return err
	}
	return r.check(ctx, r.byDigest(image), platform, "name an image for "+platform)
}

// CheckCopy checks an image that is copied into the stage's own ECR. Where it was already, it is checked there and
// nobody asks where it comes from.
func (r *Registries) CheckCopy(ctx context.Context, own, source imageref.Ref, platform string) (
	copied bool, err error) {
	copied, err = r.copied(ctx, own, source)
	switch {
	case err != nil:
		return false, err
	case copied:
		return true, r.check(ctx, own, platform, otherPin(platform))
	}
	return false, r.check(ctx, r.byDigest(source), platform, otherPin(platform))
}

func otherPin(platform string) string {
	return "write the image's platform as platform beside ref, or pin an image for " + platform
}

// byDigest is an image in the stage's own ECR without the tag, which may have moved on.
func (r *Registries) byDigest(image imageref.Ref) imageref.Ref {
	if r.Own(image) && image.Digest != "" {
		image.Tag = ""
	}
	return image
}

func (r *Registries) check(ctx context.Context, image imageref.Ref, platform, otherwise string) error {
	if r.KeepSecrets && r.Credentials[image.Host] != "" {
		return &Warning{Says: image.String() + " is in a registry that asks for a password, with which the update looks " +
			"for it"}
	}
	found, err := r.Look(ctx, image)
	switch {
	case err != nil && (r.Own(image) || errors.As(err, new(*Refusal))):
		return err
	case err != nil:
		return &Warning{fmt.Sprintf("it is not known whether %s is there, and ECS may not be able to pull it", image), err}
	case len(found.Platforms) == 0:
		return &Warning{Says: fmt.Sprintf("%s names no platform, and may have nothing for %s", image, platform)}
	case !slices.Contains(found.Platforms, platform):
		return &Refusal{fmt.Sprintf("%s is for %s, and its tasks run on %s", image, strings.Join(found.Platforms, " and "),
			platform), otherwise}
	}
	return nil
}

// copied tells whether the stage's repository has an image under its tag. Its error may say that it has another one.
func (r *Registries) copied(ctx context.Context, own, source imageref.Ref) (bool, error) {
	_, err := r.Look(ctx, own)
	switch {
	case err == nil, errors.As(err, new(*Warning)):
		return true, nil
	case !errors.As(err, new(*Refusal)):
		return false, err
	}
	other, err := r.describe(ctx, own.Repository, ecrtypes.ImageIdentifier{ImageTag: &own.Tag})
	if err != nil || other == nil {
		return false, err
	}
	return false, &Refusal{fmt.Sprintf("the tag %s names %s in the stage's repository %s, where no tag moves, and %s in %s",
		own.Tag, *other.ImageDigest, own.Repository, own.Digest, source.Host),
		"pin the image under another tag that it has there"}
}
