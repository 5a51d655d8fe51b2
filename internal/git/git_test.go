package git

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// repository makes one with the files a and sub/b in one commit; run runs git in it.
func repository(t *testing.T, dir string) (run func(args ...string)) {
	t.Helper()
	run = func(args ...string) {
		t.Helper()
		command := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=n", "-c", "user.email=e@example.com",
			"-c", "protocol.file.allow=always"}, args...)...)
		output, err := command.CombinedOutput()
		require.NoError(t, err, string(output))
	}
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "sub"), 0o755))
	write(t, dir, "a", "1")
	write(t, dir, "sub/b", "2")
	run("init", "-q")
	run("add", "-A")
	run("commit", "-qm", "one")
	return run
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o755))
}

func TestNothingThatARepositoryConfiguresIsRun(t *testing.T) {
	t.Setenv("PULUMI_CONFIG", `{"shop:secrets": "hunter2"}`)
	t.Setenv("OURS", "1")
	dir, place := t.TempDir(), t.TempDir()
	run := repository(t, dir)
	ran := filepath.Join(place, "ran")
	script := filepath.Join(place, "script")
	write(t, place, "script", "#!/bin/sh\nenv >> "+ran+"\ncat\n")
	require.NoError(t, os.Mkdir(filepath.Join(place, "hooks"), 0o755))
	for _, hook := range []string{"post-index-change", "reference-transaction", "fsmonitor-watchman"} {
		write(t, place, "hooks/"+hook, "#!/bin/sh\nenv >> "+ran+"\n")
	}
	write(t, dir, ".gitattributes", "* filter=own diff=own\nsub/b filter=pro.cess\n")
	run("add", "-A")
	run("commit", "-qm", "attributes")
	for key, value := range map[string]string{
		"core.fsmonitor": script, "core.hooksPath": filepath.Join(place, "hooks"), "core.pager": script,
		"core.sshCommand":  script,
		"filter.own.clean": script, "filter.own.smudge": script, "filter.own.required": "true",
		"filter.pro.cess.process": script,
		"diff.external":           script, "diff.own.textconv": script, "diff.own.command": script, "gpg.program": script,
		"log.showSignature": "true",
	} {
		run("config", key, value)
	}
	require.NoError(t, os.RemoveAll(ran))
	write(t, dir, "a", "changed")
	write(t, dir, "sub/b", "3")
	write(t, dir, "new", "")
	changed, err := Changed(t.Context(), dir, ".")
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"a", "sub/b", "new"}, changed)
	_, err = Read(t.Context(), dir, "log", "--format=%H")
	require.NoError(t, err)
	require.NoFileExists(t, ran)

	run("status") // git itself would have
	require.FileExists(t, ran)
}

func TestAFilterOfTheUsersOwnIsRunWithoutPulumisVariables(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", home)
	t.Setenv("PULUMI_CONFIG", `{"shop:secrets": "hunter2"}`)
	dir := t.TempDir()
	run := repository(t, dir)
	write(t, home, "script", "#!/bin/sh\nenv >> "+home+"/ran\ntr a-z A-Z\n")
	run("config", "--global", "filter.upper.clean", filepath.Join(home, "script"))
	write(t, dir, ".gitattributes", "a filter=upper\n")
	write(t, dir, "a", "text")
	run("add", "-A")
	run("commit", "-qm", "filtered")
	require.NoError(t, os.Remove(filepath.Join(home, "ran")))
	require.NoError(t, os.Remove(filepath.Join(dir, "a")))
	write(t, dir, "a", "Text") // the same to the filter
	changed, err := Changed(t.Context(), dir, ".")
	require.NoError(t, err)
	require.Empty(t, changed)
	environment, err := os.ReadFile(filepath.Join(home, "ran"))
	require.NoError(t, err)
	require.NotContains(t, string(environment), "PULUMI_")
}

