package docker

import (
	"archive/tar"
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecr"
	"slipway/sandbox/registry"
)

const (
	imageURN   = "urn:pulumi:dev::facts::docker:index/image:Image::web"
	ecrHost    = account.DefaultID + ".dkr.ecr.ap-northeast-2.amazonaws.com"
	dockerfile = "FROM scratch\nCOPY app /app\nENTRYPOINT [\"/app\"]\n"
)

// TestMain keeps the provider from a Docker engine, so that the tests do the same on every machine.
func TestMain(m *testing.M) {
	if err := os.Setenv(engineVariable, "off"); err != nil {
		panic(err)
	}
	m.Run()
}

// newServer makes a provider for a project with these files, in front of an account with the repository facts.
func newServer(t *testing.T, files map[string]string) *server {
	t.Helper()
	a, err := account.Open(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	require.NoError(t, a.CreateObject(ecr.Repository, "facts",
		account.Object{"name": "facts", "imageTagMutability": "IMMUTABLE"}, nil))
	project := t.TempDir()
	writeFiles(t, project, files)
	return &server{account: a, registry: registry.New(t.TempDir(), a), directory: func() string { return project }}
}

func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		name = filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(content), 0o644))
		require.NoError(t, os.Chmod(name, 0o644))
	}
}

func object(t *testing.T, fields string) *structpb.Struct {
	t.Helper()
	s := &structpb.Struct{}
	require.NoError(t, protojson.Unmarshal([]byte(fields), s))
	return s
}

func TestRecordedCallsAreAnsweredAlike(t *testing.T) {
	t.Parallel()
	s := newServer(t, map[string]string{"app/Dockerfile": dockerfile, "app/app": "binary"})
	recording, err := os.Open("testdata/docker-image.jsonl")
	require.NoError(t, err)
	defer recording.Close()
	lines := bufio.NewScanner(recording)
	for lines.Scan() {
		// The recorded registry took any password; what was built from is not part of the recording.
		line := strings.ReplaceAll(lines.Text(), `"password": "p"`, `"password": "`+ecr.Password(account.User(account.DefaultID))+`"`)
		line = strings.ReplaceAll(line, `"oldInputs"`, `"old_inputs"`)
		var call struct {
			Method            string
			Request, Response json.RawMessage
		}
		require.NoError(t, json.Unmarshal([]byte(line), &call))
		read := func(request proto.Message) {
			fields := map[string]any{}
			require.NoError(t, json.Unmarshal(call.Request, &fields))
			fields["urn"] = imageURN
			body, err := json.Marshal(fields)
			require.NoError(t, err)
			require.NoError(t, protojson.Unmarshal(body, request))
		}
		var response proto.Message
		var err error
		switch call.Method {
		case "Check":
			request := &pulumirpc.CheckRequest{}
			read(request)
			response, err = s.Check(t.Context(), request)
		case "Create":
			request := &pulumirpc.CreateRequest{}
			read(request)
			response, err = s.Create(t.Context(), request)
		case "Diff":
			request := &pulumirpc.DiffRequest{}
			read(request)
			response, err = s.Diff(t.Context(), request)
		case "Update":
			request := &pulumirpc.UpdateRequest{}
			read(request)
			response, err = s.Update(t.Context(), request)
		default:
			t.Fatalf("a recording of %s", call.Method)
		}
		require.NoError(t, err, call.Method)
		answered, err := protojson.Marshal(response)
		require.NoError(t, err)
		require.JSONEq(t, withoutDigests(string(call.Response)), withoutDigests(string(answered)), call.Method)
	}
	require.NoError(t, lines.Err())
	work, err := ecr.Builds(s.account)
	require.NoError(t, err)
	require.Equal(t, map[string]ecr.BuildCounts{"facts": {Builds: 2, Pushes: 2}}, work)
}

var anyDigest = regexp.MustCompile(`\b[0-9a-f]{64}\b`)

func withoutDigests(s string) string { return anyDigest.ReplaceAllString(s, "digest") }

func inputsOf(build string) string {
	return `{"imageName":"` + ecrHost + `/facts:one","build":` + build + `,"registry":{"server":"` + ecrHost +
		`","username":"AWS","password":"` + ecr.Password(account.User(account.DefaultID)) + `"}}`
}

