package scaffold

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestARangeOfWhichNothingIsFollowedIsNoScaling(t *testing.T) {
	t.Parallel()
	_, options := repository(t, map[string]string{"Dockerfile": simple,
		"copilot/worker/manifest.yml": "name: worker\ntype: Worker Service\nimage: {build: Dockerfile}\n" +
			"count:\n  range: 2-10\n  cooldown: {in: 60s}\n" +
			"  queue_delay: {acceptable_latency: 10m, msg_processing_time: 250ms}\n"})
	plan, err := Make(t.Context(), options)
	require.NoError(t, err)
	require.Contains(t, plan.content("Pulumi.yaml"), "replicas: 2\n")
	require.NotContains(t, plan.content("Pulumi.yaml"), "scaling:")
	said := outcome(plan)
	require.Contains(t, said, "manifest.yml:5: count.range → services.worker.replicas: 2")
	require.Contains(t, said, "! copilot/worker/manifest.yml:5: count.range: not taken over: nothing that the count "+
		"follows was taken over: write max: 10 in services.worker.scaling, and what it is to follow")
	require.NotContains(t, said, "→ services.worker.scaling")
}
