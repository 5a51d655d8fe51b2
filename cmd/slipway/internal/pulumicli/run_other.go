//go:build !unix

package pulumicli

import "os/exec"

// interruptOnce leaves it to the console, which sends Ctrl-C to the command, too.
func interruptOnce(command *exec.Cmd) { command.Cancel = func() error { return nil } }
