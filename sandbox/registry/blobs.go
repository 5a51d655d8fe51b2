package registry

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"slipway/sandbox/account/ecr"
)

func (r *Registry) serveBlob(w http.ResponseWriter, request *http.Request, repository, digest string) error {
	if err := ecr.Access(r.account, repository, "ecr:GetDownloadUrlForLayer"); err != nil {
		return err
	}
	held, err := r.Holds(repository, digest)
	if err != nil {
		return err
	}
	if !held {
		return &refusal{http.StatusNotFound, "BLOB_UNKNOWN", fmt.Sprintf("The layer with digest '%s' was not found in the "+
			"repository with name '%s'.", digest, repository)}
	}
	w.Header().Set("Docker-Content-Digest", digest)
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeFile(w, request, r.File(digest))
	return nil
}

// upload is the file that a layer is received in.
func (r *Registry) upload(id string) string { return filepath.Join(r.dir, "uploads", id) }

// beginUpload begins to receive a layer. A layer of another repository is not mounted, but sent again: ECR mounts none
// unless its registry is told to.
func (r *Registry) beginUpload(w http.ResponseWriter, repository string) error {
	if err := ecr.Access(r.account, repository, ecr.PushActions...); err != nil {
		return err
	}
	if _, err := ecr.HasLayer(r.account, repository, ""); err != nil { // there is no such repository
		return err
	}
	random := make([]byte, 16)
	if _, err := rand.Read(random); err != nil {
		return err
	}
	id := hex.EncodeToString(random)
	if err := os.MkdirAll(filepath.Dir(r.upload(id)), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(r.upload(id), nil, 0o644); err != nil {
		return err
	}
	return continueUpload(w, repository, id, 0)
}

func continueUpload(w http.ResponseWriter, repository, id string, size int64) error {
	w.Header().Set("Location", "/v2/"+repository+"/blobs/uploads/"+id)
	w.Header().Set("Range", fmt.Sprintf("0-%d", max(0, size-1)))
	w.Header().Set("Docker-Upload-UUID", id)
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// takePart receives part of a layer.
func (r *Registry) takePart(w http.ResponseWriter, request *http.Request, repository, id string) error {
	if err := ecr.Access(r.account, repository, ecr.PushActions...); err != nil {
		return err
	}
	size, err := r.append(request, id)
	if err != nil {
		return err
	}
	return continueUpload(w, repository, id, size)
}

func (r *Registry) append(request *http.Request, id string) (size int64, err error) {
	file, err := os.OpenFile(r.upload(id), os.O_APPEND|os.O_WRONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return 0, &refusal{http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN", "The upload with id '" + id + "' was not found"}
	} else if err != nil {
		return 0, err
	}
	defer file.Close()
	if _, err := io.Copy(file, request.Body); err != nil {
		return 0, err
	}
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// endUpload puts what was received among the layers of the repository, where it is what the client says.
func (r *Registry) endUpload(w http.ResponseWriter, request *http.Request, repository, id string) error {
	if err := ecr.Access(r.account, repository, ecr.PushActions...); err != nil {
		return err
	}
	if _, err := r.append(request, id); err != nil {
		return err
	}
	if err := r.waitAsSlow(request.Context(), func(string) {}); err != nil {
		return err
	}
	file, err := os.Open(r.upload(id))
	if err != nil {
		return err
	}
	defer file.Close()
	got, _, err := v1.SHA256(file)
	if err != nil {
		return err
	}
	digest := request.URL.Query().Get("digest")
	if digest != got.String() {
		return &refusal{http.StatusBadRequest, "DIGEST_INVALID", fmt.Sprintf("The digest of the layer is %s, not %s", got,
			digest)}
	}
	if err := os.MkdirAll(filepath.Dir(r.File(digest)), 0o755); err != nil {
		return err
	}
	if err := os.Rename(r.upload(id), r.File(digest)); err != nil {
		return err
	}
	if err := ecr.PutLayer(r.account, repository, digest); err != nil {
		return err
	}
	w.Header().Set("Docker-Content-Digest", digest)
	w.Header().Set("Location", "/v2/"+repository+"/blobs/"+digest)
	w.WriteHeader(http.StatusCreated)
	return nil
}
