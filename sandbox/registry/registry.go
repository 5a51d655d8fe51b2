// Package registry keeps pushed images as an OCI image layout on disk
// (https://github.com/opencontainers/image-spec/blob/main/image-layout.md). Several processes may push at once.
package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/partial"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecr"
)

// refNameKey is the annotation of the layout's index that names an image.
const refNameKey = "org.opencontainers.image.ref.name"

// Registry is the registry of one account.
type Registry struct {
	dir     string
	account *account.Account

	serving  sync.Mutex
	endpoint string // once it is served
}

// New makes a registry that keeps its images in dir, which it creates with the first push.
func New(dir string, a *account.Account) *Registry { return &Registry{dir: dir, account: a} }

// Credentials are what a client logs in with.
type Credentials struct {
	Server   string // the host that they are for
	Username string
	Password string
}

// Accepted are the only credentials that the registry takes, for whichever of its hosts: those that ECR's
// GetAuthorizationToken gives.
var Accepted = Credentials{Username: "AWS", Password: ecr.RegistryPassword}

// PasswordOf is the password for the registry of an account. Those of others, which the sandbox has not, let nobody in.
func PasswordOf(accountID string) string {
	return strings.Replace(Accepted.Password, account.ID, accountID, 1)
}

var host = regexp.MustCompile(`^` + account.ID + `\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com$`)

// CheckPush says why a push to this tag would be refused, in a registry's own words, before anything is built for it.
func (r *Registry) CheckPush(tag name.Tag, credentials Credentials) error {
	switch registry := tag.RegistryStr(); {
	case !host.MatchString(registry):
		return fmt.Errorf("the sandbox has no registry %s: push to %s.dkr.ecr.<region>.amazonaws.com", registry, account.ID)
	case credentials.Server != registry || credentials.Username == "" || credentials.Password == "":
		return errors.New("no basic auth credentials")
	case credentials.Username != Accepted.Username || credentials.Password != Accepted.Password:
		return errors.New("denied: Your authorization token has expired. Reauthenticate and try again.")
	}
	return asPushed(ecr.CheckPush(r.account, tag.RepositoryStr(), tag.TagStr()))
}

// asPushed is a refusal of the account as who pushes sees it: its code is another than one of the API.
func asPushed(err error) error {
	if refused := new(account.Error); errors.As(err, &refused) && codes[refused.Code].status != 0 {
		code := strings.ToLower(strings.ReplaceAll(codes[refused.Code].code, "_", " "))
		return errors.New(code + ": " + refused.Message)
	}
	return err
}

// Push stores an image under a tag and returns its digest. It tells progress what it does.
func (r *Registry) Push(
	ctx context.Context, image v1.Image, tag name.Tag, credentials Credentials, progress func(string),
) (v1.Hash, error) {
	var none v1.Hash
	if err := r.CheckPush(tag, credentials); err != nil {
		return none, err
	}
	progress("The push refers to repository [" + tag.Repository.Name() + "]")
	if err := r.write(image, tag); err != nil {
		return none, fmt.Errorf("storing %s: %w", tag, err)
	}
	if err := r.waitAsSlow(ctx, progress); err != nil {
		return none, err
	}
	manifest, err := image.Manifest()
	if err != nil {
		return none, err
	}
	size := manifest.Config.Size
	for _, layer := range manifest.Layers {
		size += layer.Size
	}
	digest, err := image.Digest()
	if err != nil {
		return none, err
	}
	if err := ecr.PutImage(r.account, tag.RepositoryStr(), tag.TagStr(), digest.String(), size); err != nil {
		return none, asPushed(err)
	}
	progress(fmt.Sprintf("%s: digest: %s size: %d", tag.TagStr(), digest, size))
	return digest, r.account.DieIfAsked(account.DieAfterPush, func(string) bool { return true })
}

// write stores the image and names it in the index. What it stores is named by its content, so only the index needs
// the lock.
func (r *Registry) write(image v1.Image, tag name.Tag) error {
	if err := layout.Path(r.dir).WriteImage(image); err != nil {
		return err
	}
	descriptor, err := partial.Descriptor(image)
	if err != nil {
		return err
	}
	return r.name(*descriptor, tag.Name())
}

// name names what is stored in the index, in place of what had the name.
func (r *Registry) name(descriptor v1.Descriptor, reference string) error {
	descriptor.Annotations = map[string]string{refNameKey: reference}
	lock := flock.New(filepath.Join(r.dir, "lock"))
	if err := lock.Lock(); err != nil {
		return err
	}
	defer lock.Unlock()
	index, err := r.index()
	if err != nil {
		return err
	}
	kept := index.Manifests[:0]
	for _, other := range index.Manifests {
		if other.Annotations[refNameKey] != reference {
			kept = append(kept, other)
		}
	}
	index.Manifests = append(kept, descriptor)
	content, err := json.MarshalIndent(index, "", "  ")
	if err != nil {
		return err
	}
	// Under another name first: a process that is killed here must not leave half an index.
	unfinished := filepath.Join(r.dir, "index.unfinished")
	if err := os.WriteFile(unfinished, content, 0o644); err != nil {
		return err
	}
	return os.Rename(unfinished, filepath.Join(r.dir, "index.json"))
}

// index reads the layout's index, and begins the layout where there is none.
func (r *Registry) index() (*v1.IndexManifest, error) {
	if _, err := os.Stat(filepath.Join(r.dir, "index.json")); errors.Is(err, fs.ErrNotExist) {
		if _, err := layout.Write(r.dir, empty.Index); err != nil {
			return nil, err
		}
	}
	index, err := layout.ImageIndexFromPath(r.dir)
	if err != nil {
		return nil, err
	}
	return index.IndexManifest()
}

// waitAsSlow holds a push up while the fault slow-push is set.
func (r *Registry) waitAsSlow(ctx context.Context, progress func(string)) error {
	faults, err := r.account.Faults()
	if err != nil || faults[account.SlowPush] == "" {
		return err
	}
	duration, err := time.ParseDuration(faults[account.SlowPush])
	if err != nil {
		return fmt.Errorf("fault %s: %w", account.SlowPush, err)
	}
	progress("Pushing slowly, for " + duration.String())
	select {
	case <-time.After(duration):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
