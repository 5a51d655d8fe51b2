package e2e

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/ecs"
	"slipway/sandbox/account/vpc"
)

// Who reaches a service comes into the account, leaves nothing to be done, and goes again.
func TestGroupsPrefixListsAndServicesReachAService(t *testing.T) {
	t.Parallel()
	const list = "pl-0123456789abcdef0"
	p := deployed(t)
	p.replace("Pulumi.dev.yaml", "  slipway:services:\n", "  slipway:services:\n    other: {image: web}\n")
	p.serviceKeys("allowFrom: ["+list+", "+vpc.DefaultSecurityGroup+", other, web]",
		"ports: [{port: 9090, allowFrom: [other]}]")
	p.refused([]string{"InvalidPrefixListID.NotFound: The prefix list ID '" + list + "' does not exist"}, upArgs("dev")...)

	p.write("sandbox.yaml", "prefixLists: ["+list+"]\n")
	output, err := p.aws.sandbox("seed", filepath.Join(p.dir, "sandbox.yaml")).CombinedOutput()
	require.NoError(t, err, string(output))
	p.up("dev")
	other, err := ecs.FindService(p.aws.open(), "slipway-dev", "other")
	require.NoError(t, err)
	web, group := p.aws.web().Settings.SecurityGroups[0], other.Settings.SecurityGroups[0]
	reach := func() (rules []string) {
		for _, rule := range p.aws.objects(vpc.SecurityGroupRule) {
			require.Equal(t, web, rule["securityGroupId"])
			rules = append(rules, fmt.Sprint(rule["fromPort"], " ", rule["sourceSecurityGroupId"], rule["prefixListIds"]))
		}
		return rules
	}
	require.ElementsMatch(t, []string{"8080 <nil> [" + list + "]", "8080 " + vpc.DefaultSecurityGroup + "<nil>",
		"8080 " + group + "<nil>", "8080 " + web + "<nil>", "9090 " + group + "<nil>"}, reach())
	p.settled("dev")

	// A service that calls this one has its rule already.
	p.serviceKeys("name: backend")
	p.replace("Pulumi.dev.yaml", "other: {image: web}", "other: {image: web, calls: [web]}")
	require.NotContains(t, p.up("dev").changed(), "Create aws:ec2/securityGroupRule:SecurityGroupRule")
	require.Len(t, reach(), 5)

	// A service that goes takes its rules with it.
	p.replace("Pulumi.dev.yaml", "    other: {image: web, calls: [web]}\n", "")
	p.withoutOptions()
	p.up("dev")
	require.Empty(t, p.aws.objects(vpc.SecurityGroupRule))
}
