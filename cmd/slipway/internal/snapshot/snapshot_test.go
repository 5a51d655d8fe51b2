package snapshot

import (
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/pulumitest"
	"slipway/cmd/slipway/internal/stagetest"
)

func TestPulumiIsAskedOnceForWhatIsNeeded(t *testing.T) {
	t.Setenv("PULUMI_BACKEND_URL", "https://api.pulumi.com")
	project := stagetest.Project(t, "config:\n  slipway:tags: {team: shop}\n")
	for name, test := range map[string]struct {
		parts Parts
		asked []string
	}{
		"the configuration": {Parts{}, []string{"config --json --stack me/slipway/release"}},
		"outputs, too": {Parts{Outputs: true}, []string{"config --json --stack me/slipway/release",
			"stack output --json --stack me/slipway/release"}},
		"history without secrets": {Parts{Updates: 2}, []string{"config --json --stack me/slipway/release",
			"stack history --json --stack me/slipway/release --page-size 2 --page 1"}},
		"all": {Parts{Secrets: true, Updates: 1, Outputs: true, State: true},
			[]string{"config --json --stack me/slipway/release --show-secrets", "stack export --stack me/slipway/release",
				"stack history --json --stack me/slipway/release --page-size 1 --page 1 --show-secrets"}},
	} {
		t.Run(name, func(t *testing.T) {
			secret := pulumicli.ConfigValue{Secret: true}
			pulumi := &pulumitest.Stack{File: project.StageFile("release"), States: map[string]string{"": "{}"},
				Outputs: `{"services": {"web": {"pinned": true}}}`, Updates: []pulumicli.Update{{Version: 1, Kind: "update",
					Result: "failed", Config: map[string]pulumicli.ConfigValue{"slipway:secrets": secret}}}}
			of, err := Load(t.Context(), pulumi.CLI(), project, "me/slipway/release", test.parts)
			require.NoError(t, err)
			require.ElementsMatch(t, test.asked, pulumi.Asked)
			require.Equal(t, `{"team":"shop"}`, of.Config["slipway:tags"])
			require.Equal(t, "slipway-release", of.Cluster())
			if test.parts.Updates > 0 {
				require.Equal(t, "failed", of.Last.Result)
			}
			if test.parts.Outputs {
				require.NoError(t, of.ReadOutputs(t.Context()))
				require.Len(t, pulumi.Asked, len(test.asked), "they are there already")
				require.Equal(t, "services.web of me/slipway/release is pinned to an earlier revision, and may run an earlier image",
					of.Pinned("web"))
				require.Empty(t, of.Pinned("api"))
			}
		})
	}
}
