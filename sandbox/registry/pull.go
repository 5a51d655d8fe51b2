package registry

import (
	"fmt"
	"io"
	"os"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"slipway/internal/imageref"
	"slipway/sandbox/account"
	"slipway/sandbox/account/ecr"
)

// Pull finds the image of a reference, by tag or by digest, as a pull from ECR does; of an index, the one for a
// platform such as linux/amd64. That a task may have it, ECS has found out before.
func (r *Registry) Pull(reference, platform string) (v1.Image, error) {
	parsed, err := name.ParseReference(reference)
	if err != nil {
		return nil, err
	}
	ref, inECR := imageref.ParseECR(reference)
	if !inECR {
		return nil, fmt.Errorf("the sandbox has no registry %s", parsed.Context().RegistryStr())
	}
	tag, digest := parsed.Identifier(), ""
	if named, isDigest := parsed.(name.Digest); isDigest {
		tag, digest = "", named.DigestStr()
	}
	recorded, err := ecr.FindImage(r.account.In(ref.Account), parsed.Context().RepositoryStr(), tag, digest)
	if account.IsCode(err, "ImageNotFoundException") {
		return nil, fmt.Errorf("pull image manifest has been retried 1 time(s): failed to resolve ref %s: %s: not found",
			reference, reference)
	} else if err != nil {
		return nil, err
	}
	digest, err = r.digestFor(recorded.Digest, platform)
	if err != nil {
		return nil, err
	}
	hash, err := v1.NewHash(digest)
	if err != nil {
		return nil, err
	}
	// Not by the layout's index, which an image leaves whose tag moves away.
	return partial.CompressedToImage(&stored{registry: r, digest: hash})
}

// digestFor is the digest of the image for a platform, where the one that was asked for is that of an index.
func (r *Registry) digestFor(digest, platform string) (string, error) {
	content, _, err := r.Manifest(digest)
	if err != nil {
		return "", err
	}
	parsed, err := parseManifest(content)
	if err != nil || parsed.Manifests == nil {
		return digest, err
	}
	wanted, err := v1.ParsePlatform(platform)
	if err != nil {
		return "", err
	}
	for _, image := range parsed.Manifests {
		if image.Platform != nil && image.Platform.Satisfies(*wanted) {
			return image.Digest.String(), nil
		}
	}
	return "", fmt.Errorf("pull image manifest has been retried 1 time(s): image Manifest does not contain descriptor "+
		"matching platform '%s'", platform)
}

// stored is an image as it lies in the registry.
type stored struct {
	registry *Registry
	digest   v1.Hash
}

func (s *stored) MediaType() (types.MediaType, error) {
	_, mediaType, err := s.registry.Manifest(s.digest.String())
	return types.MediaType(mediaType), err
}

func (s *stored) RawManifest() ([]byte, error) {
	content, _, err := s.registry.Manifest(s.digest.String())
	return content, err
}

func (s *stored) RawConfigFile() ([]byte, error) {
	manifest, err := partial.Manifest(s)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(s.registry.File(manifest.Config.Digest.String()))
}

func (s *stored) LayerByDigest(digest v1.Hash) (partial.CompressedLayer, error) {
	manifest, err := partial.Manifest(s)
	if err != nil {
		return nil, err
	}
	for _, layer := range manifest.Layers {
		if layer.Digest == digest {
			return &storedLayer{registry: s.registry, Descriptor: layer}, nil
		}
	}
	return nil, fmt.Errorf("the image %s has no layer %s", s.digest, digest)
}

// storedLayer is a layer of such an image.
type storedLayer struct {
	v1.Descriptor
	registry *Registry
}

func (l *storedLayer) Digest() (v1.Hash, error)            { return l.Descriptor.Digest, nil }
func (l *storedLayer) Size() (int64, error)                { return l.Descriptor.Size, nil }
func (l *storedLayer) MediaType() (types.MediaType, error) { return l.Descriptor.MediaType, nil }
func (l *storedLayer) Compressed() (io.ReadCloser, error) {
	return os.Open(l.registry.File(l.Descriptor.Digest.String()))
}
