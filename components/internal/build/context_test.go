package build

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/stage"
)

var build = stage.Build{Context: "app", Dockerfile: "app/Dockerfile", Platform: "linux/amd64"}

// project makes a project directory with these files in it; a name that ends in * is executable.
func project(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		write(t, root, name, content)
	}
	return root
}

func write(t *testing.T, root, name, content string) {
	t.Helper()
	file := filepath.Join(root, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte(content), 0o644))
}

// logged keeps what a user would see.
type logged struct{ warnings, infos []string }

func (l *logged) Debug(string, *pulumi.LogArgs) error { return nil }
func (l *logged) Error(string, *pulumi.LogArgs) error { return nil }
func (l *logged) Info(message string, _ *pulumi.LogArgs) error {
	l.infos = append(l.infos, message)
	return nil
}
func (l *logged) Warn(message string, _ *pulumi.LogArgs) error {
	l.warnings = append(l.warnings, message)
	return nil
}

func staged(t *testing.T, root string, build stage.Build) *Context {
	t.Helper()
	context, err := stageContext(root, ".slipway/dev/web", build, nil)
	require.NoError(t, err)
	return context
}

func TestTheHashFollowsWhatDockerSees(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"app/Dockerfile": "FROM scratch\nCOPY . /\n", "app/.dockerignore": "*.md\n", "app/a": "1", "app/sub/b": "2",
		"app/notes.md": "x",
	}
	for name, test := range map[string]struct {
		change  func(t *testing.T, root string, build *stage.Build)
		changes bool
	}{
		"nothing": {func(*testing.T, string, *stage.Build) {}, false},
		"a file that .dockerignore excludes": {func(t *testing.T, root string, _ *stage.Build) {
			write(t, root, "app/notes.md", "y")
			write(t, root, "app/new.md", "y")
		}, false},
		"a time of change": {func(t *testing.T, root string, _ *stage.Build) {
			require.NoError(t, os.Chtimes(filepath.Join(root, "app/a"), time.Now(), time.Now().Add(-time.Hour)))
		}, false},
		"modes, as another umask leaves them": {func(t *testing.T, root string, _ *stage.Build) {
			require.NoError(t, os.Chmod(filepath.Join(root, "app/a"), 0o600))
			require.NoError(t, os.Chmod(filepath.Join(root, "app/sub"), 0o700))
		}, false},
		"content of equal length": {func(t *testing.T, root string, _ *stage.Build) { write(t, root, "app/a", "3") }, true},
		"a new file":              {func(t *testing.T, root string, _ *stage.Build) { write(t, root, "app/c", "") }, true},
		"a removed file": {func(t *testing.T, root string, _ *stage.Build) {
			require.NoError(t, os.Remove(filepath.Join(root, "app/a")))
		}, true},
		"a file that becomes a directory": {func(t *testing.T, root string, _ *stage.Build) {
			require.NoError(t, os.Remove(filepath.Join(root, "app/a")))
			write(t, root, "app/a/a", "1")
		}, true},
		"the executable bit": {func(t *testing.T, root string, _ *stage.Build) {
			require.NoError(t, os.Chmod(filepath.Join(root, "app/a"), 0o755))
		}, true},
		"a file that becomes a symlink": {func(t *testing.T, root string, _ *stage.Build) {
			require.NoError(t, os.Remove(filepath.Join(root, "app/a")))
			require.NoError(t, os.Symlink("sub/b", filepath.Join(root, "app/a")))
		}, true},
		"the Dockerfile": {func(t *testing.T, root string, _ *stage.Build) {
			write(t, root, "app/Dockerfile",
				"FROM scratch\n")
		}, true},
		"an argument": {func(_ *testing.T, _ string, build *stage.Build) { build.Args = map[string]string{"A": "1"} },
			true},
		"the target":       {func(_ *testing.T, _ string, build *stage.Build) { build.Target = "last" }, true},
		"the platform":     {func(_ *testing.T, _ string, build *stage.Build) { build.Platform = "linux/arm64" }, true},
		"refresh":          {func(_ *testing.T, _ string, build *stage.Build) { build.Refresh = "november" }, true},
		"the cache images": {func(_ *testing.T, _ string, build *stage.Build) { build.CacheFrom = []string{"r/i:t"} }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := project(t, files)
			build := build
			before := staged(t, root, build).Hash
			test.change(t, root, &build)
			after := staged(t, root, build).Hash
			require.Equal(t, test.changes, before != after)
			require.Equal(t, after, staged(t, root, build).Hash, "staging twice gives one hash")
		})
	}
}

