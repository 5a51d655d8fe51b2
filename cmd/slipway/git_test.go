package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/exit"
)

// repo is a git repository with one commit, of the file stage.yaml and of other.
type repo struct {
	*testing.T
	dir string
}

func newRepo(t *testing.T) repo {
	t.Helper()
	r := repo{t, t.TempDir()}
	r.git("init", "-q", "-b", "main")
	r.git("config", "user.name", "Dana Developer")
	r.git("config", "user.email", "dana@example.com")
	r.write("stage.yaml", "one\n")
	r.write("other", "one\n")
	r.git("add", "-A")
	r.git("commit", "-q", "-m", "first")
	return r
}

func (r repo) git(args ...string) string {
	r.Helper()
	output, err := runGit(r.dir, args...)
	require.NoError(r, err, output)
	return output
}

func runGit(dir string, args ...string) (string, error) {
	command := exec.Command("git", args...)
	command.Dir = dir
	output, err := command.Output()
	return string(output), err
}

// fileIsDirty tells whether a file differs from what was committed last.
func fileIsDirty(ctx context.Context, dir, file string) (bool, error) {
	status, err := fileStatus(ctx, dir, file)
	return status != "", err
}

func (r repo) write(name, content string) {
	r.Helper()
	require.NoError(r, os.WriteFile(filepath.Join(r.dir, name), []byte(content), 0o644))
}

func (r repo) hook(script string) {
	r.Helper()
	require.NoError(r, os.WriteFile(filepath.Join(r.dir, ".git/hooks/pre-commit"), []byte("#!/bin/sh\n"+script), 0o755))
}

func TestAHookGetsNoneOfPulumisVariables(t *testing.T) {
	t.Setenv("PULUMI_CONFIG_PASSPHRASE", "hunter2")
	r := newRepo(t)
	ran := filepath.Join(t.TempDir(), "ran")
	r.hook("env > " + ran + "\n")
	r.write("stage.yaml", "two\n")
	_, err := commitFile(t.Context(), r.dir, "stage.yaml", "second")
	require.NoError(t, err)
	environment, err := os.ReadFile(ran)
	require.NoError(t, err)
	require.Contains(t, string(environment), "PATH=")
	require.NotContains(t, string(environment), "PULUMI_")

	require.NoError(t, os.Remove(ran))
	r.git("config", "core.fsmonitor", filepath.Join(r.dir, ".git/hooks/pre-commit"))
	require.NoError(t, os.RemoveAll(ran))
	_, err = fileIsDirty(t.Context(), r.dir, "stage.yaml")
	require.NoError(t, err)
	require.NoFileExists(t, ran, "what only looks starts nothing that the repository configures")
}

func TestAFileIsDirtyHoweverItDiffersFromItsCommit(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	dirty := func() bool {
		t.Helper()
		found, err := fileIsDirty(t.Context(), r.dir, "stage.yaml")
		require.NoError(t, err)
		again, err := fileIsDirty(t.Context(), r.dir, filepath.Join(r.dir, "stage.yaml"))
		require.NoError(t, err)
		require.Equal(t, found, again, "the same by its absolute path")
		return found
	}
	require.False(t, dirty())
	r.write("other", "two\n")
	require.False(t, dirty(), "another file does not count")
	r.write("stage.yaml", "two\n")
	require.True(t, dirty())
	r.git("add", "stage.yaml")
	require.True(t, dirty(), "staged")
	r.write("stage.yaml", "one\n")
	require.True(t, dirty(), "staged, and taken back in the work tree")
	r.git("add", "stage.yaml")
	require.False(t, dirty())
}

