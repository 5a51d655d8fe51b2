package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/docs"
)

// The real CLI knows the commands and flags of every `pulumi …` that pages and messages tell people to run.
func TestTheCommandsOfPulumiThatPeopleAreToldAreThere(t *testing.T) {
	t.Parallel()
	told, err := docs.Commands("../..")
	require.NoError(t, err)
	for _, directory := range []string{"../../cmd", "../../components", "../../stage"} {
		messages, err := docs.MessageCommands(directory)
		require.NoError(t, err)
		told = append(told, messages...)
	}
	// All that follows a command is tried at once, as each start of the CLI takes a while.
	arguments := map[string][]string{}
	for _, command := range told {
		if command.Name == "pulumi" {
			words := 0
			for words < min(2, len(command.Args)) && !strings.HasPrefix(command.Args[words], "-") {
				words++
			}
			name := strings.Join(command.Args[:words], " ")
			arguments[name] = append(arguments[name], command.Args[words:]...)
		}
	}
	require.Greater(t, len(arguments), 10)
	pulumi, err := exec.Command(filepath.Join(root, ".bin/sandbox"), "cli").Output()
	require.NoError(t, err)
	for name, following := range arguments {
		// Help is shown only once all that stands before it is accepted.
		command := exec.Command(strings.TrimSpace(string(pulumi)),
			append(append(strings.Fields(name), following...), "--help")...)
		command.Env = append(os.Environ(), "PULUMI_HOME="+t.TempDir(), "PULUMI_SKIP_UPDATE_CHECK=true")
		output, err := command.CombinedOutput()
		require.NoError(t, err, "%s\n%s", command, output)
		require.Contains(t, string(output), "Usage:", command)
	}
}
