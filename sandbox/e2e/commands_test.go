package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// commandLine runs commands in a clone, with an account attached.
type commandLine struct {
	testing.TB
	checkout *checkout
	aws      *awsAccount
	// engine is what the sandbox uses a Docker engine for: nothing ("off"), builds ("build"), or all that it can ("").
	engine string
	// policy is a file with the IAM policy that the commands have; empty where they may do everything.
	policy string
	// env is what each command has in its environment beside the test's own.
	env []string
}

// dockerMode is the variable that tells the sandbox so. Where the environment has it, it holds for all tests.
const dockerMode = "SANDBOX_DOCKER"

// command prepares a command.
func (c *commandLine) command(args ...string) *exec.Cmd {
	exec := []string{"exec", "--"}
	if c.policy != "" {
		exec = []string{"exec", "--policy", c.policy, "--"}
	}
	command := c.aws.sandbox(append(exec, args...)...)
	command.Dir = c.checkout.dir
	command.Env = append(os.Environ(), "PATH="+filepath.Join(root, ".bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
	command.Env = append(command.Env, c.env...)
	if os.Getenv(dockerMode) == "" {
		command.Env = append(command.Env, dockerMode+"="+c.engine)
	}
	return command
}

// run runs a command to its end.
func (c *commandLine) run(args ...string) *result {
	c.Helper()
	return c.runWith(nil, args...)
}

func (c *commandLine) runWith(env []string, args ...string) *result {
	c.Helper()
	command := c.command(args...)
	command.Env = append(command.Env, env...)
	var stdout bytes.Buffer
	output := &terminal{}
	command.Stdout = io.MultiWriter(output, &stdout)
	command.Stderr = output
	began := time.Now()
	err := command.Run()
	r := &result{TB: c.TB, command: strings.Join(args, " "), output: output.String(), stdout: stdout.String(),
		status: command.ProcessState.ExitCode(), took: time.Since(began),
		memory: command.ProcessState.SysUsage().(*syscall.Rusage).Maxrss}
	if _, failed := err.(*exec.ExitError); err != nil && !failed {
		require.NoError(c.TB, err)
	}
	if _, isTest := c.TB.(*testing.T); isTest { // a benchmark prints figures only
		c.Logf("$ %s\n%s(exit status %d)", r.command, r.output, r.status)
	}
	return r
}

// ok runs a command that has to succeed.
func (c *commandLine) ok(args ...string) *result {
	c.Helper()
	r := c.run(args...)
	require.Zero(c, r.status, "%s failed:\n%s", r.command, r.output)
	return r
}

// refused runs a command that has to fail, saying all of that.
func (c *commandLine) refused(says []string, args ...string) *result {
	c.Helper()
	r := c.run(args...)
	require.NotZero(c, r.status, "%s succeeded:\n%s", r.command, r.output)
	for _, text := range says {
		require.Contains(c, r.output, text)
	}
	return r
}

// upArgs are what a user types, and what a test needs besides: no questions.
func upArgs(stage string, more ...string) []string {
	return append([]string{"pulumi", "up", "--stack", stage, "--yes", "--non-interactive", "--color", "never"}, more...)
}

// up updates a stage, which has to succeed, and returns what it changed.
func (c *commandLine) up(stage string, more ...string) *update {
	c.Helper()
	u := c.tryUp(stage, more...)
	require.Zero(c, u.status, "pulumi up failed:\n%s", u.output)
	return u
}

// tryUp updates a stage, however that ends. What a preview says is for tests of previews.
func (c *commandLine) tryUp(stage string, more ...string) *update {
	c.Helper()
	log := filepath.Join(c.TempDir(), "grpc.json")
	args := upArgs(stage, append(more, "--skip-preview")...)
	u := &update{result: c.runWith([]string{"PULUMI_DEBUG_GRPC=" + log}, args...)}
	content, err := os.ReadFile(log)
	require.NoError(c.TB, err)
	for _, line := range bytes.Split(bytes.TrimSpace(content), []byte("\n")) {
		var made call
		if json.Unmarshal(line, &made) == nil {
			u.calls = append(u.calls, made)
		}
	}
	return u
}

// preview previews a stage.
func (c *commandLine) preview(stage string, more ...string) *result {
	c.Helper()
	return c.run(append([]string{"pulumi", "preview", "--stack", stage, "--non-interactive", "--color", "never", "--diff"},
		more...)...)
}

func destroyArgs(stage string) []string {
	return []string{"pulumi", "destroy", "--stack", stage, "--yes", "--non-interactive", "--color", "never"}
}

// terminal gathers what both streams of a command write. (No embedding: a buffer's ReadFrom would go past the mutex.)
type terminal struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (t *terminal) Write(text []byte) (int, error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.text.Write(text)
}

func (t *terminal) String() string {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.text.String()
}