func TestCheckCompletesTheBuild(t *testing.T) {
	t.Parallel()
	s := newServer(t, map[string]string{"app/Dockerfile": dockerfile, "app/app": "binary"})
	checked, err := s.Check(t.Context(), &pulumirpc.CheckRequest{Urn: imageURN,
		News: object(t, inputsOf(`{"context":"app"}`))})
	require.NoError(t, err)
	require.Empty(t, checked.GetFailures())
	build := checked.GetInputs().GetFields()["build"].GetStructValue().AsMap()
	require.Equal(t, "app", build["context"])
	require.Equal(t, "app/Dockerfile", build["dockerfile"])
	require.Contains(t, build["platform"], "linux/")
	require.Len(t, build["contextDigest"], 64)
}

func TestCheckLeavesUnknownValuesUnknown(t *testing.T) {
	t.Parallel()
	s := newServer(t, map[string]string{"app/Dockerfile": dockerfile})
	const unknown = `"` + plugin.UnknownStringValue + `"`
	for sentence, inputs := range map[string]string{
		"the name":       `{"imageName":` + unknown + `,"build":{"context":"app"}}`,
		"the build":      `{"imageName":"` + ecrHost + `/facts:one","build":` + unknown + `}`,
		"the Dockerfile": inputsOf(`{"context":"app","dockerfile":` + unknown + `}`),
		"the context":    inputsOf(`{"context":` + unknown + `}`),
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			checked, err := s.Check(t.Context(), &pulumirpc.CheckRequest{Urn: imageURN, News: object(t, inputs)})
			require.NoError(t, err)
			require.Empty(t, checked.GetFailures())
			body, err := protojson.Marshal(checked.GetInputs())
			require.NoError(t, err)
			require.Contains(t, string(body), unknown)
		})
	}
}

func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	for sentence, c := range map[string]struct{ inputs, refusal string }{
		"a property that it does not know": {`{"imageName":"` + ecrHost + `/facts:one","color":"red"}`, "color"},
		"a property of the build":          {inputsOf(`{"context":"app","network":"host"}`), "build.network"},
		"a property of the registry":       {`{"registry":{"token":"t"}}`, "registry.token"},
		"a builder that there is not":      {inputsOf(`{"context":"app","builderVersion":"2"}`), `"2"; write BuilderBuildKit`},
		"a build that is text":             {inputsOf(`"app"`), "`build` must be an object"},
		"a build in a preview":             {`{"buildOnPreview":true}`, "buildOnPreview"},
		"an image that is not pushed":      {`{"skipPush":true}`, "skipPush"},
		"a Dockerfile that is not there": {inputsOf(`{"context":"app","dockerfile":"app/Other"}`),
			"could not open dockerfile at relative path app/Other: "},
		"a Dockerfile relative to its context": {inputsOf(`{"context":"app","dockerfile":"Dockerfile"}`),
			`to "app/Dockerfile"`},
		"a name that leaves the registry to us": {`{"imageName":"facts:one","build":{"context":"app"}}`, "fully qualified"},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, map[string]string{"app/Dockerfile": dockerfile})
			checked, err := s.Check(t.Context(), &pulumirpc.CheckRequest{Urn: imageURN, News: object(t, c.inputs)})
			if err == nil {
				require.Len(t, checked.GetFailures(), 1)
				err = errors.New(checked.GetFailures()[0].GetReason())
			}
			require.ErrorContains(t, err, c.refusal)
		})
	}
	s := newServer(t, nil)
	checked, err := s.Check(t.Context(),
		&pulumirpc.CheckRequest{Urn: strings.Replace(imageURN, "image:Image", "container:Container", 1)})
	require.NoError(t, err)
	require.Contains(t, checked.GetFailures()[0].GetReason(), "docker:index/container:Container")
}

