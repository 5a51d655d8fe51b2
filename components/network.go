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
	// VPC is the id of the VPC, Subnets are those of the subnets in it. They are empty where the program hands them over.
	VPC     string
	Subnets []string
	// AssignPublicIP gives every task a public address.
	AssignPublicIP bool

	// zones are the availability zones of the subnets, by subnet; public is set where all of them hand out public
	// addresses.
	zones  map[string]string
	public bool
	// handedOver is the program's own VPC, nil for one that is there already.
	handedOver *NetworkHandover
}

// vpc is the id of the VPC, and subnets are those of the tasks' subnets, as properties of resources.
func (n *Network) vpc() pulumi.StringOutput {
	if n.handedOver != nil {
		return n.handedOver.VPC.ToStringOutput()
	}
	return pulumi.String(n.VPC).ToStringOutput()
}

func (n *Network) subnets() pulumi.StringArrayOutput {
	if n.handedOver != nil {
		return n.handedOver.Subnets.ToStringArrayOutput()
	}
	return pulumi.ToStringArray(n.Subnets).ToStringArrayOutput()
}

// loadBalancerSubnets are those of the stage's own load balancer.
func (n *Network) loadBalancerSubnets(ingress *ingressLookup) pulumi.StringArrayInput {
	switch {
	case n.handedOver == nil:
		return pulumi.ToStringArray(ingress.Subnets)
	case n.handedOver.LoadBalancerSubnets != nil && !ingress.Second: // which is in those of the tasks
		return n.handedOver.LoadBalancerSubnets
	}
	return n.handedOver.Subnets
}

// lookupNetwork finds the default VPC and its subnets, unless the stage names others. Tasks get public
// addresses where every subnet hands them out, unless the stage says otherwise: without one, a task in
// a public subnet cannot pull its image.
func lookupNetwork(ctx *pulumi.Context, in *stage.Stage) (*Network, error) {
	settings := in.Network
	network := &Network{VPC: settings.VPC, Subnets: settings.Subnets, zones: map[string]string{}, public: true}
	if settings.Uses != "" { // nothing of it may be there yet
		network.AssignPublicIP = *settings.AssignPublicIP
		return network, nil
	}
	if network.VPC == "" {
		if err := network.useDefaultVPC(ctx, in); err != nil {
			return nil, err
		}
	} else if err := network.askSubnets(ctx, in); err != nil {
		return nil, err
	}
	network.AssignPublicIP = network.public
	if settings.AssignPublicIP != nil {
		network.AssignPublicIP = *settings.AssignPublicIP
	}
	return network, nil
}

// askSubnets finds out whether the subnets that the stage names exist, and hand out public addresses.
func (n *Network) askSubnets(ctx *pulumi.Context, in *stage.Stage) error {
	var mistakes []error
	for i, id := range n.Subnets {
		subnet, err := lookupSubnet(ctx, id, n.VPC)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %w", in.Where("network", "subnets", i), err))
			continue
		}
		n.public = n.public && subnet.MapPublicIPOnLaunch
		n.zones[id] = subnet.Zone
	}
	return errors.Join(mistakes...)
}

type subnet struct {
	MapPublicIPOnLaunch bool   `pulumi:"mapPublicIpOnLaunch"`
	VPC                 string `pulumi:"vpcId"`
	Zone                string `pulumi:"availabilityZone"`
}

func lookupSubnet(ctx *pulumi.Context, id, vpc string) (found subnet, err error) {
	args := struct {
		ID string `pulumi:"id"`
	}{id}
	if err := ctx.Invoke("aws:ec2/getSubnet:getSubnet", &args, &found, awsPackageVersion); err != nil {
		return found, fmt.Errorf("%s cannot be read: name subnets of this account and region: %w", id, err)
	}
	if found.VPC != vpc {
		return found, fmt.Errorf("%s belongs to %s, not to %s: name subnets of that VPC", id, found.VPC, vpc)
	}
	return found, nil
}

func (n *Network) useDefaultVPC(ctx *pulumi.Context, in *stage.Stage) error {
	where := in.Where("network")
	var found struct {
		ID string `pulumi:"id"`
	}
	byDefault := struct {
		Default bool `pulumi:"default"`
	}{true}
	if err := ctx.Invoke("aws:ec2/getVpc:getVpc", &byDefault, &found, awsPackageVersion); err != nil {
		return fmt.Errorf("%s: this account and region have no default VPC; "+
			"name the network with network.vpc and network.subnets: %w", where, err)
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
		return fmt.Errorf("%s: reading the subnets of the default VPC %s: %w", where, n.VPC, err)
	}
	if len(subnets.IDs) == 0 {
		return fmt.Errorf("%s: the default VPC has no default subnets; name others with network.vpc and network.subnets", where)
	}
	n.Subnets = subnets.IDs
	for _, id := range n.Subnets {
		n.zones[id] = id // an availability zone has one default subnet
	}
	return nil
}
