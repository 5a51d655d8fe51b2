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

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecr"
	"slipway/sandbox/account/secrets"
)

// withKeysOfTwoAccounts is a project whose stages are in accounts of their own, by the keys in their files.
func withKeysOfTwoAccounts(t *testing.T) *project {
	t.Helper()
	p := newProject(t)
	for stage, id := range map[string]string{"dev": devAccount, "release": releaseAccount} {
		p.replace("Pulumi."+stage+".yaml", "  aws:region: ap-northeast-2\n",
			"  aws:region: ap-northeast-2\n  aws:accessKey: AKIA"+id+"\n  aws:secretKey: any\n")
	}
	p.commit("Accounts")
	return p
}

// in is another account, as its own user sees it.
func (a *awsAccount) in(id string) *awsAccount {
	return &awsAccount{TB: a.TB, dir: a.dir, opened: a.open().As(account.User(id))}
}

// pushes is how many images were pushed to a repository.
func (a *awsAccount) pushes(repository string) int {
	a.Helper()
	counts, err := ecr.Builds(a.open())
	require.NoError(a.TB, err)
	return counts[repository].Pushes
}

func TestAnImageIsPromotedIntoAnotherAccountAndRunsFromThere(t *testing.T) {
	t.Parallel()
	p := withKeysOfTwoAccounts(t)
	dev, release := p.aws.in(devAccount), p.aws.in(releaseAccount)
	p.ok("pulumi", "stack", "init", "release")
	p.replace("Pulumi.yaml", "memory: 512", "memory: 512\n          secrets: [API_KEY]")
	for _, stage := range []string{"dev", "release"} {
		p.encrypt(stage, "API_KEY", "hunter2-"+stage)
	}
	p.up("dev")
	file := p.read("Pulumi.release.yaml")
	p.refused([]string{"images.web of dev: ", "may not be read by account 222222222222 (DENIED: User: arn:aws:iam::222222222222",
		`write repository.readers: ["222222222222"] in the file of the stage in account 111111111111`},
		"slipway", "promote", "dev", "release")
	require.Equal(t, file, p.read("Pulumi.release.yaml"), "nothing is written that the next command refuses")

	p.replace("Pulumi.dev.yaml", "config:\n", "config:\n  slipway:repository: {readers: [\"222222222222\"]}\n")
	require.Equal(t, []string{"Create aws:ecr/repositoryPolicy:RepositoryPolicy"}, p.up("dev").changed())
	p.ok("slipway", "promote", "dev", "release")
	require.Contains(t, p.read("Pulumi.release.yaml"), "mirror: true")
	p.commit("Promote")
	preview := p.ok("pulumi", "preview", "--stack", "release", "--color", "never")
	require.Contains(t, preview.output, "copies 111111111111.dkr.ecr.ap-northeast-2.amazonaws.com/slipway-dev/web:")
	require.Contains(t, preview.output, " are missing there, in ")
	require.Empty(t, release.images())

	u := p.up("release")
	require.Contains(t, u.output, "has been copied into slipway-release/web, with the same digest")
	built, copied := dev.images()[0], release.images()[0]
	require.Equal(t, built.Digest, copied.Digest)
	require.Equal(t, built.Tag, copied.Tag)
	require.Equal(t, "222222222222.dkr.ecr.ap-northeast-2.amazonaws.com/slipway-release/web:"+built.Tag+"@"+built.Digest,
		p.state("release").outputs().Images["web"].Ref)
	require.Contains(t, p.run("slipway", "diff", "dev", "release").output, "web is the same image in both, under two names")

	// Each account has its own stage's secret, and nothing leads from the second one to that of the first.
	require.Equal(t, map[string]string{"API_KEY": "hunter2-dev"}, dev.secretValues("slipway-dev-web:1"))
	require.Equal(t, map[string]string{"API_KEY": "hunter2-release"}, release.secretValues("slipway-release-web:1"))
	own := release.object(secrets.Secret)["arn"].(string)
	require.Contains(t, own, ":"+releaseAccount+":")
	require.Equal(t, []string{own}, release.statements("slipway-release-web-execution")["Secrets"].Resource)
	require.NotContains(t, p.state("release").containers(), devAccount)

	// Another image, and back to the first one, which is there.
	p.commit("Release")
	p.editApp("another")
	p.up("dev")
	p.ok("slipway", "promote", "dev", "release")
	p.commit("Promote again")
	p.up("release")
	require.Equal(t, 2, release.pushes("slipway-release/web"))
	p.git("revert", "--no-edit", "HEAD")
	// Whatever becomes of the first account's images, the second one has its own.
	for _, image := range dev.images() {
		_, err := ecr.DeleteImage(dev.open(), image.Repository, "", image.Digest)
		require.NoError(t, err)
	}
	p.up("release")
	require.Equal(t, 2, release.pushes("slipway-release/web"))
	log := filepath.Join(t.TempDir(), "calls")
	unchanged := p.runWith([]string{"SANDBOX_API_LOG=" + log}, upArgs("release", "--expect-no-changes")...)
	require.Zero(t, unchanged.status, unchanged.output)
	calls, err := os.ReadFile(log)
	require.NoError(t, err)
	require.NotContains(t, string(calls), "GetAuthorizationToken", "no registry is asked")
	require.NotContains(t, string(calls), "PutImage")
}

// anotherRegistry is a registry of nobody's account, and a stage whose main container runs an image of it: an
// index with one for each platform.
func anotherRegistry(t *testing.T, p *project, architectures ...string) (digest v1.Hash, asked func() int) {
	t.Helper()
	index := forPlatforms(t, architectures...)
	digest, err := index.Digest()
	require.NoError(t, err)
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
	require.NoError(t, remote.Push(tag, index))
	p.replace("Pulumi.dev.yaml", "      build:\n        context: ./app\n",
		fmt.Sprintf("      ref: %s/team/web:2.1@%s\n      mirror: true\n", host, digest))
	return digest, func() int { return requests }
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
	digest, asked := anotherRegistry(t, p, "amd64", "arm64")
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
	digest, _ := anotherRegistry(t, p, "amd64")
	p.aws.setFaults(map[string]string{"slow-push": forever})
	killAndRepeat(p, func() bool {
		uploads, err := os.ReadDir(filepath.Join(p.aws.dir, "registry", "uploads"))
		return err == nil && len(uploads) > 0
	})
	require.Equal(t, digest.String(), p.state("dev").outputs().Images["web"].Digest)
	require.True(t, strings.HasSuffix(p.aws.service("slipway-dev").Image, "/slipway-dev/web:2.1"))

	p.replace("Pulumi.dev.yaml", "      mirror: true\n", "      mirror: true\n      platform: linux/arm64\n")
	for _, command := range [][]string{{"pulumi", "preview", "--stack", "dev"}, {"slipway", "verify", "dev"}} {
		refused := p.run(command...)
		require.NotZero(t, refused.status)
		require.Contains(t, refused.output, "images.web.ref (Pulumi.dev.yaml): ")
		require.Contains(t, refused.output, "/slipway-dev/web:2.1@"+digest.String()+" is for linux/amd64, and its tasks run on "+
			"linux/arm64: write the image's platform")
	}
}