func TestDiff(t *testing.T) {
	t.Parallel()
	const update = pulumirpc.PropertyDiff_UPDATE
	olds := `{"__inputs":{"imageName":"a","build":{"contextDigest":"1","args":{"A":"1"}},"registry":{"server":"s","username":"u","password":"p"}}}`
	for sentence, c := range map[string]struct {
		news string
		want map[string]pulumirpc.PropertyDiff_Kind
	}{
		"nothing changed": {`{"imageName":"a","build":{"contextDigest":"1","args":{"A":"1"}},"registry":{"server":"s","username":"u","password":"p"}}`, nil},
		"new credentials are no change": {
			`{"imageName":"a","build":{"contextDigest":"1","args":{"A":"1"}},"registry":{"server":"s","username":"v","password":"q"}}`, nil},
		"no credentials are no change": {`{"imageName":"a","build":{"contextDigest":"1","args":{"A":"1"}},"registry":{"server":"s"}}`, nil},
		"another registry": {`{"imageName":"a","build":{"contextDigest":"1","args":{"A":"1"}},"registry":{"server":"t","username":"u","password":"q"}}`,
			map[string]pulumirpc.PropertyDiff_Kind{"registry": update}},
		"another name": {`{"imageName":"b","build":{"contextDigest":"1","args":{"A":"1"}},"registry":{"server":"s","username":"u","password":"p"}}`,
			map[string]pulumirpc.PropertyDiff_Kind{"imageName": update}},
		"a name that is not known yet": {
			`{"imageName":"` + plugin.UnknownStringValue +
				`","build":{"contextDigest":"1","args":{"A":"1"}},"registry":{"server":"s"}}`,
			map[string]pulumirpc.PropertyDiff_Kind{"imageName": update}},
		"other files": {`{"imageName":"a","build":{"contextDigest":"2","args":{"A":"1"}},"registry":{"server":"s"}}`,
			map[string]pulumirpc.PropertyDiff_Kind{"build": update}},
		"another argument": {`{"imageName":"a","build":{"contextDigest":"1","args":{"A":"2"}},"registry":{"server":"s"}}`,
			map[string]pulumirpc.PropertyDiff_Kind{"build": update}},
		"one input more, one less": {`{"imageName":"a","build":{"contextDigest":"1","args":{"A":"1"}},"skipPush":false}`,
			map[string]pulumirpc.PropertyDiff_Kind{"skipPush": pulumirpc.PropertyDiff_ADD,
				"registry": pulumirpc.PropertyDiff_DELETE}},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			diff, err := new(server).Diff(t.Context(), &pulumirpc.DiffRequest{Urn: imageURN, Olds: object(t, olds),
				News: object(t, c.news)})
			require.NoError(t, err)
			require.Empty(t, diff.GetReplaces())
			require.Equal(t, len(c.want) > 0, diff.GetChanges() == pulumirpc.DiffResponse_DIFF_SOME)
			kinds := map[string]pulumirpc.PropertyDiff_Kind{}
			for key, change := range diff.GetDetailedDiff() {
				kinds[key] = change.GetKind()
			}
			if c.want == nil {
				c.want = map[string]pulumirpc.PropertyDiff_Kind{}
			}
			require.Equal(t, c.want, kinds)
		})
	}
}

func TestAPreviewBuildsNothing(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil)
	news := object(t, inputsOf(`{"context":"app"}`))
	created, err := s.Create(t.Context(), &pulumirpc.CreateRequest{Urn: imageURN, Properties: news, Preview: true})
	require.NoError(t, err)
	require.Empty(t, created.GetId())
	require.True(t, proto.Equal(news, created.GetProperties()))
	updated, err := s.Update(t.Context(), &pulumirpc.UpdateRequest{Urn: imageURN, News: news, Preview: true})
	require.NoError(t, err)
	require.NotContains(t, updated.GetProperties().GetFields(), "repoDigest")
	work, err := ecr.Builds(s.account)
	require.NoError(t, err)
	require.Empty(t, work)
}

func TestAPushOverAnImmutableTagFails(t *testing.T) {
	t.Parallel()
	s := newServer(t, map[string]string{"app/Dockerfile": dockerfile, "app/app": "binary"})
	request := &pulumirpc.CreateRequest{Urn: imageURN, Properties: object(t,
		inputsOf(`{"context":"app","platform":"linux/amd64"}`))}
	_, err := s.Create(t.Context(), request)
	require.NoError(t, err)
	_, err = s.Create(t.Context(), request)
	require.ErrorContains(t, err, "The image tag 'one' already exists in the 'facts' repository")
}