func TestTwoClonesHaveOneHashAndOneStagedTree(t *testing.T) {
	t.Parallel()
	files := map[string]string{"app/Dockerfile": "FROM scratch\n", "app/a": "1"}
	one, two := project(t, files), project(t, files)
	require.NoError(t, os.Chmod(filepath.Join(two, "app/a"), 0o660))
	first, second := staged(t, one, build), staged(t, two, build)
	require.Equal(t, first.Hash, second.Hash)
	require.Equal(t, first.Dir, second.Dir)
	for _, root := range []string{one, two} {
		info, err := os.Stat(filepath.Join(root, first.Dir, "a"))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o644), info.Mode())
	}
	source, err := os.Stat(filepath.Join(two, "app/a"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o660), source.Mode(), "the user's file keeps its mode")
}

func TestTheStagedTreeHoldsExactlyWhatDockerSees(t *testing.T) {
	t.Parallel()
	root := project(t, map[string]string{
		"app/Dockerfile": "FROM scratch\n", "app/.dockerignore": "*\n!keep\n", "app/keep/a": "1", "app/drop": "2",
	})
	context := staged(t, root, build)
	require.FileExists(t, filepath.Join(root, context.Dir, "keep/a"))
	require.NoFileExists(t, filepath.Join(root, context.Dir, "drop"))
	require.FileExists(t, filepath.Join(root, context.Dockerfile))

	require.NoError(t, os.RemoveAll(filepath.Join(root, "app/keep")))
	staged(t, root, build)
	require.NoFileExists(t, filepath.Join(root, context.Dir, "keep/a"))
}

func TestAContextThatHoldsTheStagedTreesLeavesThemOut(t *testing.T) {
	t.Parallel()
	for name, build := range map[string]stage.Build{
		"the project itself":    {Context: ".", Dockerfile: "Dockerfile"},
		"a directory around it": {Context: "..", Dockerfile: "Dockerfile"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := project(t, map[string]string{"project/Dockerfile": "FROM scratch\n", "project/.dockerignore": "b\n",
				"project/a": "1"})
			root = filepath.Join(root, "project")
			first := staged(t, root, build)
			require.Equal(t, first.Hash, staged(t, root, build).Hash)
			found, err := filepath.Glob(filepath.Join(root, first.Dir, "*", stagingRoot))
			require.NoError(t, err)
			require.Empty(t, found)
			require.NoDirExists(t, filepath.Join(root, first.Dir, stagingRoot))
		})
	}
}

func TestAnIgnoreFileOfTheDockerfilesOwnNameGoesFirst(t *testing.T) {
	t.Parallel()
	root := project(t, map[string]string{
		"app/web.Dockerfile": "FROM scratch\n", "app/web.Dockerfile.dockerignore": "b\n", "app/.dockerignore": "a\n",
		"app/a": "1", "app/b": "2",
	})
	build := build
	build.Dockerfile = "app/web.Dockerfile"
	context := staged(t, root, build)
	require.FileExists(t, filepath.Join(root, context.Dir, "a"))
	require.NoFileExists(t, filepath.Join(root, context.Dir, "b"))
	require.FileExists(t, filepath.Join(root, context.Dir, ".dockerignore"), "as in Docker's own build")
}

