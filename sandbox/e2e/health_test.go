package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestATaskThatFailsItsOwnHealthCheckIsRed(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("healthCheck: {command: [CMD, /app, -healthcheck]}")
	p.up("dev")
	p.aws.setFaults(map[string]string{"unhealthy-tasks": "slipway-dev-web:3"})
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	p.refused([]string{"services.web: the deployment of slipway-dev-web:3 failed and was rolled back",
		"3 stopped: Task failed container health checks",
		"Serving now: slipway-dev-web:2, 1 of 1 replicas", "/slipway/dev/web"}, upArgs("dev")...)
	require.Equal(t, 2, p.aws.service("slipway-dev").Revision)
	require.Equal(t, 1, p.aws.service("slipway-dev").Running)
}
