package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAProjectOfAnotherNameHasItsKeysUnderSlipway(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.replace("Pulumi.yaml", "name: slipway\n", "name: shop\n")
	p.commit("A shop")
	p.ok("pulumi", "stack", "init", "dev")
	p.ok("pulumi", "stack", "init", "release")
	p.up("dev")
	require.Equal(t, "hello from dev", p.aws.service("shop-dev").Environment["GREETING"])

	p.ok("slipway", "promote", "dev", "release")
	require.Contains(t, p.read("Pulumi.release.yaml"), "\n  slipway:images:\n")
	p.commit("Promote")
	p.up("release").builtNothing()
	require.Contains(t, p.run("slipway", "diff", "dev", "release").output, "All else is equal in dev and release.")

	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	p.commit("Greet again")
	require.Contains(t, p.ok("slipway", "preview", "dev").output, "GREETING")
	p.up("dev")
	require.Contains(t, p.ok("slipway", "history", "dev").output, "services.web.environment.GREETING")
	p.ok("slipway", "rollback", "dev", "--pin")
	p.up("dev").builtNothing()
	require.Equal(t, "hello from dev", p.aws.service("shop-dev").Environment["GREETING"])
	require.Contains(t, p.read("Pulumi.dev.yaml"), "revision: 1")
	p.ok("slipway", "verify", "dev")

	p.replace("Pulumi.dev.yaml", "  slipway:environment:", "  shop:environment:")
	p.refused([]string{"shop:environment (Pulumi.dev.yaml)", "write slipway:environment"}, upArgs("dev")...)
}
