// Package git prepares git commands that run nothing but git: not what a repository's own configuration names, which
// may come with an unpacked archive, and not with what Pulumi tells this process, which has secrets in clear.
package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Environment is that of this process without Pulumi's variables: PULUMI_CONFIG has every decrypted secret of a stage,
// and others have tokens and passphrases.
func Environment() []string {
	return slices.DeleteFunc(os.Environ(), func(variable string) bool { return strings.HasPrefix(variable, "PULUMI_") })
}

// looking are options that go before a git command that only looks: they keep git from starting programs that the
// repository's configuration names, and from locks.
func looking() []string {
	options := []string{"--no-optional-locks"}
	for _, setting := range []string{"core.fsmonitor=false", "core.hooksPath=" + os.DevNull, "core.pager=cat",
		"diff.external=",
		"log.showSignature=false"} {
		options = append(options, "-c", setting)
	}
	return options
}

// ErrNoRepository is the error of a directory that no repository holds.
var ErrNoRepository = errors.New("not a git repository")

// limit is how long a command may take that only looks. It is a variable for tests.
var limit = 5 * time.Minute

// Read runs a git command that only looks, in dir, and returns what it printed. Its error is what git said, in English.
// It takes no lock, so it never stands in the way of the user's own git, and it fetches nothing.
func Read(ctx context.Context, dir string, args ...string) (string, error) {
	return read(ctx, dir, nil, args...)
}

func read(ctx context.Context, dir string, more []string, args ...string) (string, error) {
	return look(ctx, dir, append(looking(), "-c", "protocol.allow=never"), append(more, "GIT_NO_LAZY_FETCH=1"), args)
}

// ReadFetched is as Read, but has git fetch what a clone has left out so far (`git clone --filter`): earlier versions
// of files.
func ReadFetched(ctx context.Context, dir string, args ...string) (string, error) {
	return look(ctx, dir, looking(), nil, args)
}

func look(ctx context.Context, dir string, options, more, args []string) (string, error) {
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	command := prepare(within, dir, append(options, args...))
	command.Env = append(command.Env, more...)
	command.WaitDelay = 5 * time.Second // what it has started may hold its output open
	output, err := run(command)
	if err != nil && within.Err() != nil && ctx.Err() == nil {
		return "", fmt.Errorf("git %s did not end within %s, and was stopped: run it yourself, in %s",
			strings.Join(args, " "), limit, dir)
	}
	return output, err
}

// Commit runs `git commit` with these arguments in dir, as the user would: with the repository's hooks and filters, and
// for as long as these take.
func Commit(ctx context.Context, dir string, args ...string) error {
	_, err := run(prepare(ctx, dir, append([]string{"commit"}, args...)))
	return err
}

// prepare is a git command with messages as they are written here and in git's documentation, and with paths that are
// no patterns.
func prepare(ctx context.Context, dir string, args []string) *exec.Cmd {
	command := exec.CommandContext(ctx, "git", args...)
	command.Dir = dir
	command.Env = append(Environment(), "LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_LITERAL_PATHSPECS=1")
	// A git that is killed leaves its locks behind, one that is interrupted does not.
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	return command
}

func run(command *exec.Cmd) (string, error) {
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	switch {
	case err == nil:
		return stdout.String(), nil
	case errors.Is(err, exec.ErrNotFound):
		return "", errors.New("there is no git on the PATH: install git")
	case strings.Contains(stderr.String(), "not a git repository (or any"):
		return "", ErrNoRepository
	}
	// A hook may write to either.
	said := strings.TrimSpace(strings.TrimSpace(stderr.String()) + "\n" + strings.TrimSpace(stdout.String()))
	return "", fmt.Errorf("git %s: %s (%w)", verb(command.Args[1:]), strings.TrimPrefix(said, "fatal: "), err)
}

// verb is the command among the arguments of git.
func verb(args []string) string {
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == "-c":
			i++
		case !strings.HasPrefix(args[i], "-"):
			return args[i]
		}
	}
	return ""
}

