package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"slipway/internal/awsclient"
)

// usageError is what to say of a mistake in the call: what it is, and where the rest stands.
func usageError(command *cobra.Command, err error) string {
	what, similar, found := strings.Cut(err.Error(), "Did you mean this?")
	what = strings.Join(strings.Fields(what), " ")
	if found {
		what += "; did you mean " + strings.Join(strings.Fields(similar), " or ") + "?"
	}
	return fmt.Sprintf("%s: %s\nRun `%[1]s --help` for its arguments and flags.", command.CommandPath(), what)
}

// withHint adds what to do to an error of the CLI or of AWS that does not say it.
func withHint(command *cobra.Command, err error) string {
	text := err.Error()
	if advice := awsclient.RoleAdvice(err, command.Flags().Arg(0)); advice != "" {
		return text + "\n" + advice
	}
	for _, sign := range []string{"must be set for login", "requires logging in", "pulumi login"} {
		if strings.Contains(text, sign) {
			return text + "\nSign in to where the stacks are (`pulumi login`), or, for those of the account on your own " +
				"machine, put `sandbox exec --` before the command."
		}
	}
	return text
}
