package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"slipway/docs"
)

// advised are the commands of a program that pages, help and messages tell people to run.
func advised(t *testing.T, program string) (found []docs.Command) {
	t.Helper()
	all, err := docs.Commands("..")
	require.NoError(t, err)
	for _, directory := range []string{"../cmd", "../components", "."} {
		messages, err := docs.MessageCommands(directory)
		require.NoError(t, err)
		all = append(all, messages...)
	}
	for _, command := range all {
		if command.Name == program {
			found = append(found, command)
		}
	}
	require.NotEmpty(t, found)
	return found
}

func TestTheCommandsThatPeopleAreToldAreThere(t *testing.T) {
	t.Parallel()
	for _, command := range advised(t, "sandbox") {
		called := false
		found, args, err := newRoot(&called).Find(command.Args)
		require.NoError(t, err, command)
		found.InitDefaultHelpFlag()
		if err := found.ParseFlags(args); err != pflag.ErrHelp {
			require.NoError(t, err, command)
		}
		if !command.Mentioned && found.Name() != "faults" { // whose arguments a page may leave open
			require.NoError(t, found.ValidateArgs(found.Flags().Args()), command)
		}
		require.True(t, found.HasParent() || len(found.Flags().Args()) == 0, command)
	}
}

func TestTheTargetsThatPeopleAreToldToMakeAreThere(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile("../Makefile")
	require.NoError(t, err)
	for _, command := range advised(t, "make") {
		if len(command.Args) > 1 && command.Args[0] == "-C" { // run in the directory above
			command.Args = command.Args[2:]
		}
		for _, arg := range command.Args {
			name, _, isVariable := strings.Cut(arg, "=")
			where := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + `:`)
			if isVariable {
				where = regexp.MustCompile(`\$[({](if \$\()?(or \$\()?` + regexp.QuoteMeta(name) + `\b`)
			}
			require.Regexp(t, where, string(makefile), command)
		}
	}
	require.True(t, slices.ContainsFunc(advised(t, "make"),
		func(c docs.Command) bool { return slices.Contains(c.Args, "demo") }))
}
