package components

import (
	"maps"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/internal/awslimits"
)

// securityGroup decides what reaches tasks or a load balancer. What it admits are resources of their own: an inline
// rule that disappears from a program stays in the security group.
type securityGroup struct {
	pulumi.CustomResourceState
}

type securityGroupRule struct {
	pulumi.CustomResourceState
}

// everywhere is an inline rule that lets through what goes out, to any address and port.
var everywhere = pulumi.Array{pulumi.Map{
	"protocol":       pulumi.String("-1"), // all, on every port
	"fromPort":       pulumi.Int(0),
	"toPort":         pulumi.Int(0),
	"cidrBlocks":     pulumi.ToStringArray([]string{"0.0.0.0/0"}),
	"ipv6CidrBlocks": pulumi.ToStringArray([]string{"::/0"}),
}}

// newSecurityGroup declares a security group that admits nothing. egress may be nil: then nothing goes out, either.
func newSecurityGroup(ctx *pulumi.Context, name, description string, network *Network, tags map[string]string,
	egress pulumi.Array, parent pulumi.ResourceOption) (*securityGroup, error) {
	group := &securityGroup{}
	properties := pulumi.Map{
		"description": pulumi.String(description),
		"vpcId":       network.vpc(),
		"tags":        pulumi.ToStringMap(tags),
	}
	if egress != nil {
		properties["egress"] = egress
	}
	return group, ctx.RegisterResource("aws:ec2/securityGroup:SecurityGroup", name, properties, group,
		parent, awsPackageVersion)
}

// admit opens a TCP port to ranges of addresses, prefix lists and security groups, by a rule for each.
func (g *securityGroup) admit(ctx *pulumi.Context, name string, port int, peers []string,
	parent pulumi.ResourceOption) ([]pulumi.Resource, error) {
	var rules []pulumi.Resource
	for _, peer := range peers {
		rule, err := g.newRule(ctx, name+"-from-"+peer, "ingress", port, from(peer), parent)
		if err != nil {
			return nil, err
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

// from names a range of addresses, a prefix list or a security group as the other side of a rule.
func from(peer string) pulumi.Map {
	key := "cidrBlocks"
	switch {
	case awslimits.SecurityGroupID.MatchString(peer):
		return pulumi.Map{"sourceSecurityGroupId": pulumi.String(peer)}
	case awslimits.PrefixListID.MatchString(peer):
		key = "prefixListIds"
	case strings.Contains(peer, ":"):
		key = "ipv6CidrBlocks"
	}
	return pulumi.Map{key: pulumi.ToStringArray([]string{peer})}
}

// newRule lets TCP through at one port, in ("ingress") or out ("egress"); other names the other side. One at another
// port stands beside the earlier one, so that the port of a service is not shut before its tasks at the other one are
// there.
func (g *securityGroup) newRule(ctx *pulumi.Context, name, direction string, port int, other pulumi.Map,
	parent pulumi.ResourceOption) (pulumi.Resource, error) {
	inPulumi, standing := besideEarlier(name, strconv.Itoa(port), parent)
	return g.register(ctx, inPulumi, direction, "tcp", port, other, standing)
}

func (g *securityGroup) register(ctx *pulumi.Context, name, direction, protocol string, port int, other pulumi.Map,
	options []pulumi.ResourceOption) (pulumi.Resource, error) {
	rule := &securityGroupRule{}
	properties := pulumi.Map{
		"type":            pulumi.String(direction),
		"securityGroupId": g.ID(),
		"protocol":        pulumi.String(protocol),
		"fromPort":        pulumi.Int(port),
		"toPort":          pulumi.Int(port),
	}
	maps.Copy(properties, other)
	return rule, ctx.RegisterResource("aws:ec2/securityGroupRule:SecurityGroupRule", name, properties, rule,
		append(options, awsPackageVersion)...)
}
