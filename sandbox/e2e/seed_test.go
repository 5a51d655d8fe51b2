package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAStageInANetworkThatWasSeeded(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.serviceKeys("route: {hosts: [shop.example.org]}")
	p.stageKeys("slipway:network: {vpc: vpc-0123456789abcdef0, subnets: [subnet-0123456789abcdef2]}",
		"slipway:loadBalancer: {zone: example.org, subnets: [subnet-0123456789abcdef0, subnet-0123456789abcdef1]}")
	p.commit("A network of ours")
	p.refused([]string{"hostedZones: {example.org: ", "sandbox seed", "subnets:\n", "subnet-0123456789abcdef2: {cidr: "},
		"pulumi", "preview", "--stack", "dev", "--non-interactive")

	seed := filepath.Join(t.TempDir(), "sandbox.yaml")
	require.NoError(t, os.WriteFile(seed, []byte(`
vpcs:
  vpc-0123456789abcdef0:
    cidr: 10.0.0.0/16
    subnets:
      subnet-0123456789abcdef0: {cidr: 10.0.0.0/24, zone: a, public: true}
      subnet-0123456789abcdef1: {cidr: 10.0.1.0/24, zone: b, public: true}
      subnet-0123456789abcdef2: {cidr: 10.0.2.0/24, zone: a, nat: true}
hostedZones: {example.org: Z0123456789ABCDEFGHI}
`), 0o600))
	out, err := p.aws.sandbox("seed", seed).CombinedOutput()
	require.NoError(t, err, string(out))
	require.Equal(t, "VPC vpc-0123456789abcdef0 with 3 subnets\nhosted zone example.org\n", string(out))

	p.up("dev")
	require.Equal(t, 1, p.aws.service("slipway-dev").Running, "it reaches ECR by the NAT gateway, without an address of its own")
	require.Contains(t, p.ok("pulumi", "stack", "output", "services", "--stack", "dev").stdout, "https://shop.example.org/")
	p.ok("slipway", "verify", "dev")
	p.settled("dev")
}
