package e2e

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	served "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/ecr"
)

// pushes is how many images were pushed to a repository.
func (a *awsAccount) pushes(repository string) int {
	a.Helper()
	counts, err := ecr.Builds(a.open())
	require.NoError(a.TB, err)
	return counts[repository].Pushes
}

// anotherRegistry is a registry of nobody's account, and a stage whose main container runs an image of it.
func anotherRegistry(t *testing.T, p *project, image remote.Taggable, digest v1.Hash) (asked func() int) {
	t.Helper()
	inner := served.New(served.Logger(log.New(io.Discard, "", 0)))
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	tag, err := name.NewTag(host + "/team/web:2.1")
	require.NoError(t, err)
	require.NoError(t, remote.Push(tag, image))
	p.replace("Pulumi.dev.yaml", "      build:\n        context: ./app\n",
		fmt.Sprintf("      ref: %s/team/web:2.1@%s\n      mirror: true\n", host, digest))
	return func() int { return requests }
}

// forPlatforms is an index of an image for each platform.
func forPlatforms(t *testing.T, architectures ...string) v1.ImageIndex {
	t.Helper()
	index := v1.ImageIndex(empty.Index)
	for _, architecture := range architectures {
		image, err := random.Image(200_000, 2)
		require.NoError(t, err)
		config, err := image.ConfigFile()
		require.NoError(t, err)
		config = config.DeepCopy()
		config.OS, config.Architecture = "linux", architecture
		image, err = mutate.ConfigFile(image, config)
		require.NoError(t, err)
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: architecture}}})
	}
	return index
}

func TestAPublicImageOfTwoPlatformsIsCopiedWhole(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	index := forPlatforms(t, "amd64", "arm64")
	digest, err := index.Digest()
	require.NoError(t, err)
	asked := anotherRegistry(t, p, index, digest)
	u := p.up("dev")
	require.Contains(t, u.output, "in 6 of 6 layers")
	require.Equal(t, digest.String(), p.state("dev").outputs().Images["web"].Digest)
	copied, err := ecr.FindImage(p.aws.open(), "slipway-dev/web", "2.1", digest.String())
	require.NoError(t, err)
	require.Len(t, copied.Platforms, 2)
	require.True(t, strings.HasSuffix(p.aws.service("slipway-dev").Image, "/slipway-dev/web:2.1"))

	before := asked()
	p.up("dev", "--expect-no-changes")
	require.Equal(t, before, asked(), "the other registry is not asked for what is there")

	// Somebody removes it: the next update copies it again.
	_, err = ecr.DeleteImage(p.aws.open(), "slipway-dev/web", "", digest.String())
	require.NoError(t, err)
	require.Contains(t, p.up("dev", "--expect-no-changes").output, "has been copied into slipway-dev/web")
	require.Equal(t, 2, p.aws.pushes("slipway-dev/web"))
}

func TestAKillDuringACopyConverges(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	index := forPlatforms(t, "amd64")
	digest, err := index.Digest()
	require.NoError(t, err)
	anotherRegistry(t, p, index, digest)
	p.aws.setFaults(map[string]string{"slow-push": forever})
	killAndRepeat(p, func() bool {
		uploads, err := os.ReadDir(filepath.Join(p.aws.dir, "registry", "uploads"))
		return err == nil && len(uploads) > 0
	})
	require.Equal(t, digest.String(), p.state("dev").outputs().Images["web"].Digest)
	require.True(t, strings.HasSuffix(p.aws.service("slipway-dev").Image, "/slipway-dev/web:2.1"))
}