func TestAFileThatGitDoesNotTrackIsRefused(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.write("new.yaml", "")
	_, err := fileIsDirty(t.Context(), r.dir, "new.yaml")
	require.ErrorContains(t, err, "new.yaml is not in git yet: `git add` and commit it first")
	require.ErrorAs(t, err, &exit.Finding{})
	r.write(".gitignore", "*.yaml\n")
	_, err = fileIsDirty(t.Context(), r.dir, "new.yaml")
	require.ErrorContains(t, err, "new.yaml is ignored by git")
	found, err := fileIsDirty(t.Context(), r.dir, "stage.yaml")
	require.NoError(t, err)
	require.False(t, found, "tracked and ignored is tracked")

	outside := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(outside, "stage.yaml"), nil, 0o644))
	_, err = fileIsDirty(t.Context(), outside, "stage.yaml")
	require.ErrorContains(t, err, "not a git repository")
}

func TestACommitHasOneFileAndLeavesTheOthersAsTheyAre(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.write("staged", "new\n")
	r.git("add", "staged")
	r.write("other", "two\n")
	r.git("add", "other")
	r.write("other", "three\n")
	r.write("stage.yaml", "two\n")
	hash, err := commitFile(t.Context(), r.dir, "stage.yaml", "Subject\n\n# body\n")
	require.NoError(t, err)
	require.Equal(t, strings.TrimSpace(r.git("rev-parse", "--short", "HEAD")), hash)
	require.Equal(t, "Subject\n\n# body", strings.TrimSpace(r.git("log", "-1", "--format=%B")))
	require.Equal(t, "stage.yaml\n", r.git("show", "--name-only", "--format=", "HEAD"))
	require.Equal(t, "MM other\nA  staged\n", r.git("status", "--porcelain"))
}

func TestACommitThatGitRefusesSaysWhyAndStagesNothing(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.write("stage.yaml", "two\n")
	r.hook("echo 'no config commits on a Friday' >&2; exit 1\n")
	_, err := commitFile(t.Context(), r.dir, "stage.yaml", "Subject")
	require.ErrorContains(t, err, "git commit: no config commits on a Friday")
	require.Equal(t, " M stage.yaml\n", r.git("status", "--porcelain"))

	r.hook("exit 0\n")
	r.write("stage.yaml", "one\n")
	_, err = commitFile(t.Context(), r.dir, "stage.yaml", "Subject")
	require.ErrorContains(t, err, "nothing to commit")
}

func TestTheFileBehindALinkIsCommitted(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	require.NoError(t, os.Symlink("stage.yaml", filepath.Join(r.dir, "link.yaml")))
	r.git("add", "-A")
	r.git("commit", "-q", "-m", "link")
	r.write("stage.yaml", "two\n")
	dirty, err := fileIsDirty(t.Context(), r.dir, "link.yaml")
	require.NoError(t, err)
	require.True(t, dirty)
	_, err = commitFile(t.Context(), r.dir, "link.yaml", "Subject")
	require.NoError(t, err)
	require.Equal(t, "stage.yaml\n", r.git("show", "--name-only", "--format=", "HEAD"))
}

