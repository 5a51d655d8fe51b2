package main

import (
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"slipway/docs"
)

// advised are the commands of a program that the pages, the help and the messages of the program tell people to run.
func advised(t *testing.T, program string) (found []docs.Command) {
	t.Helper()
	all, err := docs.Commands("../..")
	require.NoError(t, err)
	for _, directory := range []string{"../../cmd", "../../components", "../../stage", "../../internal",
		"../../sandbox"} {
		messages, err := docs.MessageCommands(directory)
		require.NoError(t, err)
		all = append(all, messages...)
	}
	for _, command := range all {
		if command.Name == program {
			found = append(found, command)
		}
	}
	return found
}

// Every `slipway …` that people are told to run is one that there is.
func TestTheCommandsThatPeopleAreToldAreThere(t *testing.T) {
	t.Parallel()
	told := advised(t, "slipway")
	for _, command := range told {
		called := false
		root := newRoot(&called)
		root.InitDefaultCompletionCmd()
		found, args, err := root.Find(command.Args)
		require.NoError(t, err, command)
		found.InitDefaultHelpFlag()
		found.InitDefaultVersionFlag()
		if err := found.ParseFlags(args); err != pflag.ErrHelp {
			require.NoError(t, err, command)
		}
		if !command.Mentioned && found != root {
			require.NoError(t, found.ValidateArgs(found.Flags().Args()), command)
		}
		require.True(t, found != root || len(found.Flags().Args()) == 0, command)
	}
	require.Greater(t, len(told), 40)
}
