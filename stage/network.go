package stage

import (
	"slices"

	"slipway/internal/awslimits"
)

// Network is where tasks run: in the default VPC when VPC is empty.
type Network struct {
	// VPC is the VPC of the subnets.
	//
	// Default: none; the region's default VPC
	// Allowed: the id of a VPC, together with `network.subnets`
	// Example: vpc: vpc-0123456789abcdef0
	// Rule: [ECS AwsVpcConfiguration](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AwsVpcConfiguration.html)
	VPC string `json:"vpc" outputs:"text"`

	// Subnets are the subnets that tasks run in.
	//
	// Default: none; those of the default VPC
	// Allowed: the ids of 1 to 16 subnets, each once, together with `network.vpc`
	// Example: subnets: [subnet-0123456789abcdef0, subnet-0123456789abcdef1]
	// Rule: [ECS AwsVpcConfiguration](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AwsVpcConfiguration.html)
	Subnets []string `json:"subnets" outputs:"text"`

	// Uses names a network that the team's own program hands over
	// ([how](operations.md#-use-a-queue-or-a-database-of-my-own)).
	//
	// Default: none
	// Allowed: the name of one of the program's hand-overs, with `network.assignPublicIp` beside it, as nobody can look
	// at subnets that are yet to be made; without `network.vpc`, `network.subnets` and the load balancers' `subnets`
	// Example: uses: network
	// Rule: [ECS AwsVpcConfiguration](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AwsVpcConfiguration.html)
	Uses string `json:"uses"`

	// AssignPublicIP tells whether tasks have a public address. In a public subnet they need one to pull their image,
	// unless the VPC has endpoints for that.
	//
	// Default: none; `true` in public subnets
	// Example: assignPublicIp: true
	// Rule: [Fargate task networking](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-networking.html)
	AssignPublicIP *bool `json:"assignPublicIp"`
}

func (c *checker) checkNetwork(network Network) {
	vpc, subnets := c.at("network", "vpc"), c.at("network", "subnets")
	vpc.expect(awslimits.VPCID.MatchString(network.VPC), network.VPC, "a VPC's id, as in vpc-0123456789abcdef0")
	switch {
	case vpc.present && !subnets.present && !subnets.bad:
		vpc.fail("needs subnets beside it; write the ids of those that tasks run in, as network.subnets, " +
			"or remove vpc to use the default VPC")
	case subnets.present && !vpc.present && !vpc.bad:
		subnets.fail("needs vpc beside it; write the id of the VPC that they are in, as network.vpc, " +
			"or remove subnets to use the default VPC")
	case subnets.present && (len(network.Subnets) == 0 || len(network.Subnets) > awslimits.ServiceSubnets):
		subnets.fail("has %d subnets; allowed: 1 to %d", len(network.Subnets), awslimits.ServiceSubnets)
	}
	checkSubnets(subnets, network.Subnets)
	c.checkNetworkUses(network)
}

// checkNetworkUses checks a network that the program hands over.
func (c *checker) checkNetworkUses(network Network) {
	uses, public := c.at("network", "uses"), c.at("network", "assignPublicIp")
	uses.expect(handoverName.MatchString(network.Uses), network.Uses,
		"the name of one of the program's hand-overs: 1 to 64 letters, digits, - and _")
	if !uses.present {
		return
	}
	if !public.present && !public.bad {
		uses.fail("needs assignPublicIp beside it: write true where the subnets are public, so that tasks can pull their " +
			"images, or false")
	}
	for _, other := range []place{c.at("network", "vpc"), c.at("network", "subnets"), c.at("loadBalancer", "subnets"),
		c.at(internalLoadBalancerKey, "subnets")} {
		if other.present {
			other.fail("cannot be combined with network.uses: the program hands the network over; remove one of them")
			break
		}
	}
}

func checkSubnets(here place, subnets []string) {
	for i, subnet := range subnets {
		switch {
		case !awslimits.SubnetID.MatchString(subnet):
			here.at(i).fail("is %q; write a subnet's id, as in subnet-0123456789abcdef0", subnet)
		case slices.Contains(subnets[:i], subnet):
			here.at(i).fail("duplicates %s; remove it", subnet)
		}
	}
}
