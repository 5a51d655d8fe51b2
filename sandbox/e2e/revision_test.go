package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/ecs"
)

func TestARevisionMovesOnlyTheService(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	p.up("dev")

	p.replace("Pulumi.dev.yaml", "replicas: 1", "replicas: 1\n      revision: 1")
	u := p.up("dev")
	require.Equal(t, []string{"Update aws:ecs/service:Service"}, u.changed())
	running := p.aws.service("slipway-dev")
	require.Equal(t, 1, running.Revision)
	require.Equal(t, "hello from dev", running.Environment["GREETING"])
	require.Equal(t, 1, p.state("dev").outputs().Services["web"].Revision)
	p.up("dev", "--expect-no-changes")
	require.Contains(t, p.ok("slipway", "status", "dev", "--exit-code").stdout,
		"services.web of dev: pinned to revision 1; newer revision 2 is registered and does not run: remove "+
			"services.web.revision to deploy it")
	p.refused([]string{"services.web of dev is pinned"}, "slipway", "promote", "dev", "release")

	p.replace("Pulumi.dev.yaml", "\n      revision: 1", "")
	u = p.up("dev")
	require.Equal(t, []string{"Update aws:ecs/service:Service"}, u.changed())
	require.Equal(t, 2, p.aws.service("slipway-dev").Revision)
	require.Equal(t, []string{"1 ACTIVE", "2 ACTIVE"}, p.aws.revisions("slipway-dev-web"))
}

func TestARevisionThatCannotRunIsRefused(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	p.up("dev")
	_, err := ecs.DeregisterTaskDefinition(p.aws.open(), "slipway-dev-web:1")
	require.NoError(t, err)

	p.replace("Pulumi.dev.yaml", "replicas: 1", "replicas: 1\n      revision: 1")
	for revision, says := range map[string]string{"revision: 1": "INACTIVE", "revision: 7": "slipway-dev-web:7"} {
		file := p.read("Pulumi.dev.yaml")
		p.replace("Pulumi.dev.yaml", "revision: 1", revision)
		u := p.tryUp("dev")
		require.NotZero(t, u.status)
		require.Contains(t, u.output, "services.web.revision (Pulumi.dev.yaml)")
		require.Contains(t, u.output, says)
		require.Empty(t, u.changed())
		p.write("Pulumi.dev.yaml", file)
	}
	require.Equal(t, 2, p.aws.service("slipway-dev").Revision)
}
