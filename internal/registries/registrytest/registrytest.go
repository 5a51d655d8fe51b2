// Package registrytest has a registry of images for tests.
package registrytest

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"slipway/internal/imageref"
)

// Registry is a registry on this machine.
type Registry struct {
	// Host is its address, with the port.
	Host string

	user, password string
}

// Serve starts a registry until the test ends. Where a user is given, it answers that one alone.
func Serve(t *testing.T, user, password string) *Registry {
	t.Helper()
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if its, given, _ := r.BasicAuth(); user != "" && (its != user || given != password) {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"errors": [{"code": "UNAUTHORIZED", "message": "who are you"}]}`)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return &Registry{strings.TrimPrefix(server.URL, "http://"), user, password}
}

// Push puts an image for a platform, such as linux/amd64, into the registry, or an index of images for several.
func (r *Registry) Push(t *testing.T, repository, tag string, platforms ...string) imageref.Ref {
	t.Helper()
	var image remote.Taggable = imageFor(t, platforms[0])
	if len(platforms) > 1 {
		var index v1.ImageIndex = empty.Index
		for _, platform := range platforms {
			parsed, err := v1.ParsePlatform(platform)
			require.NoError(t, err)
			index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: imageFor(t, platform),
				Descriptor: v1.Descriptor{Platform: parsed}})
		}
		image = index
	}
	return r.PushImage(t, repository, tag, image)
}

// PushImage puts an image, or an index of several, into the registry.
func (r *Registry) PushImage(t *testing.T, repository, tag string, image remote.Taggable) imageref.Ref {
	t.Helper()
	named, err := name.NewTag(r.Host + "/" + repository + ":" + tag)
	require.NoError(t, err)
	login := remote.WithAuth(authn.Anonymous)
	if r.user != "" {
		login = remote.WithAuth(&authn.Basic{Username: r.user, Password: r.password})
	}
	require.NoError(t, remote.Push(named, image, login))
	pushed, err := remote.Head(named, login)
	require.NoError(t, err)
	return imageref.Ref{Host: r.Host, Repository: repository, Tag: tag, Digest: pushed.Digest.String()}
}

// imageFor is an image for a platform. It has no files.
func imageFor(t *testing.T, platform string) v1.Image {
	t.Helper()
	os, architecture, _ := strings.Cut(platform, "/")
	image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: os, Architecture: architecture,
		RootFS: v1.RootFS{Type: "layers"}})
	require.NoError(t, err)
	return image
}
