package pulumicli

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAPreviewIsReadAlsoWhereItFailed(t *testing.T) {
	t.Parallel()
	const printed = `{"steps": [{"op": "create", "urn": "urn:listener", "newState": {"inputs": {"port": 443}}}],
		"diagnostics": [{"severity": "warning", "message": "careful"}, {"severity": "error", "message": "wrong\n"}]}`
	preview, err := readPreview("dev", printed, "", nil)
	require.NoError(t, err)
	require.Equal(t, []string{"careful"}, preview.Said("warning"))
	require.Equal(t, json.Number("443"), preview.Steps[0].NewState["inputs"].(map[string]any)["port"])

	_, err = readPreview("dev", printed, "no network", errors.New("exit status 1"))
	require.EqualError(t, err, "pulumi preview --stack dev: no network\nwrong (exit status 1)")
	_, err = readPreview("dev", "error: no", "", nil)
	require.ErrorContains(t, err, "update slipway or pulumi")
}
