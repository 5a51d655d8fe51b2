// Package git prepares git commands that run nothing but git: not what a repository's own configuration names, which may
// come with an unpacked archive, and not with what Pulumi tells this process, which has secrets in clear.
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
)

// Environment is that of this process without Pulumi's variables: PULUMI_CONFIG has every decrypted secret of a stage, and
// others have tokens and passphrases.
func Environment() []string {
	return slices.DeleteFunc(os.Environ(), func(variable string) bool { return strings.HasPrefix(variable, "PULUMI_") })
}

// Looking are options that go before a git command that only looks: they keep git from starting programs that the
// repository's configuration names, and from locks.
func Looking() []string {
	options := []string{"--no-optional-locks"}
	for _, setting := range []string{"core.fsmonitor=false", "core.hooksPath=" + os.DevNull, "core.pager=cat", "diff.external=",
		"log.showSignature=false"} {
		options = append(options, "-c", setting)
	}
	return options
}

// Read runs a git command that only looks, in dir, and returns what it printed. Its error is what git said, in English.
// It takes no lock, so it never stands in the way of the user's own git.
func Read(ctx context.Context, dir string, args ...string) (string, error) {
	return read(ctx, dir, nil, args...)
}

func read(ctx context.Context, dir string, more []string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, "git", slices.Concat(Looking(), []string{"-c", "protocol.allow=never", "-C", dir}, args)...)
	command.Env = append(Environment(), "LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_NO_LAZY_FETCH=1")
	command.Env = append(command.Env, more...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return "", fmt.Errorf("git %s: %s", args[0], strings.TrimSpace(stderr.String()))
	}
	return string(output), err
}

// Changed lists the files below dir that differ from the commit, untracked ones too, relative to dir. What is ignored is
// not among them. It looks into submodules. A file that goes through a filter of the repository's own configuration is
// compared as it lies there: git would run the filter. Filters of the user's or the machine's configuration are run.
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
	status, err := read(ctx, dir, without, append([]string{"status", "--porcelain", "-z", "--no-renames", "--untracked-files=all",
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
	if err != nil {
		if strings.HasSuffix(err.Error(), ": ") {
			return nil, nil
		}
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
		variables = append(variables, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", count, key), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", count, value))
		count++
	}
	if len(variables) > 0 {
		variables = append(variables, fmt.Sprintf("GIT_CONFIG_COUNT=%d", count))
	}
	return variables, nil
}
