// Package process has children end with the sandbox, however that ends.
package process

import (
	"os/exec"
	"syscall"
)

// EndWith has a command that is about to be started get a signal when this process ends, killed or not. Elsewhere than
// on Linux it does nothing: there is no such thing.
func EndWith(command *exec.Cmd, signal syscall.Signal) {
	if command.SysProcAttr == nil {
		command.SysProcAttr = &syscall.SysProcAttr{}
	}
	command.SysProcAttr.Pdeathsig = signal
}
