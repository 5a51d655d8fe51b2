package components

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhatIsSaidOfAServiceThatExistsAndIsToBeCreated(t *testing.T) {
	t.Parallel()
	preview, update := whereItExists(true, "dev"), whereItExists(false, "dev")
	require.Contains(t, preview, "Where this update replaces it, it deletes it first")
	require.NotContains(t, update, "deletes")
	for _, said := range []string{preview, update} {
		require.Contains(t, said, "not in this stack's state")
		require.Contains(t, said, "`slipway recover dev`")
	}
}
