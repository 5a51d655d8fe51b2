package docker

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/stretchr/testify/require"
)

// buildIn is a build of ctx/Dockerfile, with these files beside it.
func buildIn(t *testing.T, dockerfile string, files map[string]string) *build {
	t.Helper()
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{"ctx/Dockerfile": dockerfile})
	writeFiles(t, filepath.Join(dir, "ctx"), files)
	return &build{base: dir, context: filepath.Join(dir, "ctx"), dockerfile: filepath.Join(dir, "ctx/Dockerfile"),
		contextInput: "ctx", dockerfileInput: "ctx/Dockerfile", args: map[string]string{}, platform: "linux/amd64"}
}

func TestPackedFiles(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		".dockerignore": "**/*.log\nDockerfile\n.dockerignore\n", "a.txt": "a", "b.txt": "b", "noise.log": "n",
		"site/index.html": "i", "site/js/x.js": "x", "site/js/noise.log": "n",
	}
	const dir = "-rwxr-xr-x"
	for sentence, c := range map[string]struct {
		dockerfile string
		want       map[string]string
	}{
		"a file under a new name": {"COPY a.txt /opt/c.txt",
			map[string]string{"opt": dir, "opt/c.txt": "-rw-r--r-- a"}},
		"a file into a directory": {"COPY a.txt /opt/", map[string]string{"opt": dir, "opt/a.txt": "-rw-r--r-- a"}},
		"a file into a directory of now": {"WORKDIR /opt\nCOPY a.txt .",
			map[string]string{"opt": dir, "opt/a.txt": "-rw-r--r-- a"}},
		"a file relative to the workdir": {"WORKDIR /opt\nWORKDIR in\nCOPY a.txt c",
			map[string]string{"opt": dir, "opt/in": dir, "opt/in/c": "-rw-r--r-- a"}},
		"several files": {"COPY a.txt b.txt /", map[string]string{"a.txt": "-rw-r--r-- a",
			"b.txt": "-rw-r--r-- b"}},
		"files by a pattern": {"COPY *.txt /", map[string]string{"a.txt": "-rw-r--r-- a",
			"b.txt": "-rw-r--r-- b"}},
		"what a directory holds": {"COPY site /www", map[string]string{"www": dir, "www/index.html": "-rw-r--r-- i",
			"www/js": dir, "www/js/x.js": "-rw-r--r-- x"}},
		"a directory below": {"COPY site/js/ /", map[string]string{"x.js": "-rw-r--r-- x"}},
		"a name by argument": {"ARG NAME=a.txt\nENV DIR=/d\nCOPY $NAME ${DIR}/",
			map[string]string{"d": dir, "d/a.txt": "-rw-r--r-- a"}},
		"a source never leaves its place": {"COPY ../a.txt /", map[string]string{"a.txt": "-rw-r--r-- a"}},
		// The Dockerfile and the ignore file go along even where they are ignored, as they do on the provider's BuildKit.
		"all that is not ignored": {"COPY . /all/", map[string]string{"all": dir, "all/a.txt": "-rw-r--r-- a",
			"all/b.txt":           "-rw-r--r-- b",
			"all/Dockerfile":      "-rw-r--r-- FROM scratch\nCOPY . /all/",
			"all/.dockerignore":   "-rw-r--r-- **/*.log\nDockerfile\n.dockerignore",
			"all/site":            dir,
			"all/site/index.html": "-rw-r--r-- i", "all/site/js": dir, "all/site/js/x.js": "-rw-r--r-- x",
			"all/link": "-rwxrwxrwx -> a.txt"}},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			b := buildIn(t, "FROM scratch\n"+c.dockerfile+"\n", files)
			require.NoError(t, os.Symlink("a.txt", filepath.Join(b.context, "link")))
			image, err := pack(t.Context(), b, t.TempDir())
			require.NoError(t, err)
			packed := mutate.Extract(image)
			defer packed.Close()
			require.Equal(t, c.want, contents(t, packed))
		})
	}
}

