package docker

import (
	"bytes"
	"context"
	"crypto/rand"
	"net"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"
)

// engineOf skips the test where no Docker engine answers. It asks on its own: the tests' environment hides the engine
// from the provider.
func engineOf(t *testing.T) *client.Client {
	t.Helper()
	docker, err := client.New(client.FromEnv)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, docker.Close()) })
	ctx, cancel := context.WithTimeout(t.Context(), answerTime)
	defer cancel()
	if _, err := docker.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true}); err != nil {
		t.Skip("no Docker engine answers:", err)
	}
	return docker
}

// tagsOf are the tags that the engine has for the image. Other builds, also killed ones, leave their own on the same
// engine.
func tagsOf(t *testing.T, docker *client.Client, built v1.Image) (tags []string) {
	t.Helper()
	id, err := built.ConfigName()
	require.NoError(t, err)
	images, err := docker.ImageList(t.Context(), client.ImageListOptions{All: true})
	require.NoError(t, err)
	for _, image := range images.Items {
		if image.ID == id.String() {
			tags = append(tags, image.RepoTags...)
		}
	}
	return tags
}

func TestTheEngineBuildsWhatIsPackedWithoutOne(t *testing.T) {
	t.Parallel()
	docker := engineOf(t)
	b := buildIn(t, "FROM scratch\nARG TEXT\nENV TEXT=$TEXT\nCOPY . /\nCMD [\"/a\"]\n", map[string]string{
		".dockerignore": "skipped\nDockerfile", "a": "a", "sub/b": "b", "skipped": "s"})
	b.args["TEXT"] = rand.Text() // no other build makes this image
	var log []string
	built, err := buildWithEngine(t.Context(), docker, b, t.TempDir(), func(line string) { log = append(log, line) })
	require.NoError(t, err)
	require.Contains(t, strings.Join(log, "\n"), "COPY . /")
	require.Empty(t, tagsOf(t, docker, built), "the build's own tag goes again")

	packed, err := pack(t.Context(), b, t.TempDir())
	require.NoError(t, err)
	engineFiles, ownFiles := mutate.Extract(built), mutate.Extract(packed)
	defer engineFiles.Close()
	defer ownFiles.Close()
	want := contents(t, ownFiles)
	require.Equal(t, "-rw-r--r-- skipped\nDockerfile", want[".dockerignore"])
	got := contents(t, engineFiles)
	// To hide the Dockerfile that it was sent beside the context, the engine is sent another ignore file.
	require.Contains(t, got[".dockerignore"], want[".dockerignore"])
	delete(got, ".dockerignore")
	delete(want, ".dockerignore")
	require.Equal(t, want, got)

	engineConfig, err := built.ConfigFile()
	require.NoError(t, err)
	ownConfig, err := packed.ConfigFile()
	require.NoError(t, err)
	require.Equal(t, ownConfig.Config.Env, engineConfig.Config.Env)
	require.Equal(t, ownConfig.Config.Cmd, engineConfig.Config.Cmd)
	require.Equal(t, ownConfig.Architecture, engineConfig.Architecture)
}

func TestTheEngineSaysWhyABuildFails(t *testing.T) {
	t.Parallel()
	docker := engineOf(t)
	_, err := buildWithEngine(t.Context(), docker, buildIn(t, "FROM scratch\nCOPY missing /\n", nil), t.TempDir(),
		func(string) {})
	require.ErrorContains(t, err,
		"COPY failed: file not found in build context or excluded by .dockerignore: stat missing")
}

func TestTheEnginesMessagesAreFollowed(t *testing.T) {
	t.Parallel()
	var lines []string
	collect := func(line string) { lines = append(lines, line) }
	require.NoError(t, followBuild(strings.NewReader(`{"stream":"Step 1/2 : FROM `+
		`scratch\n"}{"stream":"\n"}{"status":"Pulling"}{"aux":{"ID":"x"}}`), collect))
	require.Equal(t, []string{"Step 1/2 : FROM scratch", "Pulling"}, lines)
	require.EqualError(t, followBuild(strings.NewReader(`{"errorDetail":{"message":"no"},"error":"no"}`), collect), "no")
	require.ErrorContains(t, followBuild(strings.NewReader(`{"stream":`), collect), "following the build")
}

func TestTheEngineIsSentTheDockerfileUnderAnotherName(t *testing.T) {
	t.Parallel()
	b := buildIn(t, "FROM scratch\n", map[string]string{".dockerignore": "*\n!a\n", "a": "a", "b": "b"})
	var sent bytes.Buffer
	require.NoError(t, sendContext(t.Context(), b, &sent))
	require.Equal(t, map[string]string{
		"a": "-rw-r--r-- a", sentDockerfile: "-rw-r--r-- FROM scratch",
		"Dockerfile": "-rw-r--r-- FROM scratch", ".dockerignore": "-rw-r--r-- *\n!a\n\n" + sentDockerfile,
	}, contents(t, &sent))
}

func TestAnEngineThatIsSlowIsNotOneThatIsNotThere(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, and says nothing
	require.NoError(t, err)
	t.Setenv(engineVariable, "")
	t.Setenv("DOCKER_HOST", "tcp://"+listener.Addr().String())
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	engine, err := Engine(ctx)
	require.ErrorContains(t, err, "the Docker engine does not answer")
	require.ErrorContains(t, err, "SANDBOX_DOCKER=off")
	require.Nil(t, engine)

	require.NoError(t, listener.Close())
	engine, err = Engine(t.Context())
	require.NoError(t, err)
	require.Nil(t, engine)
}
