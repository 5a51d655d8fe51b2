package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecr"
)

// Endpoint is the URL where the registry speaks the protocol that Docker pulls and pushes with
// (https://github.com/opencontainers/distribution-spec/blob/main/spec.md), from the first call until the process ends.
// On AWS it is https://<account>.dkr.ecr.<region>.amazonaws.com.
func (r *Registry) Endpoint() (string, error) {
	r.serving.Lock()
	defer r.serving.Unlock()
	if endpoint := r.serving.of[r.account.ID]; endpoint != "" {
		return endpoint, nil
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("serving the registry: %w", err)
	}
	go func() { _ = http.Serve(listener, r) }() // ends with the process
	endpoint := "http://" + listener.Addr().String()
	r.serving.of[r.account.ID] = endpoint
	return endpoint, nil
}

// refusal is an error as registries word it.
type refusal struct {
	status        int
	code, message string
}

func (r *refusal) Error() string { return r.code + ": " + r.message }

// notAuthorized is what a request without the user and password of ECR's token is answered.
var (
	notAuthorized = &refusal{http.StatusUnauthorized, "UNAUTHORIZED", "Not Authorized"}
	expired       = &refusal{http.StatusForbidden, "DENIED",
		"Your authorization token has expired. Reauthenticate and try again."}
	unsupported = &refusal{http.StatusMethodNotAllowed, "UNSUPPORTED", "The sandbox's registry does not know this request"}
)

// codes are the registry's words for refusals of the account.
var codes = map[string]refusal{
	"RepositoryNotFoundException":       {status: http.StatusNotFound, code: "NAME_UNKNOWN"},
	"ImageNotFoundException":            {http.StatusNotFound, "MANIFEST_UNKNOWN", "Requested image not found"},
	"LayersNotFoundException":           {status: http.StatusNotFound, code: "BLOB_UNKNOWN"},
	"ReferencedImagesNotFoundException": {status: http.StatusNotFound, code: "MANIFEST_UNKNOWN"},
	"ImageTagAlreadyExistsException":    {status: http.StatusBadRequest, code: "TAG_INVALID"},
	"InvalidParameterException":         {status: http.StatusBadRequest, code: "MANIFEST_INVALID"},
	"AccessDeniedException":             {status: http.StatusForbidden, code: "DENIED"},
}

func fail(w http.ResponseWriter, err error) {
	answer := new(refusal)
	if refused := new(account.Error); errors.As(err, &refused) && codes[refused.Code].status != 0 {
		*answer = codes[refused.Code]
		if answer.message == "" {
			answer.message = refused.Message
		}
	} else if !errors.As(err, &answer) {
		answer = &refusal{http.StatusInternalServerError, "UNKNOWN", err.Error()}
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if answer.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="the registry",service="ecr.amazonaws.com"`)
	}
	w.WriteHeader(answer.status)
	_ = json.NewEncoder(w).Encode(map[string]any{ // the client has hung up
		"errors": []any{map[string]string{"code": answer.code, "message": answer.message}}})
}

var (
	manifestPath = regexp.MustCompile(`^/v2/(.+)/manifests/([^/]+)$`)
	blobPath     = regexp.MustCompile(`^/v2/(.+)/blobs/(sha256:[0-9a-f]{64})$`)
	uploadsPath  = regexp.MustCompile(`^/v2/(.+)/blobs/uploads/$`)
	uploadPath   = regexp.MustCompile(`^/v2/(.+)/blobs/uploads/([0-9a-f]+)$`)
)

// ServeHTTP answers a client of the registry.
func (r *Registry) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	if err := r.serve(w, request); err != nil {
		fail(w, err)
	}
}

func (r *Registry) serve(w http.ResponseWriter, request *http.Request) error {
	user, password, given := request.BasicAuth()
	caller, known := ecr.Holder(password)
	switch {
	case !given:
		return notAuthorized
	case user != ecr.Username || !known:
		return expired
	}
	r = r.In(r.account.As(caller).In(r.account.ID))
	if err := r.authorize(request); err != nil {
		return err
	}
	path, method := request.URL.Path, request.Method
	reads := method == http.MethodGet || method == http.MethodHead
	if match := manifestPath.FindStringSubmatch(path); match != nil {
		switch {
		case reads:
			return r.serveManifest(w, match[1], match[2])
		case method == http.MethodPut:
			return r.takeManifest(w, request, match[1], match[2])
		}
	} else if match := blobPath.FindStringSubmatch(path); match != nil && reads {
		return r.serveBlob(w, request, match[1], match[2])
	} else if match := uploadsPath.FindStringSubmatch(path); match != nil && method == http.MethodPost {
		return r.beginUpload(w, match[1])
	} else if match := uploadPath.FindStringSubmatch(path); match != nil {
		switch method {
		case http.MethodPatch:
			return r.takePart(w, request, match[1], match[2])
		case http.MethodPut:
			return r.endUpload(w, request, match[1], match[2])
		}
	} else if path == "/v2/" && reads {
		return nil
	}
	return unsupported
}

// splitReference tells a digest from a tag.
func splitReference(reference string) (tag, digest string) {
	if strings.HasPrefix(reference, "sha256:") {
		return "", reference
	}
	return reference, ""
}

func (r *Registry) serveManifest(w http.ResponseWriter, repository, reference string) error {
	if err := ecr.Access(r.account, repository, "ecr:BatchGetImage"); err != nil {
		return err
	}
	tag, digest := splitReference(reference)
	image, err := ecr.FindImage(r.account, repository, tag, digest)
	if err != nil {
		return err
	}
	content, mediaType, err := r.Manifest(image.Digest)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Docker-Content-Digest", image.Digest)
	w.Header().Set("Content-Length", fmt.Sprint(len(content)))
	_, _ = w.Write(content) // the server leaves it out of the answer to a HEAD
	return nil
}

// mostManifest is how large a manifest may be, in bytes.
const mostManifest = 4 << 20

func (r *Registry) takeManifest(w http.ResponseWriter, request *http.Request, repository, reference string) error {
	tag, wanted := splitReference(reference)
	content, err := io.ReadAll(io.LimitReader(request.Body, mostManifest))
	if err != nil {
		return err
	}
	if err := ecr.CheckPush(r.account, repository, tag); err != nil {
		return err
	}
	digest, err := r.putManifest(repository, tag, content, func(digest string, length, size int64, m *manifest) error {
		if wanted != "" && digest != wanted {
			return &refusal{http.StatusBadRequest, "DIGEST_INVALID", "The digest of the manifest is " + digest}
		}
		return ecr.PutImage(r.account, repository, tag, digest, size, m.platforms()...)
	})
	if err != nil {
		return err
	}
	if tag != "" {
		if err := r.account.DieIfAsked(account.DieAfterPush, func(string) bool { return true }); err != nil {
			return err
		}
	}
	w.Header().Set("Docker-Content-Digest", digest)
	w.Header().Set("Location", "/v2/"+repository+"/manifests/"+digest)
	w.WriteHeader(http.StatusCreated)
	return nil
}
