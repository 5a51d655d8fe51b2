//go:build unix

package pulumicli

import (
	"os"
	"os/exec"
	"syscall"
)

// interruptOnce has a command interrupted when its context ends, and not by Ctrl-C in a terminal, too: Pulumi takes a
// second one for "stop at once".
func interruptOnce(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
}