func TestSubmodulesAreLookedInto(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	run := repository(t, dir)
	repository(t, other)
	run("submodule", "add", "-q", other, "module")
	run("commit", "-qm", "module")
	changed, err := Changed(t.Context(), dir, ".")
	require.NoError(t, err)
	require.Empty(t, changed)

	place := t.TempDir()
	write(t, place, "script", "#!/bin/sh\ntouch "+place+"/ran\ncat\n")
	output, err := exec.Command("git", "-C", filepath.Join(dir, "module"), "config", "core.fsmonitor",
		filepath.Join(place, "script")).CombinedOutput()
	require.NoError(t, err, string(output))
	write(t, dir, "module/sub/b", "changed")
	write(t, dir, "module/new", "")
	changed, err = Changed(t.Context(), dir, ".")
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"module/sub/b", "module/new"}, changed)
	within, err := Changed(t.Context(), filepath.Join(dir, "sub"), ".")
	require.NoError(t, err)
	require.Empty(t, within)
	require.NoFileExists(t, filepath.Join(place, "ran"))
}

func TestSettingsThatTheEnvironmentGivesGitStayInForce(t *testing.T) {
	dir := t.TempDir()
	run := repository(t, dir)
	run("config", "filter.own.clean", "cat")
	ignored := filepath.Join(t.TempDir(), "ignored")
	require.NoError(t, os.WriteFile(ignored, []byte("new\n"), 0o644))
	t.Setenv("GIT_CONFIG_COUNT", "1")
	t.Setenv("GIT_CONFIG_KEY_0", "core.excludesFile")
	t.Setenv("GIT_CONFIG_VALUE_0", ignored)
	write(t, dir, "new", "")
	changed, err := Changed(t.Context(), dir, ".")
	require.NoError(t, err)
	require.Empty(t, changed)
}

func TestStatusRunsNoFilterOfTheRepository(t *testing.T) {
	dir, place := t.TempDir(), t.TempDir()
	run := repository(t, dir)
	write(t, place, "script", "#!/bin/sh\ntouch "+place+"/ran\ncat\n")
	write(t, dir, ".gitattributes", "a filter=own\n")
	run("add", "-A")
	run("commit", "-qm", "attributes")
	run("config", "filter.own.clean", filepath.Join(place, "script"))
	for file, want := range map[string]string{"sub/b": "", "a": " M", "new": "??", "ignored": "!!"} {
		write(t, dir, file, map[string]string{"sub/b": "2", "a": "changed"}[file])
		write(t, dir, ".gitignore", "ignored\n")
		status, err := Status(t.Context(), dir, file)
		require.NoError(t, err)
		require.Equal(t, want, status, file)
	}
	require.NoFileExists(t, filepath.Join(place, "ran"))
}

func TestADirectoryWithoutARepositoryIsToldByItsError(t *testing.T) {
	_, err := Read(t.Context(), t.TempDir(), "rev-parse", "HEAD")
	require.ErrorIs(t, err, ErrNoRepository)
	dir := t.TempDir()
	repository(t, dir)
	_, err = Read(t.Context(), dir, "rev-parse", "--verify", "nothing")
	require.NotErrorIs(t, err, ErrNoRepository)
	require.ErrorContains(t, err, "git rev-parse: Needed a single revision")
}

func TestACommandThatOnlyLooksIsGivenUp(t *testing.T) {
	bin := t.TempDir()
	write(t, bin, "git", "#!/bin/sh\nexec sleep 60\n")
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	before := limit
	limit = 100 * time.Millisecond
	defer func() { limit = before }()
	_, err := Read(t.Context(), bin, "log", "--format=%H")
	require.EqualError(t, err, "git log --format=%H did not end within 100ms, and was stopped: run it yourself, in "+bin)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Read(cancelled, bin, "log")
	require.ErrorIs(t, err, context.Canceled)
}

// A clone that leaves file contents out fetches them where earlier versions of a file are asked for, and only there.
func TestEarlierVersionsAreFetchedIntoAPartialClone(t *testing.T) {
	dir, clone := t.TempDir(), filepath.Join(t.TempDir(), "clone")
	run := repository(t, dir)
	run("config", "uploadpack.allowFilter", "true")
	run("config", "uploadpack.allowAnySHA1InWant", "true")
	write(t, dir, "a", "second")
	run("commit", "-qam", "two")
	run("clone", "-q", "--filter=blob:none", "file://"+dir, clone)
	_, err := Read(t.Context(), clone, "show", "HEAD~1:./a")
	require.Error(t, err)
	earlier, err := ReadFetched(t.Context(), clone, "show", "HEAD~1:./a")
	require.NoError(t, err)
	require.Equal(t, "1", earlier)
}
