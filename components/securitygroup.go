package components

import (
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/stage"
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

// admitRanges opens a TCP port to ranges of addresses, by a rule for each.
func (g *securityGroup) admitRanges(ctx *pulumi.Context, name string, port int, ranges []string,
	parent pulumi.ResourceOption) ([]pulumi.Resource, error) {
	var rules []pulumi.Resource
	for _, prefix := range ranges {
		rule, err := g.newRule(ctx, name+"-from-"+prefix, "ingress", port, fromRange(prefix), parent)
		if err != nil {
			return nil, err
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

// admitPorts opens the further ports of containers to whom each says.
func (g *securityGroup) admitPorts(ctx *pulumi.Context, name string, containers map[string]stage.Container,
	parent pulumi.ResourceOption) (rules []pulumi.Resource, err error) {
	for _, container := range sortedKeys(containers) {
		for _, port := range containers[container].SortedPorts() {
			for _, prefix := range port.AllowFrom {
				rule, err := g.register(ctx, fmt.Sprintf("%s-%d-%s-from-%s", name, port.Port, port.Protocol, prefix), "ingress",
					port.Protocol, port.Port, fromRange(prefix), []pulumi.ResourceOption{parent})
				if err != nil {
					return nil, err
				}
				rules = append(rules, rule)
			}
		}
	}
	return rules, nil
}

// fromRange names a range of addresses as the other side of a rule.
func fromRange(prefix string) pulumi.Map {
	family := "cidrBlocks"
	if strings.Contains(prefix, ":") {
		family = "ipv6CidrBlocks"
	}
	return pulumi.Map{family: pulumi.ToStringArray([]string{prefix})}
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
