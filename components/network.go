package components

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/stage"
)

// Security groups, VPCs and subnets are in the AWS SDK's ec2 package, which costs more to compile than
// everything else in this program together. Its few types that are needed here are registered and
// invoked by their tokens instead.

// awsSDKVersion is that of pulumi-aws/sdk/v6 in go.mod.
const awsSDKVersion = "6.83.0"

// awsPackageVersion makes these calls share the AWS provider of the SDK's own calls.
var awsPackageVersion = pulumi.Version(awsSDKVersion)

// Network is where a stage's tasks run.
type Network struct {
	// VPC is the id of the VPC, Subnets are those of the subnets in it.
	VPC     string
	Subnets []string
	// AssignPublicIP gives every task a public address.
	AssignPublicIP bool
}

// LookupNetwork finds the default VPC and its subnets, unless the stage names others. Tasks get public
// addresses where every subnet hands them out, unless the stage says otherwise: without one, a task in
// a public subnet cannot pull its image.
func LookupNetwork(ctx *pulumi.Context, settings stage.Network) (*Network, error) {
	network := &Network{VPC: settings.VPC, Subnets: settings.Subnets, AssignPublicIP: true}
	if network.VPC == "" {
		if err := network.useDefaultVPC(ctx); err != nil {
			return nil, err
		}
	} else if err := network.askSubnets(ctx); err != nil {
		return nil, err
	}
	if settings.AssignPublicIP != nil {
		network.AssignPublicIP = *settings.AssignPublicIP
	}
	return network, nil
}

// askSubnets finds out whether the subnets that the stage names exist, and hand out public addresses.
func (n *Network) askSubnets(ctx *pulumi.Context) error {
	for _, id := range n.Subnets {
		var subnet struct {
			MapPublicIPOnLaunch bool   `pulumi:"mapPublicIpOnLaunch"`
			VPC                 string `pulumi:"vpcId"`
		}
		args := struct {
			ID string `pulumi:"id"`
		}{id}
		if err := ctx.Invoke("aws:ec2/getSubnet:getSubnet", &args, &subnet, awsPackageVersion); err != nil {
			return fmt.Errorf("network.subnets: %s cannot be read: name subnets of this account and region: %w", id, err)
		}
		if subnet.VPC != n.VPC {
			return fmt.Errorf("network.subnets: %s belongs to %s, not to %s: name subnets of network.vpc", id, subnet.VPC, n.VPC)
		}
		n.AssignPublicIP = n.AssignPublicIP && subnet.MapPublicIPOnLaunch
	}
	return nil
}

func (n *Network) useDefaultVPC(ctx *pulumi.Context) error {
	var found struct {
		ID string `pulumi:"id"`
	}
	byDefault := struct {
		Default bool `pulumi:"default"`
	}{true}
	if err := ctx.Invoke("aws:ec2/getVpc:getVpc", &byDefault, &found, awsPackageVersion); err != nil {
		return fmt.Errorf("network: this account and region have no default VPC; "+
			"name the network with network.vpc and network.subnets: %w", err)
	}
	n.VPC = found.ID

	type filter struct {
		Name   string   `pulumi:"name"`
		Values []string `pulumi:"values"`
	}
	// Only the default subnets: a private subnet that somebody added cannot reach ECR by itself.
	inVPC := struct {
		Filters []filter `pulumi:"filters"`
	}{[]filter{{"vpc-id", []string{n.VPC}}, {"default-for-az", []string{"true"}}}}
	var subnets struct {
		IDs []string `pulumi:"ids"`
	}
	if err := ctx.Invoke("aws:ec2/getSubnets:getSubnets", &inVPC, &subnets, awsPackageVersion); err != nil {
		return fmt.Errorf("network: reading the subnets of the default VPC %s: %w", n.VPC, err)
	}
	if len(subnets.IDs) == 0 {
		return errors.New("network: the default VPC has no default subnets; name others with network.vpc and network.subnets")
	}
	n.Subnets = subnets.IDs
	return nil
}

type securityGroup struct {
	pulumi.CustomResourceState
}

type securityGroupRule struct {
	pulumi.CustomResourceState
}

// newSecurityGroup lets tasks reach everything and admits only what allowFrom names. What it admits are resources of
// their own: an inline rule that disappears from a program stays in the security group.
func newSecurityGroup(ctx *pulumi.Context, name, description string, network *Network, port int, allowFrom []string,
	opts ...pulumi.ResourceOption,
) (*securityGroup, []pulumi.Resource, error) {
	group := &securityGroup{}
	err := ctx.RegisterResource("aws:ec2/securityGroup:SecurityGroup", name, pulumi.Map{
		"description": pulumi.String(description),
		"vpcId":       pulumi.String(network.VPC),
		"egress": pulumi.Array{pulumi.Map{
			"protocol":       pulumi.String("-1"), // all, on every port
			"fromPort":       pulumi.Int(0),
			"toPort":         pulumi.Int(0),
			"cidrBlocks":     pulumi.ToStringArray([]string{"0.0.0.0/0"}),
			"ipv6CidrBlocks": pulumi.ToStringArray([]string{"::/0"}),
		}},
	}, group, append(opts, awsPackageVersion)...)
	if err != nil {
		return nil, nil, err
	}
	var rules []pulumi.Resource
	for _, prefix := range allowFrom {
		ranges := "cidrBlocks"
		if isIPv6(prefix) {
			ranges = "ipv6CidrBlocks"
		}
		rule := &securityGroupRule{}
		err := ctx.RegisterResource("aws:ec2/securityGroupRule:SecurityGroupRule", name+"-from-"+prefix, pulumi.Map{
			"type":            pulumi.String("ingress"),
			"securityGroupId": group.ID(),
			"protocol":        pulumi.String("tcp"),
			"fromPort":        pulumi.Int(port),
			"toPort":          pulumi.Int(port),
			ranges:            pulumi.ToStringArray([]string{prefix}),
		}, rule, append(opts, awsPackageVersion)...)
		if err != nil {
			return nil, nil, err
		}
		rules = append(rules, rule)
	}
	return group, rules, nil
}
