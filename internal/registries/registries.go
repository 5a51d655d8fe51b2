// Package registries tells where an image is, whether it is there and what it runs on: it asks the registries as a
// stage's tasks do.
package registries

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"slipway/internal/awsclient"
	"slipway/internal/imageref"
)

// Registries are the registries that a stage's images come from.
type Registries struct {
	// Account and Region are those of the stage, whose own ECR is asked without a login.
	Account, Region string
	// Clients of the stage's account, whose credentials ask ECR and read secrets.
	Clients func(ctx context.Context) (*awsclient.Clients, error)
	// Credentials are the ARNs of the secrets with the names and passwords of registries, by host.
	Credentials map[string]string
	// KeepSecrets leaves these secrets unread: an image of such a registry is not looked for, which is a Warning.
	KeepSecrets bool

	looks sync.Map // of images, to what their registries said
}

// Image is what a registry says of an image.
type Image struct {
	// Digest is sha256:… of the image, or of the index that lists those of several platforms.
	Digest string
	// Platforms that it runs on, such as linux/amd64, sorted; none where it names none.
	Platforms []string
}

// Refusal is a definite answer: asked again, the registry says the same.
type Refusal struct {
	// Says is why, and Advice what to do.
	Says, Advice string
}

func (r *Refusal) Error() string { return r.Says + ": " + r.Advice }

// lookLimit is how long another registry may take to tell of one image, with all attempts.
const lookLimit = 30 * time.Second

// Look asks the registry of an image for it, by its digest, or by its tag where it has none. The error is a Refusal
// where the registry, or AWS on the way to it, gives a definite answer; any other may pass.
// Each image is asked for once: a registry may count that.
func (r *Registries) Look(ctx context.Context, image imageref.Ref) (*Image, error) {
	look, _ := r.looks.LoadOrStore(image, sync.OnceValues(func() (*Image, error) { return r.lookLimited(ctx, image) }))
	return look.(func() (*Image, error))()
}

func (r *Registries) lookLimited(ctx context.Context, image imageref.Ref) (*Image, error) {
	if r.Own(image) {
		return r.lookInOwn(ctx, image) // by calls that have limits of their own
	}
	ctx, cancel := context.WithTimeoutCause(ctx, lookLimit, fmt.Errorf("%s took more than %s", image.Host, lookLimit))
	defer cancel()
	found, err := r.look(ctx, image)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return nil, cause
	}
	return found, r.Explain(image, err)
}

func (r *Registries) look(ctx context.Context, image imageref.Ref) (*Image, error) {
	login, err := r.Login(ctx, image)
	if err != nil {
		return nil, err
	}
	var reference name.Reference = login.Repo(image.Repository).Tag(image.Tag)
	if image.Digest != "" {
		reference = login.Repo(image.Repository).Digest(image.Digest)
	}
	found, err := remote.Get(reference, remote.WithContext(ctx), remote.WithAuth(login.Authenticator))
	if err != nil {
		return nil, err
	}
	platforms, err := platformsOf(found.Manifest, func(string) ([]byte, error) {
		single, err := found.Image()
		if err != nil {
			return nil, err
		}
		return single.RawConfigFile()
	})
	return &Image{Digest: found.Digest.String(), Platforms: platforms}, err
}

// platformsOf are the platforms that an index names, or that of a single image, as its configuration has it.
func platformsOf(manifest []byte, config func(digest string) ([]byte, error)) (platforms []string, err error) {
	var is struct {
		Config    *v1.Descriptor
		Manifests []v1.Descriptor
	}
	if err := json.Unmarshal(manifest, &is); err != nil {
		return nil, fmt.Errorf("reading the image's manifest: %w", err)
	}
	if is.Config != nil {
		text, err := config(is.Config.Digest.String())
		if err != nil {
			return nil, err
		}
		its := &v1.Platform{}
		if err := json.Unmarshal(text, its); err != nil {
			return nil, fmt.Errorf("reading the image's configuration: %w", err)
		}
		is.Manifests = []v1.Descriptor{{Platform: its}}
	}
	for _, each := range is.Manifests {
		if its := each.Platform; its != nil && its.OS != "" && its.OS != "unknown" { // which an attestation has
			platforms = append(platforms, its.OS+"/"+its.Architecture)
		}
	}
	slices.Sort(platforms)
	return slices.Compact(platforms), nil
}

// Explain makes a Refusal of the error of a request for an image, where that is a definite answer. Any other error may
// pass, and stays as it is.
func (r *Registries) Explain(image imageref.Ref, err error) error {
	var answer *transport.Error
	switch {
	case err == nil, errors.As(err, new(*Refusal)):
		return err
	case awsclient.Definite(err):
		return &Refusal{err.Error(), fmt.Sprintf("let whoever asks, in account %s, do so", r.Account)}
	case !errors.As(err, &answer):
		return err
	}
	switch answer.StatusCode {
	case http.StatusNotFound:
		return &Refusal{image.String() + " is not there" + wordsOf(answer), "name an image that the registry holds"}
	case http.StatusUnauthorized, http.StatusForbidden:
		return &Refusal{image.String() + " may not be read" + r.as(image) + wordsOf(answer), r.permit(image)}
	}
	return err
}

// as says who asked.
func (r *Registries) as(image imageref.Ref) string {
	switch {
	case image.Account != "":
		return " by account " + r.Account
	case r.Credentials[image.Host] != "":
		return fmt.Sprintf(" with the name and password of registries[%q].credentials", image.Host)
	}
	return " without a password"
}

// permit says how an image is made readable.
func (r *Registries) permit(image imageref.Ref) string {
	switch {
	case image.Account == r.Account:
		return "whoever previews and updates the stage needs ecr:BatchGetImage and ecr:GetDownloadUrlForLayer for its " +
			"repository"
	case image.Account != "":
		return fmt.Sprintf("write repository.readers: [%q] in the file of the stage in account %s that it belongs to, and "+
			"update that one; where that is so, the role that asks needs ecr:BatchGetImage on the repository", r.Account,
			image.Account)
	case r.Credentials[image.Host] != "":
		return "correct the secret, or let the name in it pull the image"
	}
	return fmt.Sprintf("where it is private, write registries[%q].credentials: the ARN of a secret with a name and a "+
		"password that may pull it", image.Host)
}

// wordsOf are a registry's own.
func wordsOf(answer *transport.Error) string {
	var all []string
	for _, each := range answer.Errors {
		all = append(all, fmt.Sprintf("%s: %s", each.Code, strings.TrimSpace(each.Message)))
	}
	if len(all) == 0 {
		return ""
	}
	return " (" + strings.Join(all, "; ") + ")"
}
