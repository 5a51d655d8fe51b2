package agent

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/moby/moby/client"

	"slipway/internal/imageref"
	"slipway/sandbox/account/ecs"
	"slipway/sandbox/registry"
)

// imagePrefix begins the names of an account's images on the engine.
func imagePrefix(identity string) string { return "slipway-sandbox/" + identity + "/" }

func isGone(err error) bool { return errdefs.IsNotFound(err) }

// pulled is an image that the engine has.
type pulled struct {
	reference string              // by which the engine knows it
	digest    string              // sha256:…
	volumes   map[string]struct{} // paths that its Dockerfile names with VOLUME
}

// pull has the engine get an image: one of the accounts' ECR from the registry, and any other one from where it is, but
// for what the engine has under a name of the account's own.
func (a *Agent) pull(ctx context.Context, reference, platform string, login ecs.PullLogin) (pulled, error) {
	if ref, inECR := imageref.ParseECR(reference); inECR {
		image, err := a.Registry.Pull(reference, platform)
		if err != nil {
			return pulled{}, err
		}
		return a.load(ctx, ref.Repository, image)
	}
	if strings.HasPrefix(reference, imagePrefix(a.identity)) {
		return a.inspect(ctx, reference)
	}
	image, err := registry.PullElsewhere(ctx, reference, platform, login.Username, login.Password)
	if err != nil {
		return pulled{}, err
	}
	parsed, err := name.ParseReference(reference)
	if err != nil {
		return pulled{}, err
	}
	return a.load(ctx, strings.ReplaceAll(parsed.Context().Name(), ":", "-"), image)
}

// inspect reads an image that the engine has.
func (a *Agent) inspect(ctx context.Context, reference string) (pulled, error) {
	found, err := a.Docker.ImageInspect(ctx, reference)
	if err != nil {
		return pulled{}, err
	}
	p := pulled{reference: reference, digest: found.ID}
	if found.Config != nil {
		p.volumes = found.Config.Volumes
	}
	return p, nil
}

// load gives the engine an image of a repository, under a name that belongs to the accounts, once.
func (a *Agent) load(ctx context.Context, repository string, image v1.Image) (pulled, error) {
	digest, err := image.Digest()
	if err != nil {
		return pulled{}, err
	}
	settings, err := image.ConfigFile()
	if err != nil {
		return pulled{}, err
	}
	p := pulled{reference: imagePrefix(a.identity) + repository + ":" + digest.Hex[:12], digest: digest.String(),
		volumes: settings.Config.Volumes}
	a.loading.Lock()
	defer a.loading.Unlock()
	if _, err := a.Docker.ImageInspect(ctx, p.reference); !isGone(err) {
		return p, err
	}
	return p, loadImage(ctx, a.Docker, p.reference, image)
}

func loadImage(ctx context.Context, docker *client.Client, reference string, image v1.Image) error {
	tag, err := name.NewTag(reference)
	if err != nil {
		return err
	}
	reader, writer := io.Pipe()
	defer reader.Close()
	go func() { writer.CloseWithError(tarball.Write(tag, image, writer)) }()
	loaded, err := docker.ImageLoad(ctx, reader, client.ImageLoadWithQuiet(true))
	if err != nil {
		return err
	}
	defer loaded.Close()
	// The engine says in its messages what went wrong.
	messages, err := io.ReadAll(loaded)
	if err != nil {
		return err
	}
	if _, err := docker.ImageInspect(ctx, reference); err != nil {
		return fmt.Errorf("loading %s: %w: %s", reference, err, messages)
	}
	return nil
}