func TestNoCommitOnNoBranchNorIntoWhatHasStopped(t *testing.T) {
	t.Parallel()
	// conflicting leaves a branch side whose stage.yaml cannot be merged with main's, and one more commit on it.
	conflicting := func(r repo) {
		r.git("switch", "-q", "-c", "side")
		r.write("stage.yaml", "side\n")
		r.git("commit", "-q", "-a", "-m", "side")
		r.write("other", "side\n")
		r.git("commit", "-q", "-a", "-m", "more")
		r.git("switch", "-q", "main")
		r.write("stage.yaml", "main\n")
		r.git("commit", "-q", "-a", "-m", "main")
	}
	stops := func(r repo, args ...string) {
		r.Helper()
		_, err := runGit(r.dir, args...)
		require.Error(r, err)
	}
	for name, c := range map[string]struct {
		prepare func(r repo)
		says    string
	}{
		"detached": {func(r repo) { r.git("switch", "-q", "--detach") },
			"HEAD is detached, and a commit would be on no branch: `git switch`"},
		"a rebase":       {func(r repo) { stops(r, "rebase", "side") }, "`git rebase --abort`"},
		"a rebase by am": {func(r repo) { stops(r, "rebase", "--apply", "side") }, "a rebase has stopped half-way"},
		"a merge":        {func(r repo) { stops(r, "merge", "side") }, "`git merge --abort`"},
		"a merge that is left": {func(r repo) { r.git("merge", "--no-commit", "-X", "ours", "side") },
			"a merge has stopped half-way"},
		"a cherry-pick": {func(r repo) { stops(r, "cherry-pick", "side~1") }, "`git cherry-pick --abort`"},
		"a revert":      {func(r repo) { stops(r, "revert", "--no-edit", "main~1") }, "`git revert --abort`"},
		"several, in between": {func(r repo) {
			stops(r, "cherry-pick", "side~1", "side")
			r.write("stage.yaml", "resolved\n")
			r.git("commit", "-q", "-a", "-m", "resolved")
		}, "of several commits has stopped half-way"},
		"am": {func(r repo) {
			r.write("../mail", r.git("format-patch", "--stdout", "main..side"))
			stops(r, "am", "-3", "../mail")
		}, "`git am --abort`"},
		"a bisect": {func(r repo) { r.git("bisect", "start") }, "`git bisect reset`"},
		"a stash that conflicts": {func(r repo) {
			r.write("stage.yaml", "stashed\n")
			r.git("stash")
			r.write("stage.yaml", "two\n")
			r.git("commit", "-q", "-a", "-m", "two")
			stops(r, "stash", "pop")
		}, "stage.yaml has conflicts in this repository"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRepo(t)
			r.dir = filepath.Join(r.dir, "repo") // so that a worktree and a mail have room beside it
			require.NoError(t, os.Mkdir(r.dir, 0o755))
			r.git("init", "-q", "-b", "main")
			r.git("config", "user.name", "Dana Developer")
			r.git("config", "user.email", "dana@example.com")
			r.write("stage.yaml", "one\n")
			r.write("other", "one\n")
			r.git("add", "-A")
			r.git("commit", "-q", "-m", "first")
			conflicting(r)
			require.NoError(t, checkBranch(t.Context(), r.dir))
			tree := repo{t, filepath.Join(filepath.Dir(r.dir), "tree")}
			r.git("worktree", "add", "-q", "-b", "elsewhere", tree.dir, "main")
			c.prepare(r)
			err := checkBranch(t.Context(), r.dir)
			require.ErrorContains(t, err, c.says)
			require.ErrorAs(t, err, &exit.Finding{})
			require.NoError(t, os.Mkdir(filepath.Join(r.dir, "below"), 0o755))
			require.ErrorContains(t, checkBranch(t.Context(), filepath.Join(r.dir, "below")), c.says)
			require.NoError(t, checkBranch(t.Context(), tree.dir), "another worktree of the same repository")
			tree.git("switch", "-q", "--detach")
			require.ErrorContains(t, checkBranch(t.Context(), tree.dir), "HEAD is detached")
		})
	}
}

func TestARollbackOutsideOfARepositorySaysWhatToDoInstead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.dev.yaml"), []byte("config: {}\n"), 0o644))
	for _, pin := range []bool{false, true} {
		_, err := planRollback(t.Context(), pulumiCLI{}, &project{Directory: dir, Name: "shop"}, "dev", 0, pin)
		require.ErrorAs(t, err, &exit.Finding{})
		require.ErrorContains(t, err, "Pulumi.dev.yaml is in no git repository")
		require.ErrorContains(t, err, "edit the file by hand")
		require.ErrorContains(t, err, "services.NAME.revision")
	}
	_, err := committable(t.Context(), dir, "Pulumi.dev.yaml", "Pulumi.dev.yaml")
	require.ErrorContains(t, err, "Pulumi.dev.yaml cannot be committed: no git repository holds it")
}
