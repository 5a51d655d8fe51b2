package build

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/stage"
)

func TestWhatCannotBeStagedIsToldWithItsName(t *testing.T) {
	t.Parallel()
	pipe := func(name string) func(*testing.T, string) {
		return func(t *testing.T, root string) {
			_ = os.Remove(filepath.Join(root, name))
			require.NoError(t, syscall.Mkfifo(filepath.Join(root, name), 0o644))
		}
	}
	link := func(name, target string) func(*testing.T, string) {
		return func(t *testing.T, root string) { require.NoError(t, os.Symlink(target, filepath.Join(root, name))) }
	}
	for name, test := range map[string]struct {
		change func(t *testing.T, root string)
		says   string
	}{
		"a pipe as the ignore file":     {pipe("app/.dockerignore"), "app/.dockerignore is a pipe"},
		"a pipe as its own ignore file": {pipe("app/Dockerfile.dockerignore"), "app/Dockerfile.dockerignore is a pipe"},
		"a pipe in the context":         {pipe("app/sub/pipe"), "app/sub/pipe is neither"},
		"a directory as the ignore file": {func(t *testing.T, root string) {
			require.NoError(t, os.Mkdir(filepath.Join(root, "app/.dockerignore"), 0o755))
		}, "app/.dockerignore is a directory"},
		"a socket in the context": {func(t *testing.T, root string) {
			socket, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(root, "app/s")})
			require.NoError(t, err)
			t.Cleanup(func() { _ = socket.Close() })
		}, "app/s is neither"},
		"an exception of nothing": {func(t *testing.T, root string) { write(t, root, "app/.dockerignore", "*\n!/\n") },
			"app/.dockerignore, line 2: \"!/\" is no pattern"},
		"bad patterns": {func(t *testing.T, root string) {
			write(t, root, "app/.dockerignore",
				"# [\n*.md\n[\n!\n")
		}, "app/.dockerignore, line 3: \"[\" is no pattern"},
		"a bad range": {func(t *testing.T, root string) {
			write(t, root, "app/.dockerignore",
				"\n!**/[z-a]\n")
		}, "app/.dockerignore, line 2"},
		"a symlink in a circle":        {link("app/sub/link", "link"), "app/sub/link leads in a circle"},
		"a symlink out of the context": {link("app/link", "../outside"), "app/link leads out of the build context"},
		"a symlink to nothing":         {link("app/link", "nothing"), "app/link leads nowhere"},
		"a symlink to a file that is not in": {func(t *testing.T, root string) {
			write(t, root, "app/.dockerignore", "sub/a\n")
			link("app/link", "sub/a")(t, root)
		}, "app/link leads to sub/a, which the build context does not hold"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root, err := os.MkdirTemp("", "x") // a socket's name is short
			require.NoError(t, err)
			t.Cleanup(func() { _ = os.RemoveAll(root) })
			write(t, root, "app/Dockerfile", "FROM scratch\n")
			write(t, root, "app/sub/a", "")
			write(t, root, "outside", "")
			test.change(t, root)
			_, err = stageContext(root, ".slipway/dev/web", build, nil)
			require.ErrorContains(t, err, test.says)
			if name == "bad patterns" {
				require.ErrorContains(t, err, "app/.dockerignore, line 4")
			}
		})
	}
}

func TestANameMayHoldALineBreak(t *testing.T) {
	t.Parallel()
	root := project(t, map[string]string{"app/Dockerfile": "FROM scratch\n", "app/a\nb": "1"})
	require.NoError(t, os.Symlink("a\nb", filepath.Join(root, "app/link\n")))
	before := staged(t, root, build)
	require.FileExists(t, filepath.Join(root, before.Dir, "a\nb"))
	write(t, root, "app/a\nb", "2")
	require.NotEqual(t, before.Hash, staged(t, root, build).Hash)
}

func TestWhatNeverBelongsInAnImageIsLeftOut(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		ignore, dockerfile string
		kept               []string // of what is left out otherwise
	}{
		"left out": {"", "FROM scratch\nCOPY . /\n", nil},
		"let in": {"!.git\n!project/.bin\n", "FROM scratch\nCOPY . /\n",
			[]string{".git/HEAD", "project/.bin/tool"}},
		"named": {"", "FROM scratch\nRUN --mount=type=bind,source=.git,target=.git git describe\n",
			[]string{".git/HEAD", "project/.git/HEAD"}},
		"another name alike": {"", "FROM scratch\nCOPY .gitignore x.git /\n", nil},
		"all that is let in": {"*\n!*\n", "FROM scratch\n", []string{".git/HEAD", ".pulumi/state", "project/.bin/tool",
			"project/.git/HEAD", "project/.sandbox/account"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := filepath.Join(project(t, map[string]string{"Dockerfile": test.dockerfile, ".dockerignore": test.ignore,
				".git/HEAD": "", ".pulumi/state": "",
				".gitignore": "", ".bin/theirs": "", "project/a": "", "project/.git/HEAD": "", "project/.bin/tool": "",
				"project/.sandbox/account": "",
				"project/.slipway/dev/x":   ""}), "project")
			context := staged(t, root, stage.Build{Context: "..", Dockerfile: "../Dockerfile"})
			var found []string
			dir := filepath.Join(root, context.Dir)
			require.NoError(t, filepath.WalkDir(dir, func(name string, entry os.DirEntry, err error) error {
				if !entry.IsDir() {
					found = append(found, strings.TrimPrefix(name, dir+"/"))
				}
				return err
			}))
			require.ElementsMatch(t, append([]string{"Dockerfile", ".dockerignore", ".gitignore", ".bin/theirs", "project/a"},
				test.kept...), found)
		})
	}
}

func TestWhatIsInTheContextByMistakeIsWarnedOf(t *testing.T) {
	t.Parallel()
	root := project(t, map[string]string{"Dockerfile": "FROM scratch\n", "Pulumi.yaml": "", "Pulumi.dev.yaml": "",
		"sub/Pulumi.x.yaml": "", "small": "1"})
	require.NoError(t, os.Mkdir(filepath.Join(root, "data"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "data/large"), nil, 0o644))
	log := &logged{}
	prepare := func() {
		_, err := Prepare(log, &stage.Stage{Project: "shop", Name: "dev", Images: map[string]stage.Image{
			"web": {Build: &stage.Build{Context: ".", Dockerfile: "Dockerfile"}}}}, root)
		require.NoError(t, err)
	}
	prepare()
	require.Len(t, log.warnings, 1)
	require.Contains(t, log.warnings[0], "images.web.build.context (Pulumi.dev.yaml): ")
	require.Contains(t, log.warnings[0], "holds Pulumi.dev.yaml: each change")

	write(t, root, ".dockerignore", "Pulumi.*\n")
	require.NoError(t, os.Truncate(filepath.Join(root, "data/large"), largeContext+1))
	log.warnings = nil
	prepare()
	require.Len(t, log.warnings, 1)
	require.Contains(t, log.warnings[0], "has 100 MB, most of it in data (100 MB), ")
}

func TestALongStagingTellsHowFarItIs(t *testing.T) {
	t.Parallel()
	root := project(t, map[string]string{"app/Dockerfile": "FROM scratch\n", "app/a": "1"})
	var said []string
	_, err := stageContext(root, ".slipway/dev/web", build,
		&progress{say: func(message string) { said = append(said, message) }})
	require.NoError(t, err)
	require.Contains(t, said, "laid out 2 files, 0 MB, of the build context")
	require.Contains(t, said, "hashed 2 files, 0 MB, of the build context")
}
