package e2e

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/stretchr/testify/require"

	"slipway/internal/registries/registrytest"
	"slipway/sandbox/account"
	"slipway/sandbox/account/secrets"
)

// An image that somebody else builds: by its tag it is refused, slipway pin writes the digest, and it runs by that.
func TestAnImageOfAnotherRegistryRunsByItsDigest(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	registry := registrytest.Serve(t, "", "")
	web := registry.Push(t, "team/web", "1.4", "linux/amd64", "linux/arm64")
	tag, _, _ := strings.Cut(web.String(), "@")
	p.ok("pulumi", "stack", "init", "release")
	p.write("Pulumi.release.yaml", p.read("Pulumi.release.yaml")+
		"  slipway:images: {web: {ref: \""+tag+"\"}} # of team web\n")
	u := p.tryUp("release")
	require.NotZero(t, u.status)
	require.Contains(t, u.output, "images.web.ref (Pulumi.release.yaml): has no digest, so what it runs could change; "+
		"`slipway pin release` looks it up and writes it")
	require.Empty(t, u.changed())

	before := p.read("Pulumi.release.yaml")
	require.Contains(t, p.ok("slipway", "pin", "release").stdout, "images.web.ref (Pulumi.release.yaml)\n  - "+tag+
		"\n  + "+web.String())
	require.Equal(t, strings.Replace(before, tag, web.String(), 1), p.read("Pulumi.release.yaml"))
	p.ok("slipway", "verify", "release")
	p.up("release")
	container := p.aws.container("slipway-release-web:1")
	require.Equal(t, web.Pinned(), container.Image())
	require.NotContains(t, container, "repositoryCredentials")
	require.Equal(t, web.String(), p.state("release").outputs().Images["web"].Ref)
	require.Equal(t, 2, p.aws.service("slipway-release").Running)
	p.settled("release")

	arm := registry.Push(t, "team/web", "arm", "linux/arm64").String()
	p.replace("Pulumi.release.yaml", web.String(), arm)
	u = p.tryUp("release")
	require.NotZero(t, u.status)
	require.Contains(t, u.output, "images.web.ref (Pulumi.release.yaml): "+arm+" is for linux/arm64, and its tasks run on "+
		"linux/amd64")
	require.Empty(t, u.changed())
}

// appForPlatforms is an index of an image with the sample app in it, and one of another platform that cannot run here.
func appForPlatforms(t *testing.T) v1.ImageIndex {
	t.Helper()
	binary, err := os.ReadFile(filepath.Join(root, builtApp))
	require.NoError(t, err)
	var files bytes.Buffer
	archive := tar.NewWriter(&files)
	require.NoError(t, archive.WriteHeader(&tar.Header{Name: "app", Size: int64(len(binary)), Mode: 0o755}))
	_, err = archive.Write(binary)
	require.NoError(t, err)
	require.NoError(t, archive.Close())
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(files.Bytes())), nil
	})
	require.NoError(t, err)
	image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: "amd64",
		Config: v1.Config{Entrypoint: []string{"/app"}, User: "65532"}, RootFS: v1.RootFS{Type: "layers"}})
	require.NoError(t, err)
	image, err = mutate.AppendLayers(image, layer)
	require.NoError(t, err)
	return mutate.AppendManifests(forPlatforms(t, "arm64"), mutate.IndexAddendum{Add: image,
		Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}})
}

func TestAnImageOfAnotherRegistryAnswersWithAndWithoutACopy(t *testing.T) {
	t.Parallel()
	p := withContainers(t)
	registry := registrytest.Serve(t, "robot", "hunter2")
	web := registry.PushImage(t, "team/web", "1.4", appForPlatforms(t))
	p.replace("Pulumi.dev.yaml", "      build:\n        context: ./app\n", "      ref: "+web.String()+"\n")
	p.stageKeys(fmt.Sprintf("slipway:registries: {%q: {credentials: %q}}", registry.Host, registrySecret(p.project)))
	p.up("dev")
	answers := p.answers()
	require.Equal(t, []string{"hello from dev"}, greetings(answers))
	require.Equal(t, web.Pinned(), answers[0].Image.Reference)

	p.replace("Pulumi.dev.yaml", web.String(), web.String()+"\n      mirror: true")
	require.Contains(t, p.up("dev").output, "has been copied into slipway-dev/web")
	answers = p.answers()
	require.Equal(t, []string{"hello from dev"}, greetings(answers))
	require.Equal(t, "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/slipway-dev/web:1.4", answers[0].Image.Reference)
}

// registrySecret makes a secret with the name and password of a registry, and gives its ARN.
func registrySecret(p *project) (arn string) {
	p.Helper()
	arn, err := secrets.CreateSecret(p.aws.open(), "ap-northeast-2", account.Object{"name": "registry"})
	require.NoError(p, err)
	putPassword(p, arn, "hunter2")
	return arn
}

func putPassword(p *project, arn, password string) {
	p.Helper()
	_, err := secrets.PutSecretValue(p.aws.open(), arn, `{"username": "robot", "password": "`+password+`"}`, "")
	require.NoError(p, err)
}

func TestAPrivateRegistryIsAskedWithItsCredentials(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	registry := registrytest.Serve(t, "robot", "hunter2")
	web := registry.Push(t, "team/web", "1.4", "linux/amd64")
	arn := registrySecret(p)
	p.ok("pulumi", "stack", "init", "release")
	p.write("Pulumi.release.yaml", p.read("Pulumi.release.yaml")+"  slipway:images: {web: {ref: \""+web.String()+"\"}}\n")
	u := p.tryUp("release")
	require.NotZero(t, u.status)
	require.Contains(t, u.output, "images.web.ref (Pulumi.release.yaml): "+web.String()+" may not be read without a password")
	require.Empty(t, u.changed(), "it is refused before anything changes")

	p.write("Pulumi.release.yaml", p.read("Pulumi.release.yaml")+fmt.Sprintf("  slipway:registries: {%q: {credentials: %q}}\n",
		registry.Host, arn))
	u = p.up("release")
	require.NotContains(t, u.output, "hunter2")
	require.Equal(t, map[string]any{"credentialsParameter": arn},
		p.aws.container("slipway-release-web:1")["repositoryCredentials"])
	require.Equal(t, []string{arn}, p.aws.statements("slipway-release-web-execution")["Secrets"].Resource)
	require.Equal(t, 2, p.aws.service("slipway-release").Running)
	p.settled("release")

	putPassword(p, arn, "other")
	u = p.tryUp("release")
	require.NotZero(t, u.status)
	require.Contains(t, u.output, "may not be read with the name and password of registries[")
}
