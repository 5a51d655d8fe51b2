package stagefile

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/gittest"
)

// fileIsDirty tells whether a file differs from what was committed last.
func fileIsDirty(ctx context.Context, dir, file string) (bool, error) {
	status, err := fileStatus(ctx, dir, file)
	return status != "", err
}

func TestAHookGetsNoneOfPulumisVariables(t *testing.T) {
	t.Setenv("PULUMI_CONFIG_PASSPHRASE", "hunter2")
	r := gittest.New(t)
	ran := filepath.Join(t.TempDir(), "ran")
	r.Hook("env > " + ran + "\n")
	r.Write("stage.yaml", "two\n")
	_, err := commitFile(t.Context(), r.Dir, "stage.yaml", "second")
	require.NoError(t, err)
	environment, err := os.ReadFile(ran)
	require.NoError(t, err)
	require.Contains(t, string(environment), "PATH=")
	require.NotContains(t, string(environment), "PULUMI_")

	require.NoError(t, os.Remove(ran))
	r.Git("config", "core.fsmonitor", filepath.Join(r.Dir, ".git/hooks/pre-commit"))
	require.NoError(t, os.RemoveAll(ran))
	_, err = fileIsDirty(t.Context(), r.Dir, "stage.yaml")
	require.NoError(t, err)
	require.NoFileExists(t, ran, "what only looks starts nothing that the repository configures")
}

func TestAFileIsDirtyHoweverItDiffersFromItsCommit(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	dirty := func() bool {
		t.Helper()
		found, err := fileIsDirty(t.Context(), r.Dir, "stage.yaml")
		require.NoError(t, err)
		again, err := fileIsDirty(t.Context(), r.Dir, filepath.Join(r.Dir, "stage.yaml"))
		require.NoError(t, err)
		require.Equal(t, found, again, "the same by its absolute path")
		return found
	}
	require.False(t, dirty())
	r.Write("other", "two\n")
	require.False(t, dirty(), "another file does not count")
	r.Write("stage.yaml", "two\n")
	require.True(t, dirty())
	r.Git("add", "stage.yaml")
	require.True(t, dirty(), "staged")
	r.Write("stage.yaml", "one\n")
	require.True(t, dirty(), "staged, and taken back in the work tree")
	r.Git("add", "stage.yaml")
	require.False(t, dirty())
}

func TestAFileThatGitDoesNotTrackIsRefused(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Write("new.yaml", "")
	_, err := fileIsDirty(t.Context(), r.Dir, "new.yaml")
	require.ErrorContains(t, err, "new.yaml is not in git yet: `git add` and commit it first")
	require.ErrorAs(t, err, &exit.Finding{})
	r.Write(".gitignore", "*.yaml\n")
	_, err = fileIsDirty(t.Context(), r.Dir, "new.yaml")
	require.ErrorContains(t, err, "new.yaml is ignored by git")
	found, err := fileIsDirty(t.Context(), r.Dir, "stage.yaml")
	require.NoError(t, err)
	require.False(t, found, "tracked and ignored is tracked")

	outside := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(outside, "stage.yaml"), nil, 0o644))
	_, err = fileIsDirty(t.Context(), outside, "stage.yaml")
	require.ErrorContains(t, err, "not a git repository")
}

func TestACommitHasOneFileAndLeavesTheOthersAsTheyAre(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Write("staged", "new\n")
	r.Git("add", "staged")
	r.Write("other", "two\n")
	r.Git("add", "other")
	r.Write("other", "three\n")
	r.Write("stage.yaml", "two\n")
	hash, err := commitFile(t.Context(), r.Dir, "stage.yaml", "Subject\n\n# body\n")
	require.NoError(t, err)
	require.Equal(t, strings.TrimSpace(r.Git("rev-parse", "--short", "HEAD")), hash)
	require.Equal(t, "Subject\n\n# body", strings.TrimSpace(r.Git("log", "-1", "--format=%B")))
	require.Equal(t, "stage.yaml\n", r.Git("show", "--name-only", "--format=", "HEAD"))
	require.Equal(t, "MM other\nA  staged\n", r.Git("status", "--porcelain"))
}

func TestACommitThatGitRefusesSaysWhyAndStagesNothing(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Write("stage.yaml", "two\n")
	r.Hook("echo 'no config commits on a Friday' >&2; exit 1\n")
	_, err := commitFile(t.Context(), r.Dir, "stage.yaml", "Subject")
	require.ErrorContains(t, err, "git commit: no config commits on a Friday")
	require.Equal(t, " M stage.yaml\n", r.Git("status", "--porcelain"))

	r.Hook("exit 0\n")
	r.Write("stage.yaml", "one\n")
	_, err = commitFile(t.Context(), r.Dir, "stage.yaml", "Subject")
	require.ErrorContains(t, err, "nothing to commit")
}