func TestPackedConfiguration(t *testing.T) {
	t.Parallel()
	b := buildIn(t, `ARG GLOBAL=of-the-file
FROM scratch AS final
ARG GLOBAL
ARG GIVEN=default
ARG PLAIN=plain
ENV A=$GLOBAL B="$GIVEN and $PLAIN" PORT=9000
LABEL org.example.revision=$GIVEN
EXPOSE 8080 53/udp $PORT
USER 65532:65532
WORKDIR /srv
WORKDIR app
ENTRYPOINT ["/app", "$A"]
CMD serve --port $PORT
`, nil)
	b.args["GIVEN"], b.target, b.platform = "from the program", "final", "linux/arm64"
	image, err := pack(t.Context(), b, t.TempDir())
	require.NoError(t, err)
	file, err := image.ConfigFile()
	require.NoError(t, err)
	require.Equal(t, "arm64", file.Architecture)
	require.Equal(t, "linux", file.OS)
	require.WithinDuration(t, time.Now(), file.Created.Time, time.Minute)
	config := file.Config
	require.Equal(t, []string{defaultPath, "A=of-the-file", "B=from the program and plain", "PORT=9000"}, config.Env)
	require.Equal(t, map[string]string{"org.example.revision": "from the program"}, config.Labels)
	require.Equal(t, map[string]struct{}{"8080/tcp": {}, "53/udp": {}, "9000/tcp": {}}, config.ExposedPorts)
	require.Equal(t, "65532:65532", config.User)
	require.Equal(t, "/srv/app", config.WorkingDir)
	require.Equal(t, []string{"/app", "$A"}, config.Entrypoint)
	require.Equal(t, []string{"/bin/sh", "-c", "serve --port $PORT"}, config.Cmd)
	layers := 0
	for _, step := range file.History {
		if !step.EmptyLayer {
			layers++
		}
	}
	require.Len(t, file.RootFS.DiffIDs, layers)
}

func TestWhatCannotBePacked(t *testing.T) {
	t.Parallel()
	const missing = "COPY failed: file not found in build context or excluded by .dockerignore: stat "
	for sentence, c := range map[string]struct {
		dockerfile string
		errors     []string
	}{
		"another image": {"FROM alpine:3.20\n", []string{"ctx/Dockerfile", "line 1", "FROM alpine:3.20",
			"start Docker"}},
		"a command": {"FROM scratch\n\nRUN [\"/a\"]\n", []string{"ctx/Dockerfile", "line 3", "RUN",
			"start Docker"}},
		"a download": {"FROM scratch\nADD https://example.com/x /\n", []string{"line 2", "ADD", "start Docker"}},
		"a copy of a stage": {"FROM scratch AS one\nFROM scratch\nCOPY --from=one / /\n",
			[]string{"line 3", "COPY --from=one", "start Docker"}},
		"a changed owner":     {"FROM scratch\nCOPY --chown=1 a /\n", []string{"line 2", "COPY --chown=1", "start Docker"}},
		"a health check":      {"FROM scratch\nHEALTHCHECK CMD /a\n", []string{"line 2", "HEALTHCHECK", "start Docker"}},
		"a missing file":      {"FROM scratch\nCOPY a b /\n", []string{"line 2", missing + "b: file does not exist"}},
		"an ignored file":     {"FROM scratch\nCOPY secret /\n", []string{"line 2", missing + "secret: file does not exist"}},
		"an unmatched wish":   {"FROM scratch\nCOPY *.zip /\n", []string{"line 2", missing + "*.zip: file does not exist"}},
		"several to one file": {"FROM scratch\nCOPY a c /file\n", []string{"line 2", "/file must be a directory"}},
		"no such instruction": {"FROM scratch\nCOPPY a /\n", []string{"ctx/Dockerfile", "unknown instruction: COPPY"}},
		"no such target":      {"FROM scratch AS other\n", []string{"ctx/Dockerfile", "final"}},
		"nothing at all":      {"# empty\n", []string{"ctx/Dockerfile"}},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			b := buildIn(t, c.dockerfile, map[string]string{"a": "a", "c": "c", "secret": "s", ".dockerignore": "secret"})
			if sentence == "no such target" {
				b.target = "final"
			}
			_, err := pack(t.Context(), b, t.TempDir())
			require.Error(t, err)
			for _, part := range c.errors {
				require.ErrorContains(t, err, part)
			}
		})
	}
}

func TestADockerfileMayLieOutsideOfItsContext(t *testing.T) {
	t.Parallel()
	b := buildIn(t, "", map[string]string{"a": "a", "b": "b"})
	b.dockerfile = filepath.Join(b.base, "web.Dockerfile")
	writeFiles(t, b.base, map[string]string{"web.Dockerfile": "FROM scratch\nCOPY . /\n",
		"web.Dockerfile.dockerignore": "b\nDockerfile"})
	image, err := pack(t.Context(), b, t.TempDir())
	require.NoError(t, err)
	packed := mutate.Extract(image)
	defer packed.Close()
	require.Equal(t, map[string]string{"a": "-rw-r--r-- a"}, contents(t, packed))
}
