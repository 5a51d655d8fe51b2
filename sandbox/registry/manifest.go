package registry

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"slipway/internal/imageref"
	"slipway/sandbox/account"
	"slipway/sandbox/account/ecr"
)

// File is where the content of a digest is stored, if there is such.
func (r *Registry) File(digest string) string {
	algorithm, hex, _ := strings.Cut(digest, ":")
	return filepath.Join(r.dir, "blobs", algorithm, hex)
}

// Manifest is what ECR's BatchGetImage gives of an image: its manifest as it was pushed, and the manifest's media type.
func (r *Registry) Manifest(digest string) (content []byte, mediaType string, err error) {
	hash, err := v1.NewHash(digest)
	if err != nil {
		return nil, "", err
	}
	if content, err = os.ReadFile(r.File(hash.String())); err != nil {
		return nil, "", err
	}
	parsed, err := parseManifest(content)
	if err != nil {
		return nil, "", err
	}
	return content, parsed.mediaType(), nil
}

// manifest is that of an image, which has a configuration and layers, or of an index, which lists images.
type manifest struct {
	MediaType types.MediaType `json:"mediaType"`
	Config    v1.Descriptor   `json:"config"`
	Layers    []v1.Descriptor `json:"layers"`
	Manifests []v1.Descriptor `json:"manifests"`
}

func parseManifest(content []byte) (*manifest, error) {
	parsed := new(manifest)
	return parsed, json.Unmarshal(content, parsed)
}

func (m *manifest) mediaType() string {
	if m.Manifests != nil {
		return string(cmp.Or(m.MediaType, types.OCIImageIndex))
	}
	return string(cmp.Or(m.MediaType, types.OCIManifestSchema1))
}

// blobs are what an image is made of; none of an index.
func (m *manifest) blobs() []v1.Descriptor {
	if m.Manifests != nil {
		return nil
	}
	return append([]v1.Descriptor{m.Config}, m.Layers...)
}

// platforms are the digests of the images that an index lists.
func (m *manifest) platforms() (digests []string) {
	for _, image := range m.Manifests {
		digests = append(digests, image.Digest.String())
	}
	return digests
}

// size is what ECR says of an image: that of its configuration and layers, and of an index that of its largest image.
func (r *Registry) size(m *manifest) (size int64, err error) {
	for _, blob := range m.blobs() {
		size += blob.Size
	}
	for _, digest := range m.platforms() {
		content, _, err := r.Manifest(digest)
		if err != nil {
			return 0, err
		}
		image, err := parseManifest(content)
		if err != nil {
			return 0, err
		}
		its, err := r.size(image)
		if err != nil {
			return 0, err
		}
		size = max(size, its)
	}
	return size, nil
}

// PutManifest is ECR's PutImage: it stores the manifest of an image whose layers are there, and puts the tag on it.
func (r *Registry) PutManifest(region, repository, tag, content, mediaType string) (digest string, err error) {
	return r.putManifest(repository, tag, []byte(content), func(digest string, length, size int64, m *manifest) error {
		if err := ecr.TagImage(r.account, repository, tag, digest, size, m.platforms()...); err != nil {
			return err
		}
		return r.nameTag(region, repository, tag, digest, length, cmp.Or(mediaType, m.mediaType()))
	})
}

// putManifest stores a manifest whose layers are there, and has record put the image into the account.
func (r *Registry) putManifest(repository, tag string, content []byte,
	record func(digest string, length, size int64, m *manifest) error) (digest string, err error) {
	hash, length, err := v1.SHA256(bytes.NewReader(content))
	if err != nil {
		return "", err
	}
	parsed, err := parseManifest(content)
	if err != nil {
		return "", account.Refuse("InvalidParameterException",
			"Invalid parameter at 'imageManifest' failed to satisfy constraint: 'Invalid JSON syntax'")
	}
	for _, blob := range parsed.blobs() {
		held, err := r.Holds(repository, blob.Digest.String())
		if err != nil {
			return "", err
		}
		if !held {
			return "", account.Refuse("LayersNotFoundException",
				"The layers with digests '[%s]' required by the image with digest '%s' do not exist", blob.Digest, hash)
		}
	}
	size, err := r.size(parsed)
	if os.IsNotExist(err) { // of an image that an index lists: the account refuses it
		size, err = 0, nil
	}
	if err != nil {
		return "", err
	}
	if err := layout.Path(r.dir).WriteBlob(hash, io.NopCloser(bytes.NewReader(content))); err != nil {
		return "", err
	}
	return hash.String(), record(hash.String(), length, size, parsed)
}

// nameTag names an image in the layout's index.
func (r *Registry) nameTag(region, repository, tag, digest string, length int64, mediaType string) error {
	hash, err := v1.NewHash(digest)
	if err != nil {
		return err
	}
	named := imageref.Ref{Host: imageref.ECRHost(r.account.ID, region), Repository: repository, Tag: tag}
	return r.name(v1.Descriptor{MediaType: types.MediaType(mediaType), Size: length, Digest: hash}, named.String())
}

// Holds tells whether a repository has a layer or a configuration: one that was uploaded, or is of an image there.
func (r *Registry) Holds(repository, digest string) (bool, error) {
	uploaded, err := ecr.HasLayer(r.account, repository, digest) // refuses a repository that is not there
	if err != nil || uploaded {
		return uploaded, err
	}
	images, err := ecr.Images(r.account)
	if err != nil {
		return false, err
	}
	for _, image := range images {
		if image.Repository != repository {
			continue
		}
		content, _, err := r.Manifest(image.Digest)
		if err != nil { // what a test has only recorded
			continue
		}
		parsed, err := parseManifest(content)
		if err != nil {
			return false, fmt.Errorf("reading the manifest %s: %w", image.Digest, err)
		}
		for _, blob := range parsed.blobs() {
			if blob.Digest.String() == digest {
				return true, nil
			}
		}
	}
	return false, nil
}
