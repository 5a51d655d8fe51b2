package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"

	"slipway/internal/registries/registrytest"
	"slipway/sandbox/registry"
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
	require.Regexp(t, `(?m)^#\d+ \[.*1/1\] COPY \. /$`, strings.Join(log, "\n"))
	require.Empty(t, tagsOf(t, docker, built), "the build's own tag goes again")

	packed, err := pack(t.Context(), b, t.TempDir())
	require.NoError(t, err)
	engineFiles, ownFiles := mutate.Extract(built), mutate.Extract(packed)
	defer engineFiles.Close()
	defer ownFiles.Close()
	want := contents(t, ownFiles)
	require.Equal(t, "-rw-r--r-- skipped\nDockerfile", want[".dockerignore"])
	require.Equal(t, want, contents(t, engineFiles))

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
	for name, test := range map[string]struct {
		dockerfile string
		says       []string
	}{
		"a missing file": {"FROM scratch\nCOPY missing /\n", []string{"1/1] COPY missing /: ", `"/missing" not found`}},
		"a command": {"FROM scratch\nCOPY --chmod=755 caches /caches\nRUN [\"/caches\", \"/no/such/directory\"]\n",
			[]string{`2/2] RUN ["/caches", "/no/such/directory"]: `, "exit code: 1",
				"\n  open /no/such/directory: no such file or directory"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := buildWithEngine(t.Context(), docker, buildIn(t, test.dockerfile, withCaches(t)), t.TempDir(), ignore)
			require.Error(t, err)
			for _, says := range test.says {
				require.ErrorContains(t, err, says)
			}
		})
	}
}

func ignore(string) {}

// withCaches are the files of a build that may run /caches.
func withCaches(t *testing.T) map[string]string {
	t.Helper()
	program, err := caches()
	require.NoError(t, err)
	return map[string]string{"caches": program}
}

// caches is the program of that name, which adds a file to a directory and says how many that holds.
var caches = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "sandbox-caches-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "caches")
	compile := exec.Command("go", "build", "-trimpath", "-o", name, "./testdata/caches")
	compile.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if output, err := compile.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, output)
	}
	content, err := os.ReadFile(name)
	return string(content), err
})

func TestBuildKitBuildsWhatTheClassicBuilderRefuses(t *testing.T) {
	t.Parallel()
	docker := engineOf(t)
	id := strings.ToLower(rand.Text())
	b := buildIn(t, `FROM scratch AS tools
COPY --chmod=755 caches /caches
FROM scratch
ARG TIME
RUN --mount=type=cache,id=`+id+`,target=/cache --mount=from=tools,target=/tools \
    --mount=source=greeting,target=/greeting ["/tools/caches", "/cache", "/greeting"]
COPY --from=tools --chmod=711 /caches /
`, map[string]string{"greeting": "hello"})
	writeFiles(t, b.context, withCaches(t))
	for files := range 2 {
		b.args["TIME"] = rand.Text() // so that the command runs again
		var log []string
		built, err := buildWithEngine(t.Context(), docker, b, t.TempDir(), func(line string) { log = append(log, line) })
		require.NoError(t, err)
		require.Regexp(t, fmt.Sprintf(`(?m)^#\d+ \d\.\d{3} hello: %d files$`, files), strings.Join(log, "\n"))
		extracted := mutate.Extract(built)
		defer extracted.Close()
		require.Regexp(t, "^-rwx--x--x ", contents(t, extracted)["caches"])
	}
	b.isClassic = true
	_, err := buildWithEngine(t.Context(), docker, b, t.TempDir(), ignore)
	require.ErrorContains(t, err, "requires BuildKit", "as the program wants it")
}

