package stagefile

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"slipway/cmd/slipway/internal/exit"
	"slipway/internal/git"
)

// fileStatus is how a file differs from what was committed last, in the two letters of git status; empty where it does
// not. A file that git does not track is refused: no commit has what it said before. dir is a directory of the
// repository; file may be relative to it.
func fileStatus(ctx context.Context, dir, file string) (string, error) {
	target, err := FileIn(dir, file)
	if err != nil {
		return "", err
	}
	status, err := git.Status(ctx, dir, target)
	switch {
	case err != nil:
		return "", err
	case status == "??":
		return "", exit.Refuse("%s is not in git yet: `git add` and commit it first", filepath.Base(file))
	case status == "!!":
		return "", exit.Refuse("%s is ignored by git: take it out of .gitignore, and commit it first", filepath.Base(file))
	}
	return status, nil
}

// stoppedWork are what git keeps while something has stopped half-way, in the order in which they are said, with what
// ends it.
var stoppedWork = []struct{ file, what, end string }{
	{"rebase-merge", "a rebase", "`git rebase --continue` or `git rebase --abort`"},
	{"rebase-apply/applying", "git am", "`git am --continue` or `git am --abort`"},
	{"rebase-apply", "a rebase", "`git rebase --continue` or `git rebase --abort`"},
	{"MERGE_HEAD", "a merge", "`git merge --continue` or `git merge --abort`"},
	{"CHERRY_PICK_HEAD", "a cherry-pick", "`git cherry-pick --continue` or `git cherry-pick --abort`"},
	{"REVERT_HEAD", "a revert", "`git revert --continue` or `git revert --abort`"},
	// Between two commits of several, which git status calls by the first word of the list.
	{"sequencer", "a cherry-pick or a revert of several commits",
		"`git cherry-pick --continue` or `git revert --continue`, or --abort"},
	{"BISECT_LOG", "a bisect", "`git bisect reset`"},
}

// CheckBranch refuses a repository in which a commit would be on no branch, or would become part of something that has
// stopped half-way. dir is a directory of the repository.
func CheckBranch(ctx context.Context, dir string) error {
	args := []string{"rev-parse"}
	for _, work := range stoppedWork {
		args = append(args, "--git-path", work.file)
	}
	paths, err := git.Read(ctx, dir, args...)
	if err != nil {
		return err
	}
	for i, path := range strings.Split(strings.TrimRight(paths, "\n"), "\n") {
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		if _, err := os.Stat(path); err == nil {
			return exit.Refuse("%s has stopped half-way in this repository, and a commit would become part of it: end it "+
				"first, with %s", stoppedWork[i].what, stoppedWork[i].end)
		}
	}
	// the index alone, without filters
	unmerged, err := git.Read(ctx, dir, "diff", "--cached", "--name-only", "--diff-filter=U", "-z")
	if err != nil {
		return err
	}
	if name, _, conflict := strings.Cut(unmerged, "\x00"); conflict {
		return exit.Refuse("%s has conflicts in this repository, with which git commits nothing: resolve them and `git "+
			"add` the file first", name)
	}
	if _, err := git.Read(ctx, dir, "symbolic-ref", "--quiet", "HEAD"); err != nil {
		return exit.Refuse("HEAD is detached, and a commit would be on no branch: `git switch` to one first, or make one " +
			"with `git switch --create`")
	}
	return nil
}

// commitFile commits one file as it is, and returns the short hash of the commit. What else is changed or staged stays
// so. Where git refuses the commit, the file stays as it is, and nothing of it is staged.
func commitFile(ctx context.Context, dir, file, message string) (hash string, err error) {
	target, err := FileIn(dir, file)
	if err != nil {
		return "", err
	}
	if err := git.Commit(ctx, dir, "--quiet", "--only", "-m", message, "--", target); err != nil {
		return "", err
	}
	// The commit is made: what interrupts this must not look as if it was not.
	hash, err = git.Read(context.WithoutCancel(ctx), dir, "rev-parse", "--short", "HEAD")
	return strings.TrimSpace(hash), err
}

// FileIn is the path of a file that may be relative to dir, and the file itself where it is a link: git would commit
// the link.
func FileIn(dir, file string) (string, error) {
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	absolute, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(absolute)
}
