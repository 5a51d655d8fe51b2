// Package vpc is the account's networks of EC2, with its security groups.
package vpc

import (
	"slices"

	"slipway/sandbox/account"
)

// DefaultVPC is the network that every account has.
const DefaultVPC = "vpc-b0e3b2954b1e52c9d"

// DefaultVPCRange holds every address in it, and DefaultSecurityGroup is the group of what is given none.
const (
	DefaultVPCRange      = "172.31.0.0/16"
	DefaultSecurityGroup = "sg-903004f88d1c2e5a7"
)

// MainRouteTable leads everything to the internet gateway, NATRouteTable to a NAT gateway. PrivateRouteTable leads
// nowhere outside; it is also that of the subnets that the fault no-route names.
const (
	MainRouteTable    = "rtb-1fa49c898722c46b0"
	PrivateRouteTable = "rtb-7c2d40b6a9e815f33"
	NATRouteTable     = "rtb-3b91f7d20ce648a15"
	NATGateway        = "nat-0a4c7e19d35b8f626"
	InternetGateway   = "igw-5e0b7a19d4c3862f1"
)

// VPC is a network. Every account has the default one, and others by a seed.
type VPC struct {
	ID, CIDR string
	Subnets  []Subnet
}

// IsDefault tells the default VPC from others.
func (v VPC) IsDefault() bool { return v.ID == DefaultVPC }

// Subnet is one subnet of a VPC.
type Subnet struct {
	ID, CIDR string
	Zone     string // the letter after the region's name
	// Public subnets lead to the internet gateway, and give tasks public addresses by default: without one, a task there
	// reaches nothing outside.
	Public bool
	// NAT leads what has no public address outside, too.
	NAT bool
	VPC string
}

// Subnets are the default VPC's subnets, one per availability zone.
var Subnets = []Subnet{
	{ID: "subnet-d57981d3361b4f92b", CIDR: "172.31.0.0/20", Zone: "a", Public: true, VPC: DefaultVPC},
	{ID: "subnet-b2465a8d4f0ff03f8", CIDR: "172.31.16.0/20", Zone: "b", Public: true, VPC: DefaultVPC},
	{ID: "subnet-288b101f94a1b789c", CIDR: "172.31.32.0/20", Zone: "c", Public: true, VPC: DefaultVPC},
	{ID: "subnet-c4257ddbe2ff7785e", CIDR: "172.31.48.0/20", Zone: "d", Public: true, VPC: DefaultVPC},
}

// kind is that of the VPCs beside the default one, by their ids.
const kind = "vpc"

// Seed puts a VPC into the account, in place of one of its id.
func Seed(t *account.Tx, v VPC) { account.Put(t, kind, v.ID, v) }

// All are the account's VPCs, the default one first.
func All(t *account.Tx) []VPC {
	all := []VPC{{ID: DefaultVPC, CIDR: DefaultVPCRange, Subnets: Subnets}}
	for _, seeded := range account.List[VPC](t, kind) {
		all = append(all, *seeded)
	}
	return all
}

// Networks is All outside of a transaction.
func Networks(a *account.Account) (all []VPC, err error) {
	err = a.Transact(func(t *account.Tx) error {
		all = All(t)
		return nil
	})
	return all, err
}

// Has reports whether a VPC exists.
func Has(t *account.Tx, id string) bool {
	return slices.ContainsFunc(All(t), func(v VPC) bool { return v.ID == id })
}

// FindSubnet returns the subnet with this id, or nil.
func FindSubnet(t *account.Tx, id string) *Subnet {
	for _, each := range All(t) {
		for _, subnet := range each.Subnets {
			if subnet.ID == id {
				return &subnet
			}
		}
	}
	return nil
}

// NoRoute tells whether a subnet's route table leads nowhere outside: the fault no-route says so of any.
func (s Subnet) NoRoute(faults map[string]string) bool {
	return account.Wildcard(faults[account.NoRoute], s.ID) || !s.Public && !s.NAT
}