func TestAnImageOfTheEngineAloneIsABase(t *testing.T) {
	t.Parallel()
	docker := engineOf(t)
	var archive bytes.Buffer
	files := tar.NewWriter(&archive)
	require.NoError(t, addContent(files, "base", []byte("of the base")))
	require.NoError(t, files.Close())
	base := "sandbox-base:" + strings.ToLower(rand.Text())
	imported, err := docker.ImageImport(t.Context(), client.ImageImportSource{Source: &archive, SourceName: "-"}, base,
		client.ImageImportOptions{})
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, imported)
	require.NoError(t, errors.Join(err, imported.Close()))
	t.Cleanup(func() {
		_, err := docker.ImageRemove(context.Background(), base, client.ImageRemoveOptions{})
		require.NoError(t, err)
	})
	b := buildIn(t, "FROM "+base+"\nCOPY a /\n", map[string]string{"a": rand.Text()})
	b.platform = "linux/" + runtime.GOARCH
	built, err := buildWithEngine(t.Context(), docker, b, t.TempDir(), ignore)
	require.NoError(t, err)
	extracted := mutate.Extract(built)
	defer extracted.Close()
	require.Equal(t, "-rw-r--r-- of the base", contents(t, extracted)["base"])
}

func TestTheEngineIsGivenTheRegistrysPassword(t *testing.T) {
	t.Parallel()
	docker := engineOf(t)
	r := registrytest.Serve(t, "team", "hunter2")
	image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: "amd64",
		Author: rand.Text(), RootFS: v1.RootFS{Type: "layers"}}) // which the engine has not read before
	require.NoError(t, err)
	base := r.PushImage(t, "base", "1", image)
	b := buildIn(t, "FROM "+base.String()+"\nCOPY a /\n", map[string]string{"a": rand.Text()})
	_, err = buildWithEngine(t.Context(), docker, b, t.TempDir(), ignore)
	require.ErrorContains(t, err, "401 Unauthorized")
	b.credentials = registry.Credentials{Server: r.Host, Username: "team", Password: "hunter2"}
	_, err = buildWithEngine(t.Context(), docker, b, t.TempDir(), ignore)
	require.NoError(t, err)
}

func TestAnImageHasItsCacheWhereAnArgumentSaysSo(t *testing.T) {
	t.Parallel()
	docker := engineOf(t)
	b := buildIn(t, "FROM scratch\nCOPY a /\n", map[string]string{"a": rand.Text()})
	b.cacheFrom = []string{"127.0.0.1:1/nosuch:1"} // which is no reason to fail
	b.args["BUILDKIT_INLINE_CACHE"] = "1"
	built, err := buildWithEngine(t.Context(), docker, b, t.TempDir(), ignore)
	require.NoError(t, err)
	config, err := built.RawConfigFile()
	require.NoError(t, err)
	require.Contains(t, string(config), "moby.buildkit.cache.v0")
}

func TestTheEngineIsSentWhatTheOfficialProviderSends(t *testing.T) {
	t.Parallel()
	b := buildIn(t, "FROM scratch\n", map[string]string{".dockerignore": "*\n!a\n", "a": "a", "b": "b"})
	sent := map[string]string{"a": "-rw-r--r-- a", "Dockerfile": "-rw-r--r-- FROM scratch",
		".dockerignore": "-rw-r--r-- *\n!a"}
	send := func() map[string]string {
		var archive bytes.Buffer
		require.NoError(t, sendContext(t.Context(), b, &archive))
		return contents(t, &archive)
	}
	require.Equal(t, "Dockerfile", b.sentDockerfile())
	require.Equal(t, sent, send())

	b.dockerfile = filepath.Join(b.base, "Other")
	writeFiles(t, b.base, map[string]string{"Other": "FROM other\n"})
	require.Equal(t, ".dockerfile.sandbox", b.sentDockerfile())
	delete(sent, "Dockerfile")
	sent[".dockerfile.sandbox"], sent[".dockerignore"] = "-rw-r--r-- FROM other", "-rw-r--r-- *\n!a\n\n.dockerfile.sandbox"
	require.Equal(t, sent, send())

	require.NoError(t, os.Remove(filepath.Join(b.context, ".dockerignore")))
	require.Equal(t, "-rw-r--r-- .dockerfile.sandbox", send()[".dockerignore"])
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