func TestAWrongPasswordIsNotRepeated(t *testing.T) {
	t.Parallel()
	s := newServer(t, map[string]string{"app/Dockerfile": dockerfile, "app/app": "binary"})
	inputs := strings.Replace(inputsOf(`{"context":"app","platform":"linux/amd64"}`), ecr.Password(account.User(account.DefaultID)),
		"hunter2", 1)
	_, err := s.Create(t.Context(), &pulumirpc.CreateRequest{Urn: imageURN, Properties: object(t, inputs)})
	require.ErrorContains(t, err, "denied: ")
	require.NotContains(t, err.Error(), "hunter2")
}

func TestWhatIsPushedIsWhatWasBuilt(t *testing.T) {
	t.Parallel()
	s := newServer(t, map[string]string{"app/Dockerfile": dockerfile, "app/app": "binary"})
	created, err := s.Create(t.Context(),
		&pulumirpc.CreateRequest{Urn: imageURN, Properties: object(t,
			inputsOf(`{"context":"app","platform":"linux/amd64"}`))})
	require.NoError(t, err)
	images, err := ecr.Images(s.account)
	require.NoError(t, err)
	require.Len(t, images, 1)
	require.Equal(t, ecrHost+"/facts@"+images[0].Digest,
		created.GetProperties().GetFields()["repoDigest"].GetStringValue())
}

func TestContextDigest(t *testing.T) {
	t.Parallel()
	content := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return string(sum[:])
	}
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{"Dockerfile": "FROM scratch", "b/c": "c", "b/ignored": "i",
		".dockerignore": "**/ignored\n", "x": "x"})
	require.NoError(t, os.Chmod(filepath.Join(dir, "x"), 0o755))
	require.NoError(t, os.Symlink("b/c", filepath.Join(dir, "link")))
	resolved, err := filepath.EvalSymlinks(filepath.Join(dir, "b/c"))
	require.NoError(t, err)
	want := "Dockerfile" + "----------" + content("FROM scratch") + "\x00" +
		".dockerignore" + "-rw-r--r--" + content("**/ignored\n") + "\x00" +
		"Dockerfile" + "-rw-r--r--" + content("FROM scratch") + "\x00" +
		"b/c" + "-rw-r--r--" + content("c") + "\x00" +
		"link" + "Lrwxrwxrwx" + content(filepath.ToSlash(resolved)) + "\x00" +
		"x" + "-rwxr-xr-x" + content("x") + "\x00"
	sum := sha256.Sum256([]byte(want))
	digest, err := contextDigest("", dir, filepath.Join(dir, "Dockerfile"))
	require.NoError(t, err)
	require.Equal(t, hex.EncodeToString(sum[:]), digest)
}

func TestWhatChangesTheContextDigest(t *testing.T) {
	t.Parallel()
	for sentence, c := range map[string]struct {
		edit    func(dir string) error
		changes bool
	}{
		"another content": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "app/a"),
				[]byte("other"), 0o644)
		}, true},
		"another mode": {func(dir string) error { return os.Chmod(filepath.Join(dir, "app/a"), 0o664) },
			true},
		"another name": {func(dir string) error {
			return os.Rename(filepath.Join(dir, "app/a"),
				filepath.Join(dir, "app/b"))
		}, true},
		"another Dockerfile": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "Other"),
				[]byte("FROM x"), 0o644)
		}, true},
		"the mode of the Dockerfile": {func(dir string) error { return os.Chmod(filepath.Join(dir, "Other"), 0o600) },
			false},
		"the content of what is ignored": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "app/skip"),
				[]byte("other"), 0o644)
		}, false},
		"an empty directory": {func(dir string) error { return os.Mkdir(filepath.Join(dir, "app/empty"), 0o755) },
			false},
		"an ignore file of the Dockerfile's own": {
			func(dir string) error {
				return os.WriteFile(filepath.Join(dir, "Other.dockerignore"), []byte("a"), 0o644)
			}, true},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			writeFiles(t, dir, map[string]string{"Other": dockerfile, "app/a": "a", "app/skip": "s",
				"app/.dockerignore": "skip"})
			digest := func() string {
				digest, err := contextDigest(dir, filepath.Join(dir, "app"), filepath.Join(dir, "Other"))
				require.NoError(t, err)
				return digest
			}
			before := digest()
			require.Equal(t, before, digest())
			require.NoError(t, c.edit(dir))
			require.Equal(t, c.changes, before != digest())
		})
	}
}

