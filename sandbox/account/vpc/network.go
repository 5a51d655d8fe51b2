// Package vpc is the account's one network of EC2, with its security groups.
package vpc

import (
	"slices"

	"slipway/sandbox/account"
)

// DefaultVPC is the one network of the account.
const DefaultVPC = "vpc-b0e3b2954b1e52c9d"

// DefaultVPCRange holds every address in it, and DefaultSecurityGroup is the group of what is given none.
const (
	DefaultVPCRange      = "172.31.0.0/16"
	DefaultSecurityGroup = "sg-903004f88d1c2e5a7"
)

// MainRouteTable leads everything to the internet gateway; PrivateRouteTable leads nowhere outside, and is that of the
// subnets that the fault no-route names.
const (
	MainRouteTable    = "rtb-1fa49c898722c46b0"
	PrivateRouteTable = "rtb-7c2d40b6a9e815f33"
	InternetGateway   = "igw-5e0b7a19d4c3862f1"
)

// PrivateSubnets are those that have no way out.
func PrivateSubnets(a *account.Account) (private []Subnet, err error) {
	faults, err := a.Faults()
	for _, subnet := range Subnets {
		if account.Wildcard(faults[account.NoRoute], subnet.ID) {
			private = append(private, subnet)
		}
	}
	return private, err
}

// Subnet is one subnet of the default VPC. All of them are public: a task in one of them needs a public address to
// reach anything outside.
type Subnet struct {
	ID, CIDR string
	Zone     string // the letter after the region's name
}

// Subnets are the default VPC's subnets, one per availability zone.
var Subnets = []Subnet{
	{"subnet-d57981d3361b4f92b", "172.31.0.0/20", "a"},
	{"subnet-b2465a8d4f0ff03f8", "172.31.16.0/20", "b"},
	{"subnet-288b101f94a1b789c", "172.31.32.0/20", "c"},
	{"subnet-c4257ddbe2ff7785e", "172.31.48.0/20", "d"},
}

// FindSubnet returns the subnet with this id, or nil.
func FindSubnet(id string) *Subnet {
	i := slices.IndexFunc(Subnets, func(s Subnet) bool { return s.ID == id })
	if i < 0 {
		return nil
	}
	return &Subnets[i]
}
