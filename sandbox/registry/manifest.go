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
	var manifest v1.Manifest
	if err := json.Unmarshal(content, &manifest); err != nil {
		return nil, "", err
	}
	return content, string(cmp.Or(manifest.MediaType, types.OCIManifestSchema1)), nil
}

// PutManifest is ECR's PutImage: it stores the manifest of an image whose layers are there, and puts the tag on it.
func (r *Registry) PutManifest(region, repository, tag, content, mediaType string) (digest string, err error) {
	hash, length, err := v1.SHA256(bytes.NewReader([]byte(content)))
	if err != nil {
		return "", err
	}
	var manifest v1.Manifest
	if err := json.Unmarshal([]byte(content), &manifest); err != nil {
		return "", &account.Error{Code: "InvalidParameterException",
			Message: "Invalid parameter at 'imageManifest' failed to satisfy constraint: " +
				"'Invalid JSON syntax'"}
	}
	size := manifest.Config.Size
	for _, blob := range append([]v1.Descriptor{manifest.Config}, manifest.Layers...) {
		if _, err := os.Stat(r.File(blob.Digest.String())); err != nil {
			return "", &account.Error{Code: "LayersNotFoundException",
				Message: fmt.Sprintf("The layers with digests '[%s]' required by the "+
					"image with digest '%s' do not exist", blob.Digest, hash)}
		}
	}
	for _, layer := range manifest.Layers {
		size += layer.Size
	}
	if err := layout.Path(r.dir).WriteBlob(hash, io.NopCloser(bytes.NewReader([]byte(content)))); err != nil {
		return "", err
	}
	if err := ecr.TagImage(r.account, repository, tag, hash.String(), size); err != nil {
		return hash.String(), err
	}
	descriptor := v1.Descriptor{MediaType: types.MediaType(cmp.Or(mediaType, string(manifest.MediaType),
		string(types.OCIManifestSchema1))),
		Size: length, Digest: hash}
	return hash.String(), r.name(descriptor, imageref.Ref{Host: imageref.ECRHost(account.ID, region),
		Repository: repository, Tag: tag}.String())
}
