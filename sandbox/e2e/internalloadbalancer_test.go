package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/elb"
	"slipway/sandbox/account/vpc"
)

// One service is reached from outside, another from within the VPC alone, each by a load balancer of the stage.
func TestASecondLoadBalancerIsInternal(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("route: {}")
	p.up("dev")
	public := p.aws.object(elb.LoadBalancer)["arn"]

	p.replace("Pulumi.dev.yaml", "  slipway:services:\n", "  slipway:internalLoadBalancer: {allowFrom: [10.0.0.0/8]}\n"+
		"  slipway:services:\n    admin: {image: web, port: 8080, route: {internal: true}}\n")
	u := p.up("dev")
	u.builtNothing()
	balancers := map[bool]account.Object{}
	for _, balancer := range p.aws.objects(elb.LoadBalancer) {
		balancers[balancer["internal"].(bool)] = balancer
	}
	require.Len(t, balancers, 2)
	require.Equal(t, public, balancers[false]["arn"], "the first one stays")
	inside := balancers[true]
	require.Contains(t, inside["name"], "slipway-dev-internal-")
	outputs := p.state("dev").outputs()
	require.Equal(t, "http://"+inside["dnsName"].(string)+"/", outputs.Services["admin"].URL)
	require.Equal(t, "http://"+balancers[false]["dnsName"].(string)+"/", outputs.Services["web"].URL)

	// Private ranges reach it, and it reaches the tasks of admin alone.
	group := inside["securityGroups"].([]any)[0]
	var rules []string
	for _, rule := range p.aws.objects(vpc.SecurityGroupRule) {
		switch {
		case rule["securityGroupId"] == group && rule["type"] == "ingress":
			rules = append(rules, "from "+rule["cidrBlocks"].([]any)[0].(string))
		case rule["securityGroupId"] == group:
			rules = append(rules, "to "+rule["sourceSecurityGroupId"].(string))
		}
	}
	require.Len(t, rules, 2)
	require.Contains(t, rules, "from 10.0.0.0/8")

	p.up("dev", "--expect-no-changes")
	require.Empty(t, p.up("dev", "--refresh", "--expect-no-changes").changed())

	// A service moves from one to the other, and back to one load balancer.
	p.replace("Pulumi.dev.yaml", "    admin: {image: web, port: 8080, route: {internal: true}}\n",
		"    admin: {image: web, port: 8080, route: {paths: [/admin]}}\n")
	p.up("dev")
	require.Len(t, p.aws.objects(elb.LoadBalancer), 1)
	require.Equal(t, public, p.aws.object(elb.LoadBalancer)["arn"])
	require.Len(t, p.aws.objects(elb.TargetGroup), 2)
	p.settled("dev")
}
