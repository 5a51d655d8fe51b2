package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"

	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/exit"
	"slipway/internal/imageref"
	"slipway/internal/registries"
	"slipway/stage"
)

// copiedImage looks for an image that the update copies, where the stage's own repository does not have it yet.
func (v *verifier) copiedImage(ctx context.Context, name string, image stage.Image) (string, error) {
	repository := v.stage.RepositoryName(name)
	found, err := v.findImage(ctx, repository, ecrtypes.ImageIdentifier{ImageDigest: &image.Ref.Digest})
	if err != nil {
		return "", err
	}
	if found != nil && slices.Contains(found.ImageTags, image.Ref.Tag) {
		return fmt.Sprintf("%s is copied already, into %s", image.Ref.Tag, repository), nil
	}
	other, err := v.findImage(ctx, repository, ecrtypes.ImageIdentifier{ImageTag: &image.Ref.Tag})
	if err != nil {
		return "", err
	}
	if other != nil {
		return "", exit.Refuse("the tag %s names another image in the stage's repository %s, where no tag moves: pin the image "+
			"under another tag", image.Ref.Tag, repository)
	}
	said, err := v.elsewhere(ctx, *image.Ref, image.Platform, otherPlatform(image.Platform))
	return said + "; the update copies it into " + repository, err
}

// elsewhere asks another registry, or ECR of another account or region, for an image. A registry that asks for a
// password is left to the update: the secret with it is not read here.
func (v *verifier) elsewhere(ctx context.Context, image imageref.Ref, platform, otherwise string) (string, error) {
	if v.stage.Credentials()[image.Host] != "" {
		return "", noted("%s is in a registry that asks for a password, with which the update looks for it", image)
	}
	found, err := v.registries.Look(ctx, image)
	switch {
	case errors.As(err, new(*registries.Refusal)):
		return "", exit.Refuse("%w", err)
	case err != nil:
		return "", err
	case len(found.Platforms) == 0:
		return "", noted("the index %s names no platform", image)
	case !slices.Contains(found.Platforms, platform):
		return "", exit.Refuse("the image is for %s, and its tasks run on %s: %s", console.OrNone(found.Platforms), platform,
			otherwise)
	}
	return fmt.Sprintf("%s is there, for %s", image, platform), nil
}

// otherPlatform is what to do about a pinned image that is built for another platform than its tasks have.
func otherPlatform(platform string) string {
	return "write the image's platform as platform beside ref, or pin an image that is built for " + platform
}
