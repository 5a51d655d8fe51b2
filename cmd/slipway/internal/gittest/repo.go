// Package gittest has a git repository for tests.
package gittest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Repo is a git repository with one commit, of the file stage.yaml and of other.
type Repo struct {
	*testing.T
	Dir string
}

// New makes one.
func New(t *testing.T) Repo {
	t.Helper()
	r := Repo{t, t.TempDir()}
	r.Git("init", "-q", "-b", "main")
	r.Git("config", "user.name", "Dana Developer")
	r.Git("config", "user.email", "dana@example.com")
	r.Write("stage.yaml", "one\n")
	r.Write("other", "one\n")
	r.Git("add", "-A")
	r.Git("commit", "-q", "-m", "first")
	return r
}

// Git runs git there, which has to succeed.
func (r Repo) Git(args ...string) string {
	r.Helper()
	output, err := RunGit(r.Dir, args...)
	require.NoError(r, err, output)
	return output
}

// RunGit runs git in a directory.
func RunGit(dir string, args ...string) (string, error) {
	command := exec.Command("git", args...)
	command.Dir = dir
	output, err := command.Output()
	return string(output), err
}

// Write gives a file a content.
func (r Repo) Write(name, content string) {
	r.Helper()
	require.NoError(r, os.WriteFile(filepath.Join(r.Dir, name), []byte(content), 0o644))
}

// Hook is what git runs before it commits.
func (r Repo) Hook(script string) {
	r.Helper()
	require.NoError(r, os.WriteFile(filepath.Join(r.Dir, ".git/hooks/pre-commit"), []byte("#!/bin/sh\n"+script), 0o755))
}

// Read is what a file has.
func (r Repo) Read(name string) string {
	r.Helper()
	content, err := os.ReadFile(filepath.Join(r.Dir, name))
	require.NoError(r, err)
	return string(content)
}