func TestAContextIsHashedAndArchivedByDifferentRules(t *testing.T) {
	t.Parallel()
	every := []string{".dockerignore", "Dockerfile", "apps", "apps/web", "apps/web/main.js", "apps/web/node_modules",
		"apps/web/node_modules/x", "apps/web/package.json", "notes.md", "readme.md"}
	for sentence, c := range map[string]struct {
		ignore          string
		dropped, hashed []string // beside what is the same
	}{
		"nothing": {},
		"a comment, and patterns of one file": {ignore: "# *\n\n/notes.md\n./readme.md\n",
			dropped: []string{"notes.md", "readme.md"}},
		"a directory at any depth": {ignore: "**/node_modules/\n",
			dropped: []string{"apps/web/node_modules", "apps/web/node_modules/x"}},
		"an exception of a file":      {ignore: "*.md\n!readme.md\n", dropped: []string{"notes.md"}},
		"an exception of a directory": {ignore: "*\n!apps\n", dropped: []string{"notes.md", "readme.md"}},
		"an exception with wildcards, which BuildKit has": {ignore: "apps/*\n!apps/**/package.json\n",
			hashed: []string{"apps/web", "apps/web/package.json"},
			dropped: []string{"apps/web", "apps/web/main.js", "apps/web/node_modules", "apps/web/node_modules/x",
				"apps/web/package.json"}},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			b := buildIn(t, "FROM scratch\n", map[string]string{".dockerignore": c.ignore, "apps/web/main.js": "",
				"apps/web/package.json":   "",
				"apps/web/node_modules/x": "", "notes.md": "", "readme.md": ""})
			paths := func(files []file, err error) (paths []string) {
				t.Helper()
				require.NoError(t, err)
				for _, f := range files {
					paths = append(paths, f.path)
				}
				return paths
			}
			kept := slices.DeleteFunc(slices.Clone(every), func(path string) bool { return slices.Contains(c.dropped, path) })
			require.ElementsMatch(t, kept, paths(contextFiles(t.Context(), b.context, b.dockerfile)))
			// What is ignored is hashed no more, save for what goes along in any case.
			hashed := paths(hashedFiles(b.context, b.dockerfile))
			for _, path := range kept {
				if path != ".dockerignore" && path != "Dockerfile" {
					require.Contains(t, hashed, path)
				}
			}
			for _, path := range c.hashed {
				require.Contains(t, hashed, path)
			}

			writeFiles(t, filepath.Dir(b.dockerfile), map[string]string{"Dockerfile.dockerignore": ""})
			all := append(slices.Clone(every), "Dockerfile.dockerignore")
			require.ElementsMatch(t, all, paths(contextFiles(t.Context(), b.context, b.dockerfile)),
				"an ignore file of the Dockerfile's own goes first")
			require.ElementsMatch(t, all, paths(hashedFiles(b.context, b.dockerfile)))
		})
	}
}

// contents are the files of a pushed image: modes and contents by path, modes alone for directories.
func contents(t *testing.T, archive io.Reader) map[string]string {
	t.Helper()
	found := map[string]string{}
	for files := tar.NewReader(archive); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		require.NoError(t, err)
		require.Zero(t, header.Uid+header.Gid, header.Name)
		content, err := io.ReadAll(files)
		require.NoError(t, err)
		if header.Typeflag == tar.TypeSymlink {
			content = []byte("-> " + header.Linkname)
		}
		found[header.Name] = strings.TrimSpace(fs.FileMode(header.Mode).String() + " " + string(content))
	}
}

func TestAPushedImageHoldsItsFiles(t *testing.T) {
	t.Parallel()
	s := newServer(t, map[string]string{"app/Dockerfile": dockerfile, "app/app": "binary"})
	store := t.TempDir()
	s.registry = registry.New(store, s.account)
	_, err := s.Create(t.Context(),
		&pulumirpc.CreateRequest{Urn: imageURN, Properties: object(t,
			inputsOf(`{"context":"app","platform":"linux/amd64"}`))})
	require.NoError(t, err)
	index, err := layout.ImageIndexFromPath(store)
	require.NoError(t, err)
	manifest, err := index.IndexManifest()
	require.NoError(t, err)
	image, err := index.Image(manifest.Manifests[0].Digest)
	require.NoError(t, err)
	files := mutate.Extract(image)
	defer files.Close()
	require.Equal(t, map[string]string{"app": "-rw-r--r-- binary"}, contents(t, files))
}
