package stage

import (
	"regexp"
	"slices"
)

const mostSubnets = 16 // what ECS takes in a service's network configuration

var (
	vpcID    = regexp.MustCompile(`^vpc-[0-9a-f]{8,17}$`)
	subnetID = regexp.MustCompile(`^subnet-[0-9a-f]{8,17}$`)
)

func (c *checker) checkNetwork(network Network) {
	vpc, subnets := c.root.at("network", "vpc"), c.root.at("network", "subnets")
	if vpc.present && !vpcID.MatchString(network.VPC) {
		c.failAt(vpc, "is %q; write a VPC's id, as in vpc-0123456789abcdef0", network.VPC)
	}
	switch {
	case vpc.present && !subnets.present:
		c.failAt(vpc, "needs subnets beside it; write the ids of those that tasks run in, as network.subnets, "+
			"or remove vpc to use the default VPC")
	case subnets.present && !vpc.present:
		c.failAt(subnets, "needs vpc beside it; write the id of the VPC that they are in, as network.vpc, "+
			"or remove subnets to use the default VPC")
	case subnets.present && (len(network.Subnets) == 0 || len(network.Subnets) > mostSubnets):
		c.failAt(subnets, "has %d subnets; allowed: 1 to %d", len(network.Subnets), mostSubnets)
	}
	for i, subnet := range network.Subnets {
		path := at("network", "subnets", i)
		switch {
		case !subnetID.MatchString(subnet):
			c.fail(path, "is %q; write a subnet's id, as in subnet-0123456789abcdef0", subnet)
		case slices.Contains(network.Subnets[:i], subnet):
			c.fail(path, "is %s again; remove it", subnet)
		}
	}
}
