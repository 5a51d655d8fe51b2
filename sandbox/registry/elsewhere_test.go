package registry

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/internal/registries/registrytest"
)

func TestAnImageIsPulledFromAnotherRegistryAsFargateDoes(t *testing.T) {
	t.Parallel()
	open, closed := registrytest.Serve(t, "", ""), registrytest.Serve(t, "robot", "hunter2")
	index := open.Push(t, "team/web", "one", "linux/amd64", "linux/arm64").Pinned()
	image, err := PullElsewhere(t.Context(), index, "linux/arm64", "", "")
	require.NoError(t, err)
	config, err := image.ConfigFile()
	require.NoError(t, err)
	require.Equal(t, "arm64", config.Architecture)

	amd, hidden := open.Push(t, "team/web", "amd", "linux/amd64").Pinned(), closed.Push(t, "team/web", "one",
		"linux/amd64").Pinned()
	_, err = PullElsewhere(t.Context(), hidden, "linux/amd64", "robot", "hunter2")
	require.NoError(t, err)
	const retried = "pull image manifest has been retried 1 time(s): "
	for says, pull := range map[string][4]string{
		retried + "image Manifest does not contain descriptor matching platform 'linux/arm64'": {amd, "linux/arm64"},
		": not found": {strings.Replace(amd, "team/web", "team/gone", 1), "linux/amd64"},
		retried + "failed to resolve ref " + hidden + ": pull access denied, repository does not exist or may require " +
			"authorization: server message: insufficient_scope: authorization failed": {hidden, "linux/amd64"},
		"failed to resolve ref " + hidden + ": pull access denied": {hidden, "linux/amd64", "robot", "other"},
		"failed to do request: ":                                   {"localhost:1/team/web:one", "linux/amd64"},
	} {
		_, err := PullElsewhere(t.Context(), pull[0], pull[1], pull[2], pull[3])
		require.ErrorContains(t, err, says)
	}
}
