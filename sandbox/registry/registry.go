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
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/partial"

	"slipway/internal/imageref"
	"slipway/sandbox/account"
	"slipway/sandbox/account/ecr"
)

// refNameKey is the annotation of the layout's index that names an image.
const refNameKey = "org.opencontainers.image.ref.name"

// Registry is the registry of one account, as one caller sees it. All accounts keep what they have in one place.
type Registry struct {
	dir     string
	account *account.Account
	serving *endpoints
}

// endpoints are the addresses that registries are served at, by account.
type endpoints struct {
	sync.Mutex
	of map[string]string
}

// New makes the registry of an account that keeps its images in dir, which it creates with the first push.
func New(dir string, a *account.Account) *Registry {
	return &Registry{dir: dir, account: a, serving: &endpoints{of: map[string]string{}}}
}

// In is the registry of another account.
func (r *Registry) In(a *account.Account) *Registry {
	return &Registry{dir: r.dir, account: a, serving: r.serving}
}

// Credentials are what a client logs in with.
type Credentials struct {
	Server   string // the host that they are for
	Username string
	Password string
}

// CheckPush says why a push to this tag would be refused, in a registry's own words, before anything is built for it.
func (r *Registry) CheckPush(tag name.Tag, credentials Credentials) error {
	in, err := r.loggedIn(tag, credentials)
	if err != nil {
		return err
	}
	if err := in.authorizePush(tag); err != nil {
		return asPushed(err)
	}
	return asPushed(ecr.CheckPush(in.account, tag.RepositoryStr(), tag.TagStr()))
}

// loggedIn is the registry that a tag is in, as the holder of the credentials sees it.
func (r *Registry) loggedIn(tag name.Tag, credentials Credentials) (*Registry, error) {
	ref, inECR := imageref.ParseECR(tag.Name())
	caller, known := ecr.Holder(credentials.Password)
	switch {
	case !inECR:
		return nil, fmt.Errorf("the sandbox has no registry %s: push to <account>.dkr.ecr.<region>.amazonaws.com",
			tag.RegistryStr())
	case credentials.Server != tag.RegistryStr() || credentials.Username == "" || credentials.Password == "":
		return nil, errors.New("no basic auth credentials")
	case credentials.Username != ecr.Username || !known:
		return nil, errors.New("denied: Your authorization token has expired. Reauthenticate and try again.")
	}
	return r.In(r.account.As(caller).In(ref.Account)), nil
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
	in, err := r.loggedIn(tag, credentials)
	if err == nil {
		err = r.CheckPush(tag, credentials)
	}
	if err != nil {
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
	if err := ecr.PutImage(in.account, tag.RepositoryStr(), tag.TagStr(), digest.String(), size); err != nil {
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
