// Command slipway has the commands that go with `pulumi`: those that work on the project's stage files or on more than
// one stage. It runs the `pulumi` that is on the PATH, with the environment that it was given.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/exit"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends slipway at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run returns the exit status: 0, or 1 when the command found something that is not as it should be, or 2 when it could
// not tell, or was called wrongly. A command that runs something else may return that one's own.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	called := false
	root := newRoot(&called)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)

	command, err := root.ExecuteContextC(ctx)
	switch {
	case err == nil:
		return 0
	case called:
		if !errors.Is(err, exit.Difference) {
			fmt.Fprintf(stderr, "slipway %s: %s\n", command.Name(), console.ShortenPaths(withHint(command, err)))
		}
		return exit.Status(err)
	default:
		fmt.Fprintln(stderr, usageError(command, err))
		return 2
	}
}

// newRoot has all commands. It sets called once the call of one is found to be right.
func newRoot(called *bool) *cobra.Command {
	root := &cobra.Command{
		Use:           "slipway",
		Short:         "Companion commands around pulumi: build once, launch every stage",
		Version:       ownVersion().String(),
		SilenceUsage:  true,
		SilenceErrors: true,
		// Runs once flags and arguments are accepted: what fails after it is no mistake in the call.
		PersistentPreRun: func(*cobra.Command, []string) { *called = true },
	}
	directory := root.PersistentFlags().StringP("directory", "C", ".",
		"work on the project that holds this `directory`: the nearest one above it with a Pulumi.yaml")
	root.AddCommand(statusCommand(directory), historyCommand(directory), diffCommand(directory), logsCommand(directory),
		runCommand(directory), verifyCommand(directory), promoteCommand(directory), pinCommand(directory),
		rollbackCommand(directory), recoverCommand(directory), previewCommand(directory), iamCommand(directory),
		initCommand(directory), versionCommand())
	return root
}
