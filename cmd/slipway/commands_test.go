package main

import (
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"slipway/docs"
)

// Every `slipway …` that the pages, the help and the messages of the program tell people to run is one that there is.
func TestTheCommandsThatPeopleAreToldAreThere(t *testing.T) {
	t.Parallel()
	told, err := docs.Commands("../..")
	require.NoError(t, err)
	for _, directory := range []string{"../../cmd", "../../components", "../../stage", "../../internal",
		"../../sandbox"} {
		messages, err := docs.MessageCommands(directory)
		require.NoError(t, err)
		told = append(told, messages...)
	}
	count := 0
	for _, command := range told {
		if command.Name != "slipway" {
			continue
		}
		count++
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
	require.Greater(t, count, 40)
}
