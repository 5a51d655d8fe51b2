package pulumicli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"time"
)

// Run runs a command of the CLI in a directory, to its end: input is what the command reads, nil for nothing. It
// returns what the command wrote, also where that failed.
type Run func(ctx context.Context, directory string, input io.Reader, args ...string) (stdout, stderr string, err error)

var errNoCLI = errors.New("there is no pulumi on the PATH: install the Pulumi CLI")

// stopTime is how long a command may take to end that is to stop: what a provider has begun comes to its end first.
const stopTime = 5 * time.Minute

// run runs the `pulumi` on the PATH, which asks nothing. When the context ends it is interrupted, so that it can leave
// the stack unlocked.
func run(ctx context.Context, directory string, input io.Reader, args ...string) (string, string, error) {
	command := exec.CommandContext(ctx, "pulumi", append([]string{"--non-interactive"}, args...)...)
	var stdout, stderr bytes.Buffer
	command.Dir, command.Stdin, command.Stdout, command.Stderr = directory, input, &stdout, &stderr
	command.Env = append(os.Environ(), "PULUMI_SKIP_UPDATE_CHECK=true") // whose news would be taken for an error
	interruptOnce(command)
	command.WaitDelay = stopTime
	err := command.Run()
	if errors.Is(err, exec.ErrNotFound) {
		err = errNoCLI
	}
	return stdout.String(), stderr.String(), err
}
