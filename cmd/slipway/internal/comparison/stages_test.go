package comparison

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/pulumitest"
	"slipway/cmd/slipway/internal/snapshot"
	"slipway/cmd/slipway/internal/stagetest"
)

func TestWhatDiffPrintsOfTwoStagesAsPulumiHasThem(t *testing.T) {
	t.Setenv("PULUMI_BACKEND_URL", "https://api.pulumi.com")
	project := stagetest.Project(t, "")
	load := func(name, service, result string) *snapshot.Stage {
		file := filepath.Join(t.TempDir(), "stage.yaml")
		require.NoError(t, os.WriteFile(file, []byte("config:\n  aws:region: ap-northeast-2\n  slipway:images: {web: {ref: \""+oneRef+
			"\"}}\n  slipway:services: {web: {image: web"+service+"}}\n"), 0o600))
		pulumi := &pulumitest.Stack{File: file, Outputs: fmt.Sprintf(
			`{"images": {"web": {"ref": %q, "tag": %q, "digest": %q}}}`, oneRef, oneTag, oneDigest)}
		if result != "" {
			pulumi.Updates = []pulumicli.Update{{Kind: "update", Result: result}}
		}
		of, err := snapshot.Load(t.Context(), pulumi.CLI(), project, name,
			snapshot.Parts{Secrets: true, Updates: 1, Outputs: true})
		require.NoError(t, err)
		return of
	}
	for name, test := range map[string]struct {
		service, result, prints string
		status                  int
	}{
		"the same": {"", "succeeded", "dev and release do not differ.\n", 0},
		"a variable and a size": {", cpu: 512, memory: 1024, environment: {A: \"x y \"}", "succeeded", "Service web\n" +
			"  cpu: 256 → 512\n  environment.A: \"x y \", only in release\n  memory: 512 → 1024\n\n" +
			"All else is equal in dev and release.\n", 1},
		"one that was never deployed": {"", "", "Note: release runs nothing yet, as it was never deployed: what its file " +
			"says is compared.\n\ndev and release do not differ.\n", 0},
		"one whose update failed": {"", "failed", "Note: the last update of release failed, so it may run something else: " +
			"`slipway status release` tells.\n\ndev and release do not differ.\n", 0},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := Compare(t.Context(), [2]*snapshot.Stage{load("dev", "", "succeeded"),
				load("release", test.service, test.result)})
			require.NoError(t, err)
			require.Equal(t, test.prints, stagetest.Printed(found.Print))
			require.Equal(t, test.status, exit.Status(found.Verdict()))
		})
	}
}
