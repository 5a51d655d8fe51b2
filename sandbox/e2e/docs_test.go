package e2e

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/docs"
)

// The real CLI knows the commands and flags of every `pulumi …` that pages and messages tell people to run.
func TestTheCommandsOfPulumiThatPeopleAreToldAreThere(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	advised, err := docs.Commands("../..")
	require.NoError(t, err)
	for _, directory := range []string{"../../cmd", "../../components", "../../stage"} {
		messages, err := docs.MessageCommands(directory)
		require.NoError(t, err)
		advised = append(advised, messages...)
	}
	tried := map[string]bool{}
	for _, command := range advised {
		shape := shapeOf(command.Args)
		if command.Name != "pulumi" || tried[shape] {
			continue
		}
		tried[shape] = true
		// Help is shown only once all that stands before it is accepted.
		require.Contains(t, p.ok(append(append([]string{"pulumi"}, command.Args...), "--help")...).output, "Usage:", command)
	}
	require.Greater(t, len(tried), 10)
}

// shapeOf is a command without what its flags are given.
func shapeOf(args []string) string {
	var shape []string
	for _, arg := range args {
		if name, _, _ := strings.Cut(arg, "="); strings.HasPrefix(name, "-") || len(shape) < 2 {
			shape = append(shape, name)
		}
	}
	return strings.Join(shape, " ")
}
