package pulumicli

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func withoutStacks(context.Context, string, io.Reader, ...string) (string, string, error) {
	return "", "error: no stack named 'org/shop/other' found", errors.New("exit status 255")
}

func TestAPreviewOfNoStackSaysWhichStagesThereAre(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	for _, name := range []string{"Pulumi.yaml", "Pulumi.dev.yaml"} {
		require.NoError(t, os.WriteFile(filepath.Join(directory, name), []byte("name: shop\nruntime: go\n"), 0o600))
	}
	_, err := CLI{Directory: directory, Run: withoutStacks}.Preview(t.Context(), "org/shop/other")
	require.ErrorAs(t, err, &NoStack{})
	require.ErrorContains(t, err, "there is no stage org/shop/other")
}

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