func TestNoIgnoreFileAppliesToTheStagedTree(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		ignore string
		// twice says that Docker's classic builder would leave out a directory of it.
		twice bool
	}{
		"nothing":                            {"", false},
		"patterns":                           {"drop\n*.md\n", false},
		"an exception of a directory's name": {"*\n!apps\n!apps/**\n", false},
		"an exception with wildcards":        {"apps/*\n!apps/**/package.json\n", true},
		"an exception of any depth":          {"*\n!**/package.json\n!.dockerignore\n", true},
		"an ignore file that is ignored":     {"*\n!**/package.json\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := project(t, map[string]string{
				"app/Dockerfile": "FROM scratch\n", "app/.dockerignore": test.ignore, "app/apps/web/package.json": "{}",
				"app/apps/web/main.js": ""})
			context := staged(t, root, build)
			require.FileExists(t, filepath.Join(root, context.Dir, "apps/web/package.json"))
			beside := filepath.Join(root, context.Dockerfile+".dockerignore")
			content, err := os.ReadFile(beside)
			require.NoError(t, err, "the provider reads it first")
			require.Empty(t, content)

			tree := &stagedTree{kept: map[string]bool{".dockerignore": context.ignoreFile != ""}}
			if _, err := os.Stat(filepath.Join(root, context.Dir, ".dockerignore")); err != nil {
				tree.kept = nil
			}
			require.NoError(t, filepath.WalkDir(filepath.Join(root, context.Dir),
				func(name string, entry os.DirEntry, err error) error {
					if path, _ := filepath.Rel(filepath.Join(root, context.Dir), name); entry.IsDir() && path != "." {
						tree.dirs = append(tree.dirs, path)
					}
					return err
				}))
			twice, err := context.wasFilteredTwice(tree)
			require.NoError(t, err)
			require.Equal(t, test.twice, twice)

			require.NoError(t, os.WriteFile(beside, []byte("*"), 0o644))
			require.Equal(t, context.Hash, staged(t, root, build).Hash)
			content, err = os.ReadFile(beside)
			require.NoError(t, err)
			require.Empty(t, content, "whatever stood there")
		})
	}
}

func TestTheHashesOfEarlierVersionsStay(t *testing.T) {
	t.Parallel()
	root := project(t, map[string]string{"app/Dockerfile": "FROM scratch\nCOPY . /\n",
		"app/.dockerignore": "*.md\n!keep.md\n",
		"app/a":             "1", "app/sub/b": "2", "app/notes.md": "x", "app/keep.md": "y"})
	build := build
	build.Args, build.Target = map[string]string{"A": "1"}, "last"
	require.Equal(t, "h1:oPGyDehHEk5nq6US+z67fdZvmQlzXES/948c1ydhABI=", staged(t, root, build).Hash)
}

func TestAnImagesDirectoryHoldsNoOther(t *testing.T) {
	t.Parallel()
	for image, want := range map[string]string{
		"web":                         ".slipway/dev/web",
		"team/web":                    ".slipway/dev/team/web",
		"context":                     ".slipway/dev/context",
		"context/web":                 ".slipway/dev/context/web",
		"web/context":                 ".slipway/dev/web/_context",
		"web/context/context":         ".slipway/dev/web/_context/_context",
		"web/dockerfile":              ".slipway/dev/web/_dockerfile",
		"web/dockerfile.dockerignore": ".slipway/dev/web/_dockerfile.dockerignore",
		"web/contexts":                ".slipway/dev/web/contexts",
	} {
		require.Equal(t, want, stagingDir("dev", image))
	}
	root := project(t, map[string]string{
		"x/Dockerfile": "FROM scratch\nCOPY . /\n", "x/a": "1", "y/Dockerfile": "FROM scratch\nCOPY . /\n", "y/b": "2"})
	builds := map[string]stage.Image{}
	for image, dir := range map[string]string{"x": "x", "x/context": "y", "x/context/context": "y", "x/dockerfile": "y"} {
		builds[image] = stage.Image{Build: &stage.Build{Context: dir, Dockerfile: dir + "/Dockerfile"}}
	}
	for range 2 {
		prepared, err := Prepare(&logged{}, &stage.Stage{Project: "shop", Name: "dev", Images: builds}, root)
		require.NoError(t, err)
		entries, err := os.ReadDir(filepath.Join(root, prepared["x"].Staged.Dir))
		require.NoError(t, err)
		require.Len(t, entries, 2, "Dockerfile and a")
		for image, build := range prepared {
			require.FileExists(t, filepath.Join(root, build.Staged.Dockerfile), image)
		}
	}
}

