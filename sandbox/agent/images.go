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

// pull has the engine get an image: one of the accounts' ECR from the registry, any other one from where it is, unless
// the engine has it already.
func (a *Agent) pull(ctx context.Context, reference, platform string) (pulled, error) {
	if ref, inECR := imageref.ParseECR(reference); inECR {
		return a.load(ctx, reference, ref.Repository, platform)
	}
	found, err := a.Docker.ImageInspect(ctx, reference)
	if isGone(err) {
		progress, err := a.Docker.ImagePull(ctx, reference, client.ImagePullOptions{})
		if err != nil {
			return pulled{}, err
		}
		defer progress.Close()
		if err := progress.Wait(ctx); err != nil {
			return pulled{}, err
		}
		found, err = a.Docker.ImageInspect(ctx, reference)
		if err != nil {
			return pulled{}, err
		}
	} else if err != nil {
		return pulled{}, err
	}
	p := pulled{reference: reference, digest: found.ID}
	if found.Config != nil {
		p.volumes = found.Config.Volumes
	}
	for _, repoDigest := range found.RepoDigests {
		_, p.digest, _ = strings.Cut(repoDigest, "@")
	}
	return p, nil
}

// load gives the engine an image of a repository of ECR, under a name that belongs to the accounts, once.
func (a *Agent) load(ctx context.Context, reference, repository, platform string) (pulled, error) {
	image, err := a.Registry.Pull(reference, platform)
	if err != nil {
		return pulled{}, err
	}
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
