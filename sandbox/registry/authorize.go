package registry

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"slipway/internal/imageref"
	"slipway/sandbox/account"
	"slipway/sandbox/account/ecr"
)

// pushActions are what ECR asks of whoever pushes, by the permissions of who asked for the password.
var pushActions = []string{"ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart",
	"ecr:CompleteLayerUpload", "ecr:PutImage"}

// authorizePush asks whether the caller may push to the repository of a tag.
func (r *Registry) authorizePush(tag name.Tag) error {
	ref, _ := imageref.ParseECR(tag.Name()) // which it is
	arn := account.ARN(ref.Account, "ecr", ref.Region, "repository/"+ref.Repository)
	var calls []account.Call
	for _, action := range pushActions {
		calls = append(calls, account.Call{Action: action, Resource: arn})
	}
	return r.account.Authorize(calls...)
}

var repositoryPath = regexp.MustCompile(`^/v2/(.+)/(?:manifests|blobs)/`)

// authorize asks whether the caller may make a request to a repository that is there.
func (r *Registry) authorize(request *http.Request) error {
	match := repositoryPath.FindStringSubmatch(request.URL.Path)
	if match == nil || !r.account.Guarded() {
		return nil
	}
	repository, err := r.account.Object(ecr.Repository, match[1])
	arn, _ := repository["arn"].(string)
	if err != nil || arn == "" {
		return err
	}
	return r.account.Authorize(account.Call{Action: action(request), Resource: arn})
}

func action(request *http.Request) string {
	switch blob := strings.Contains(request.URL.Path, "/blobs/"); {
	case strings.Contains(request.URL.Path, "/blobs/uploads/"):
		return map[string]string{http.MethodPost: "ecr:InitiateLayerUpload", http.MethodPatch: "ecr:UploadLayerPart",
			http.MethodPut: "ecr:CompleteLayerUpload"}[request.Method]
	case blob && request.Method == http.MethodHead:
		return "ecr:BatchCheckLayerAvailability"
	case blob:
		return "ecr:GetDownloadUrlForLayer"
	case request.Method == http.MethodPut:
		return "ecr:PutImage"
	}
	return "ecr:BatchGetImage"
}