// Status says how a file differs from what was committed last: in the two letters of `git status --porcelain`, ?? for
// one that git does not track, !! for one that it ignores, and empty where it does not differ. It runs no filter of the
// repository's.
func Status(ctx context.Context, dir, file string) (string, error) {
	without, err := withoutFilters(ctx, dir)
	if err != nil {
		return "", err
	}
	status, err := read(ctx, dir, without, "status", "--porcelain", "-z", "--untracked-files=all", "--ignored=matching",
		"--", file)
	return status[:min(2, len(status))], err
}

// Changed lists the files below dir that differ from the commit, untracked ones too, relative to dir. What is ignored
// is not among them. It looks into submodules. A file that goes through a filter of the repository's own configuration
// is compared as it lies there: git would run the filter. Filters of the user's or the machine's configuration are run.
func Changed(ctx context.Context, dir string, paths ...string) ([]string, error) {
	without, err := withoutFilters(ctx, dir)
	if err != nil {
		return nil, err
	}
	prefix, err := Read(ctx, dir, "rev-parse", "--show-prefix")
	if err != nil {
		return nil, err
	}
	// A submodule is another repository, whose configuration these settings would not reach.
	status, err := read(ctx, dir, without,
		append([]string{"status", "--porcelain", "-z", "--no-renames", "--untracked-files=all",
			"--ignore-submodules=dirty", "--"}, paths...)...)
	if err != nil {
		return nil, err
	}
	var changed []string
	for change := range strings.SplitSeq(status, "\x00") {
		if len(change) >= len("XY p") {
			changed = append(changed, strings.TrimPrefix(change[len("XY "):], strings.TrimSuffix(prefix, "\n")))
		}
	}
	submodules, err := submodules(ctx, dir, paths)
	if err != nil {
		return nil, err
	}
	for _, submodule := range submodules {
		within, err := Changed(ctx, dir+string(os.PathSeparator)+submodule, ".")
		if err != nil {
			return nil, err
		}
		for _, name := range within {
			changed = append(changed, submodule+"/"+name)
		}
	}
	return changed, nil
}

// submodules are those that are checked out below dir.
func submodules(ctx context.Context, dir string, paths []string) ([]string, error) {
	files, err := Read(ctx, dir, append([]string{"ls-files", "--stage", "-z", "--"}, paths...)...)
	if err != nil {
		return nil, err
	}
	var found []string
	for entry := range strings.SplitSeq(files, "\x00") {
		of, name, _ := strings.Cut(entry, "\t")
		if !strings.HasPrefix(of, "160000 ") {
			continue
		}
		if _, err := os.Stat(dir + string(os.PathSeparator) + name + "/.git"); err == nil {
			found = append(found, name)
		}
	}
	return found, nil
}

// withoutFilters are variables that switch off the filters of the repository's own configuration.
func withoutFilters(ctx context.Context, dir string) ([]string, error) {
	// It exits with 1 where there are none; a git before 2.26 says which option it does not know.
	listed, err := Read(ctx, dir, "config", "--show-scope", "-z", "--name-only", "--get-regexp", `^filter\.`)
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == 1 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var variables []string
	count, _ := strconv.Atoi(os.Getenv("GIT_CONFIG_COUNT")) // these go after what the environment says already
	fields := strings.Split(listed, "\x00")
	for i := 0; i+1 < len(fields); i += 2 {
		scope, key := fields[i], fields[i+1]
		if scope != "local" && scope != "worktree" {
			continue
		}
		value := ""
		if strings.HasSuffix(key, ".required") {
			value = "false"
		}
		variables = append(variables, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", count, key),
			fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", count, value))
		count++
	}
	if len(variables) > 0 {
		variables = append(variables, fmt.Sprintf("GIT_CONFIG_COUNT=%d", count))
	}
	return variables, nil
}
