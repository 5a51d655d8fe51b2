package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// PullElsewhere pulls an image from a registry outside of the sandbox, as Fargate does; of an index, the one for a
// platform such as linux/amd64. user is empty where the task has no name and password for it. Its error is what follows
// CannotPullContainerError, in AWS's words.
func PullElsewhere(ctx context.Context, reference, platform, user, password string) (v1.Image, error) {
	failed := func(format string, args ...any) error {
		return fmt.Errorf("pull image manifest has been retried 1 time(s): "+format, args...)
	}
	parsed, err := name.ParseReference(reference)
	if err != nil {
		return nil, failed("failed to resolve ref %s: invalid reference format", reference)
	}
	wanted, err := v1.ParsePlatform(platform)
	if err != nil {
		return nil, err
	}
	login := authn.Anonymous
	if user != "" {
		login = &authn.Basic{Username: user, Password: password}
	}
	options := []remote.Option{remote.WithContext(ctx), remote.WithAuth(login), remote.WithPlatform(*wanted)}
	found, err := remote.Get(parsed, options...)
	answer := (*transport.Error)(nil)
	switch {
	case errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound:
		return nil, failed("failed to resolve ref %s: %s: not found", reference, reference)
	case answer != nil && (answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden):
		return nil, failed("failed to resolve ref %s: pull access denied, repository does not exist or may require "+
			"authorization: server message: insufficient_scope: authorization failed", reference)
	case err != nil:
		return nil, failed("failed to resolve ref %s: failed to do request: %w", reference, err)
	}
	image, err := found.Image()
	if err != nil {
		return nil, failed("image Manifest does not contain descriptor matching platform '%s'", platform)
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, failed("failed to copy: %w", err)
	}
	if config.OS+"/"+config.Architecture != platform {
		return nil, failed("image Manifest does not contain descriptor matching platform '%s'", platform)
	}
	return image, nil
}
