package api

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"slipway/sandbox/account"
)

// blobs are what the registry holds, at this address: manifests, image configurations and layers.
type blobs struct {
	dir, host string
}

// blobPath is where they are on this server. AWS has them in S3.
const blobPath = "/registry/blobs/"

var digestPattern = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

func (b blobs) file(digest string) string {
	return filepath.Join(b.dir, "blobs", "sha256", strings.TrimPrefix(digest, "sha256:"))
}

func (b blobs) serve(w http.ResponseWriter, r *http.Request) {
	digest := strings.TrimPrefix(r.URL.Path, blobPath)
	if !digestPattern.MatchString(digest) {
		http.NotFound(w, r)
		return
	}
	http.ServeFile(w, r, b.file(digest))
}

// batchGetImage answers with the manifests as they were pushed.
func (b blobs) batchGetImage(a *account.Account, _ string, p struct {
	RepositoryName string
	ImageIDs       []imageID `json:"imageIds"`
}) (any, error) {
	found, failures := []object{}, []object{}
	for _, id := range p.ImageIDs {
		image, err := a.Image(p.RepositoryName, id.ImageTag, id.ImageDigest)
		if account.IsCode(err, "ImageNotFoundException") {
			failures = append(failures, object{"imageId": object{"imageTag": id.ImageTag, "imageDigest": id.ImageDigest},
				"failureCode": "ImageNotFound", "failureReason": "Requested image not found"})
			continue
		}
		if err != nil {
			return nil, err
		}
		manifest, err := os.ReadFile(b.file(image.Digest))
		if err != nil {
			return nil, err
		}
		var kind struct{ MediaType string }
		if err := json.Unmarshal(manifest, &kind); err != nil {
			return nil, err
		}
		found = append(found, object{"registryId": account.ID, "repositoryName": p.RepositoryName, "imageManifest": string(manifest),
			"imageManifestMediaType": kind.MediaType, "imageId": imageIDs([]account.Image{image})[0]})
	}
	return object{"images": found, "failures": failures}, nil
}

// getDownloadURLForLayer is for a manifest's configuration, too, as with AWS.
func (b blobs) getDownloadURLForLayer(a *account.Account, _ string, p struct{ RepositoryName, LayerDigest string }) (any, error) {
	if _, err := images(a, p.RepositoryName); err != nil {
		return nil, err
	}
	if _, err := os.Stat(b.file(p.LayerDigest)); err != nil || !digestPattern.MatchString(p.LayerDigest) {
		return nil, &account.Error{Code: "LayersNotFoundException", Message: "The layer with digest '" + p.LayerDigest +
			"' was not found in the repository with name '" + p.RepositoryName + "'."}
	}
	return object{"downloadUrl": "http://" + b.host + blobPath + p.LayerDigest, "layerDigest": p.LayerDigest}, nil
}