func TestTheFileBehindALinkIsCommitted(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	require.NoError(t, os.Symlink("stage.yaml", filepath.Join(r.Dir, "link.yaml")))
	r.Git("add", "-A")
	r.Git("commit", "-q", "-m", "link")
	r.Write("stage.yaml", "two\n")
	dirty, err := fileIsDirty(t.Context(), r.Dir, "link.yaml")
	require.NoError(t, err)
	require.True(t, dirty)
	_, err = commitFile(t.Context(), r.Dir, "link.yaml", "Subject")
	require.NoError(t, err)
	require.Equal(t, "stage.yaml\n", r.Git("show", "--name-only", "--format=", "HEAD"))
}

func TestNoCommitOnNoBranchNorIntoWhatHasStopped(t *testing.T) {
	t.Parallel()
	// conflicting leaves a branch side whose stage.yaml cannot be merged with main's, and one more commit on it.
	conflicting := func(r gittest.Repo) {
		r.Git("switch", "-q", "-c", "side")
		r.Write("stage.yaml", "side\n")
		r.Git("commit", "-q", "-a", "-m", "side")
		r.Write("other", "side\n")
		r.Git("commit", "-q", "-a", "-m", "more")
		r.Git("switch", "-q", "main")
		r.Write("stage.yaml", "main\n")
		r.Git("commit", "-q", "-a", "-m", "main")
	}
	stops := func(r gittest.Repo, args ...string) {
		r.Helper()
		_, err := gittest.RunGit(r.Dir, args...)
		require.Error(r, err)
	}
	for name, c := range map[string]struct {
		prepare func(r gittest.Repo)
		says    string
	}{
		"detached": {func(r gittest.Repo) { r.Git("switch", "-q", "--detach") },
			"HEAD is detached, and a commit would be on no branch: `git switch`"},
		"a rebase":       {func(r gittest.Repo) { stops(r, "rebase", "side") }, "`git rebase --abort`"},
		"a rebase by am": {func(r gittest.Repo) { stops(r, "rebase", "--apply", "side") }, "a rebase has stopped half-way"},
		"a merge":        {func(r gittest.Repo) { stops(r, "merge", "side") }, "`git merge --abort`"},
		"a merge that is left": {func(r gittest.Repo) { r.Git("merge", "--no-commit", "-X", "ours", "side") },
			"a merge has stopped half-way"},
		"a cherry-pick": {func(r gittest.Repo) { stops(r, "cherry-pick", "side~1") }, "`git cherry-pick --abort`"},
		"a revert":      {func(r gittest.Repo) { stops(r, "revert", "--no-edit", "main~1") }, "`git revert --abort`"},
		"several, in between": {func(r gittest.Repo) {
			stops(r, "cherry-pick", "side~1", "side")
			r.Write("stage.yaml", "resolved\n")
			r.Git("commit", "-q", "-a", "-m", "resolved")
		}, "of several commits has stopped half-way"},
		"am": {func(r gittest.Repo) {
			r.Write("../mail", r.Git("format-patch", "--stdout", "main..side"))
			stops(r, "am", "-3", "../mail")
		}, "`git am --abort`"},
		"a bisect": {func(r gittest.Repo) { r.Git("bisect", "start") }, "`git bisect reset`"},
		"a stash that conflicts": {func(r gittest.Repo) {
			r.Write("stage.yaml", "stashed\n")
			r.Git("stash")
			r.Write("stage.yaml", "two\n")
			r.Git("commit", "-q", "-a", "-m", "two")
			stops(r, "stash", "pop")
		}, "stage.yaml has conflicts in this repository"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := gittest.New(t)
			r.Dir = filepath.Join(r.Dir, "repo") // so that a worktree and a mail have room beside it
			require.NoError(t, os.Mkdir(r.Dir, 0o755))
			r.Git("init", "-q", "-b", "main")
			r.Git("config", "user.name", "Dana Developer")
			r.Git("config", "user.email", "dana@example.com")
			r.Write("stage.yaml", "one\n")
			r.Write("other", "one\n")
			r.Git("add", "-A")
			r.Git("commit", "-q", "-m", "first")
			conflicting(r)
			require.NoError(t, CheckBranch(t.Context(), r.Dir))
			tree := gittest.Repo{T: t, Dir: filepath.Join(filepath.Dir(r.Dir), "tree")}
			r.Git("worktree", "add", "-q", "-b", "elsewhere", tree.Dir, "main")
			c.prepare(r)
			err := CheckBranch(t.Context(), r.Dir)
			require.ErrorContains(t, err, c.says)
			require.ErrorAs(t, err, &exit.Finding{})
			require.NoError(t, os.Mkdir(filepath.Join(r.Dir, "below"), 0o755))
			require.ErrorContains(t, CheckBranch(t.Context(), filepath.Join(r.Dir, "below")), c.says)
			require.NoError(t, CheckBranch(t.Context(), tree.Dir), "another worktree of the same repository")
			tree.Git("switch", "-q", "--detach")
			require.ErrorContains(t, CheckBranch(t.Context(), tree.Dir), "HEAD is detached")
		})
	}
}