func TestAnImageThatIsStagedElsewhereIsAnotherImage(t *testing.T) {
	t.Parallel()
	root := project(t, map[string]string{"app/Dockerfile": "FROM scratch\n", "app/a": "1"})
	plain, err := stageContext(root, stagingDir("dev", "x/web"), build, nil)
	require.NoError(t, err)
	renamed, err := stageContext(root, stagingDir("dev", "x/context"), build, nil)
	require.NoError(t, err)
	require.NotEqual(t, plain.Hash, renamed.Hash,
		"its directory is an input of the image, which a change would push to the same tag")
}

func TestASymlinkThatTheProviderCouldNotFollowIsRefused(t *testing.T) {
	t.Parallel()
	for name, target := range map[string]string{"leads nowhere": "missing",
		"leads out of the build context": "../outside"} {
		root := project(t, map[string]string{"app/Dockerfile": "FROM scratch\n", "outside": ""})
		require.NoError(t, os.Symlink(target, filepath.Join(root, "app/link")))
		_, err := stageContext(root, ".slipway/dev/web", build, nil)
		require.ErrorContains(t, err, name)
		require.ErrorContains(t, err, "app/link")
	}
}

func TestCommitAndDirtinessComeFromTheRepositoryOfTheContext(t *testing.T) {
	t.Parallel()
	root := project(t, map[string]string{"app/Dockerfile": "FROM scratch\n", "app/.dockerignore": "*.md\n", "app/a": "1"})
	sourceNow := func() Source {
		found, err := staged(t, root, build).sourceOf()
		require.NoError(t, err)
		return found
	}
	run := func(args ...string) {
		output, err := exec.Command("git", append([]string{"-C", root, "-c", "user.name=n", "-c", "user.email=e@example.com"},
			args...)...).CombinedOutput()
		require.NoError(t, err, string(output))
	}
	require.Equal(t, Source{}, sourceNow(), "no repository")
	run("init", "-q")
	require.Equal(t, Source{}, sourceNow(), "no commit")
	write(t, root, ".gitignore", ".slipway\n")
	run("add", "-A")
	run("commit", "-qm", "one")
	clean := sourceNow()
	require.Regexp(t, "^[0-9a-f]{7}$", clean.Commit)
	require.False(t, clean.Dirty)
	for name, dirty := range map[string]bool{"elsewhere": false, "app/notes.md": false, "app/new": true, "app/a": true,
		"app/Dockerfile": true} {
		write(t, root, name, "changed")
		require.Equal(t, dirty, sourceNow().Dirty, name)
		run("stash", "-uq")
	}
	require.NoError(t, os.Remove(filepath.Join(root, "app/a")))
	require.True(t, sourceNow().Dirty, "a removed file")
}

func TestTwoCommandsStageOneImageAtOnce(t *testing.T) {
	t.Parallel()
	files := map[string]string{"app/Dockerfile": "FROM scratch\n"}
	for i := range 200 {
		files[fmt.Sprintf("app/%d/file", i)] = fmt.Sprint(i)
	}
	root := project(t, files)
	hashes := make([]string, 4)
	var all sync.WaitGroup
	for i := range hashes {
		all.Go(func() {
			context, err := stageContext(root, ".slipway/dev/web", build, nil)
			if assert.NoError(t, err) {
				hashes[i] = context.Hash
			}
		})
	}
	all.Wait()
	for _, hash := range hashes {
		require.Equal(t, staged(t, root, build).Hash, hash)
	}
}

func TestAllMistakesOfAllBuildsAreReportedAtOnce(t *testing.T) {
	t.Parallel()
	root := project(t, map[string]string{"app/Dockerfile": "FROM scratch\nCOPY missing /\n",
		"other/Dockerfile": "FROM scratch\nCOPY absent /\n"})
	_, err := Prepare(&logged{}, &stage.Stage{Project: "shop", Name: "dev", Images: map[string]stage.Image{
		"web":   {Build: &stage.Build{Context: "app", Dockerfile: "app/Dockerfile"}},
		"other": {Build: &stage.Build{Context: "other", Dockerfile: "other/Dockerfile"}},
	}}, root)
	for _, says := range []string{"images.web.build (", "copies missing", "images.other.build (", "copies absent"} {
		require.ErrorContains(t, err, says)
	}
}
