package e2e

import (
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// waitLimit is how long a test waits for what has to come: long, as it is a limit for what never comes, and machines
// differ.
const waitLimit = 3 * time.Minute

// forever is the duration of a fault that a test ends itself, so that no test depends on how fast the machine is.
const forever = "24h"

// background is a command that goes on while the test does.
type background struct {
	testing.TB
	*exec.Cmd
	output *terminal
}

// start starts a command.
func (c *commandLine) start(args ...string) *background {
	c.Helper()
	return c.inBackground(c.command(args...))
}

// inBackground starts a command, and sees to it that it ends with the test.
func (c *commandLine) inBackground(command *exec.Cmd) *background {
	c.Helper()
	b := &background{TB: c.TB, Cmd: command, output: &terminal{}}
	b.Stdout, b.Stderr = b.output, b.output
	b.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that kill kills all of it
	require.NoError(b.TB, b.Start())
	b.Cleanup(func() {
		if b.ProcessState == nil { // the test has failed before its end
			_ = b.kill()
		}
		b.Logf("$ %s\n%s(%s)", strings.Join(b.Args, " "), b.output, b.ProcessState)
	})
	return b
}

// says waits until the command has written the text.
func (b *background) says(text string) {
	b.Helper()
	b.until(func() bool { return strings.Contains(b.output.String(), text) }, "it never said %q", text)
}

// until waits for what the command is to bring about.
func (b *background) until(condition func() bool, messageAndArgs ...any) {
	b.Helper()
	require.Eventually(b.TB, condition, waitLimit, 20*time.Millisecond, messageAndArgs...)
}

// interrupt is Ctrl-C. The sandbox passes it on to the command that it runs, once.
func (b *background) interrupt() {
	b.Helper()
	require.NoError(b.TB, b.Process.Signal(syscall.SIGINT))
}

// kill kills the command and all that it has started.
func (b *background) kill() error {
	err := syscall.Kill(-b.Process.Pid, syscall.SIGKILL)
	_ = b.Wait()
	return err
}

// succeeds waits for the command's end, which has to be a good one.
func (b *background) succeeds() {
	b.Helper()
	require.NoError(b.TB, b.Wait())
}

// fails waits for the command's end, which has to be a bad one.
func (b *background) fails() {
	b.Helper()
	require.Error(b.TB, b.Wait())
}
