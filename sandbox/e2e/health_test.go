package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/ecs"
)

// insights is what the cluster's settings say of Container Insights.
func (p *project) insights() any {
	p.Helper()
	settings := p.object(ecs.Cluster)["settings"].([]any)
	require.Len(p, settings, 1)
	setting := settings[0].(map[string]any)
	require.Equal(p, "containerInsights", setting["name"])
	return setting["value"]
}

func TestATaskThatFailsItsOwnHealthCheckIsRed(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("healthCheck: {command: [CMD, /app, -healthcheck]}")
	p.up("dev")
	p.faults(map[string]string{"unhealthy-tasks": "slipway-dev-web:3"})
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	p.refused([]string{"services.web: the deployment of slipway-dev-web:3 failed and was rolled back",
		"3 stopped: Task failed container health checks",
		"Serving now: slipway-dev-web:2, 1 of 1 replicas", "/slipway/dev/web"}, upArgs("dev")...)
	require.Equal(t, 2, p.service("slipway-dev").Revision)
	require.Equal(t, 1, p.service("slipway-dev").Running)
}
