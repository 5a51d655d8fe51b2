package main

import (
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"slipway/internal/awsclient"
)

// version is set by the Makefile, to what git says of the commit.
var version string

// ownVersion is what this binary was built from, as far as it was told.
func ownVersion() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	settings := map[string]string{}
	for _, setting := range info.Settings {
		settings[setting.Key] = setting.Value
	}
	switch revision := settings["vcs.revision"]; {
	case info.Main.Version != "" && info.Main.Version != "(devel)":
		return info.Main.Version
	case revision != "" && settings["vcs.modified"] == "true":
		return revision + "-dirty"
	case revision != "":
		return revision
	}
	return "unknown"
}

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
	for _, sign := range []string{"must be set for login", "requires logging in", "pulumi login", "there is no stack "} {
		if strings.Contains(text, sign) {
			return text + "\nSign in to where the stacks are (`pulumi login`), or, for those of the account on your own " +
				"machine, put `sandbox exec --` before the command."
		}
	}
	return text
}
