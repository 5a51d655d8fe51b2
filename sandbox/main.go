// Command sandbox attaches an AWS account that lives on this machine to a command: `sandbox exec -- pulumi up`.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/spf13/cobra"

	"slipway/sandbox/account"
)

func main() { os.Exit(runAs(os.Args, os.Stdout, os.Stderr)) }

// runAs is what a process does that was called with these arguments, and its exit status.
func runAs(args []string, stdout, stderr io.Writer) int {
	if filepath.Base(args[0]) != calledAs {
		return run(args[1:], stdout, stderr)
	}
	fmt.Fprintf(stderr, "sandbox: starting pulumi: %v\n", becomeCLI(args[1:]))
	return 1
}

// exitStatus is the end of a command that has said itself what went wrong.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// run returns the exit status: the command's own for exec; otherwise 0, 1 when something failed, or 2 when sandbox was
// called wrongly.
func run(args []string, stdout, stderr io.Writer) int {
	called := false
	root := newRoot(&called)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)

	command, err := root.ExecuteC()
	var status exitStatus
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	case called:
		fmt.Fprintf(stderr, "sandbox %s: %v\n", command.Name(), err)
		return 1
	default:
		fmt.Fprintf(stderr, "%s: %s\nRun `%[1]s --help` for its arguments and flags.\n", command.CommandPath(),
			strings.Join(strings.Fields(err.Error()), " "))
		return 2
	}
}

// newRoot has all commands. It sets called once the call of one is found to be right.
func newRoot(called *bool) *cobra.Command {
	root := &cobra.Command{
		Use:   "sandbox",
		Short: "An AWS account and Docker registry on your own machine, for the real Pulumi CLI",
		Long: `An AWS account and Docker registry on your own machine, for the real Pulumi CLI.

The account, the state of its stacks and the CLI's settings live in one directory, so several accounts exist side by
side. Nothing in it costs money, and nothing outside of it changes.`,
		Example: `  sandbox exec -- pulumi stack init dev
  sandbox exec -- pulumi up --stack dev
  sandbox images
  sandbox --dir /tmp/other exec -- pulumi preview --stack dev`,
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		// Runs once flags and arguments are accepted: what fails after it is no mistake in the call.
		PersistentPreRun: func(*cobra.Command, []string) { *called = true },
	}
	dir := root.PersistentFlags().String("dir", accountDir(), "where the account lives, a `directory`")
	root.AddCommand(execCommand(dir), watchCommand(dir), imagesCommand(dir), psCommand(dir), logsCommand(dir),
		resetCommand(dir), seedCommand(dir),
		faultsCommand(dir), cliCommand())
	return root
}

// accountDir is where the account lives that no flag names: beside Pulumi.yaml, from wherever in the project.
func accountDir() string {
	const name = ".sandbox"
	if project, err := workspace.DetectProjectPath(); err == nil && project != "" {
		if here, err := os.Getwd(); err == nil {
			if relative, err := filepath.Rel(here, filepath.Join(filepath.Dir(project), name)); err == nil {
				return relative
			}
		}
	}
	return name
}

// withAccount opens the account in dir for do.
func withAccount(dir string, do func(*account.Account) error) (err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return err
	}
	a, err := account.Open(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	return do(a)
}
