package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/ecr"
	"slipway/sandbox/account/ecs"
	"slipway/sandbox/account/iam"
	"slipway/sandbox/account/logs"
	"slipway/sandbox/account/vpc"
)

func TestDestroyKeepsImagesUntilToldOtherwise(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.refused([]string{"RepositoryNotEmptyException", "slipway-dev/web"}, destroyArgs("dev")...)
	require.Len(t, p.aws.images(), 1, "nothing is lost")
	r := p.refused([]string{"the last destroy failed", "services.web: ECS no longer has it: a destroy was under way"},
		"slipway", "status", "dev", "--exit-code")
	require.NotContains(t, r.output, "by hand")

	p.write("Pulumi.dev.yaml", p.read("Pulumi.dev.yaml")+"  slipway:repository:\n    forceDelete: true\n")
	p.up("dev")
	p.ok(destroyArgs("dev")...)
	require.Empty(t, p.aws.images())
	require.Equal(t, "1 ACTIVE", p.aws.revisions("slipway-dev-web")[0], "revisions stay")
	a := p.aws.open()
	for _, kind := range []string{ecs.Cluster, logs.LogGroup, ecr.Repository, iam.Role, iam.RolePolicy,
		vpc.SecurityGroup, vpc.SecurityGroupRule, ecr.LifecyclePolicy} {
		objects, err := a.Objects(kind)
		require.NoError(t, err)
		require.Empty(t, objects, kind)
	}
	require.Empty(t, p.state("dev").ofType("aws:ecs/service:Service"))
}
