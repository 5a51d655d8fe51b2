package verify

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"slipway/cmd/slipway/internal/exit"
	"slipway/internal/secretref"
)

// network is what EC2 says of the stage's VPC.
type network struct {
	vpc       string
	subnets   []subnet
	tables    []routeTable
	endpoints []endpoint
	publicIP  bool // tasks get public addresses
}

type subnet struct {
	ID     string `xml:"subnetId"`
	VPC    string `xml:"vpcId"`
	Public bool   `xml:"mapPublicIpOnLaunch"`
}

type routeTable struct {
	ID           string        `xml:"routeTableId"`
	Routes       []route       `xml:"routeSet>item"`
	Associations []association `xml:"associationSet>item"`
}

type association struct {
	Subnet string `xml:"subnetId"`
	Main   bool   `xml:"main"`
}

// route leads somewhere by one of its targets.
type route struct {
	To               string `xml:"destinationCidrBlock"`
	State            string `xml:"state"`
	Gateway          string `xml:"gatewayId"`
	NATGateway       string `xml:"natGatewayId"`
	TransitGateway   string `xml:"transitGatewayId"`
	Peering          string `xml:"vpcPeeringConnectionId"`
	NetworkInterface string `xml:"networkInterfaceId"` // an instance's, too
	CoreNetwork      string `xml:"coreNetworkArn"`
	LocalGateway     string `xml:"localGatewayId"`
}

type endpoint struct {
	Service    string   `xml:"serviceName"`
	Type       string   `xml:"vpcEndpointType"`
	State      string   `xml:"state"`
	PrivateDNS bool     `xml:"privateDnsEnabled"`
	Tables     []string `xml:"routeTableIdSet>item"`
}

// checkNetwork checks that tasks in each of the stage's subnets could pull their images.
func (v *verifier) checkNetwork() {
	if len(v.stage.TaskDefinitions()) == 0 || v.stage.Network.Uses != "" { // which may not be there yet
		return
	}
	v.pending = append(v.pending, func(ctx context.Context) []Check {
		where := v.stage.Where("network")
		found, err := v.readNetwork(ctx)
		if err != nil {
			return []Check{newCheck("network", where, "", err)}
		}
		var checks []Check
		if v.stage.Network.VPC == "" {
			for _, each := range found.subnets {
				said, err := found.wayOut(each, v.endpointsNeeded())
				checks = append(checks, newCheck("network", where, said, err))
			}
			return checks
		}
		for i, id := range v.stage.Network.Subnets {
			said, err := found.namedSubnet(id, v.endpointsNeeded())
			checks = append(checks, newCheck("network", v.stage.Where("network", "subnets", i), said, err))
		}
		return checks
	})
}

// readNetwork finds the network as the program does, and what decides where packets from it go.
func (v *verifier) readNetwork(ctx context.Context) (*network, error) {
	found := &network{vpc: v.stage.Network.VPC, publicIP: true}
	ofSubnets := filter(1, "subnet-id", v.stage.Network.Subnets...)
	if found.vpc == "" {
		var vpcs struct {
			IDs []string `xml:"vpcSet>item>vpcId"`
		}
		if err := v.Query.Call(ctx, "ec2", "DescribeVpcs", filter(1, "is-default", "true"), &vpcs); err != nil {
			return nil, err
		}
		if len(vpcs.IDs) == 0 {
			return nil, exit.Refuse("this account and region have no default VPC: name the network with network.vpc and " +
				"network.subnets")
		}
		found.vpc = vpcs.IDs[0]
		ofSubnets = filter(1, "vpc-id", found.vpc)
		maps.Copy(ofSubnets, filter(2, "default-for-az", "true"))
	}
	var answer struct { // each call fills one
		Subnets   []subnet     `xml:"subnetSet>item"`
		Tables    []routeTable `xml:"routeTableSet>item"`
		Endpoints []endpoint   `xml:"vpcEndpointSet>item"`
	}
	for _, action := range []string{"DescribeSubnets", "DescribeRouteTables", "DescribeVpcEndpoints"} {
		of := filter(1, "vpc-id", found.vpc)
		if action == "DescribeSubnets" {
			of = ofSubnets
		}
		if err := v.Query.Call(ctx, "ec2", action, of, &answer); err != nil {
			return nil, err
		}
	}
	found.subnets, found.tables, found.endpoints = answer.Subnets, answer.Tables, answer.Endpoints
	if v.stage.Network.VPC == "" && len(found.subnets) == 0 {
		return nil, exit.Refuse("the default VPC %s has no default subnets: name others with network.vpc and network.subnets",
			found.vpc)
	}
	for _, each := range found.subnets {
		found.publicIP = found.publicIP && (each.Public || v.stage.Network.VPC == "")
	}
	if assigned := v.stage.Network.AssignPublicIP; assigned != nil {
		found.publicIP = *assigned
	}
	return found, nil
}

// filter is the number-th filter of a request to EC2.
func filter(number int, name string, values ...string) url.Values {
	form := url.Values{fmt.Sprintf("Filter.%d.Name", number): {name}}
	for i, value := range values {
		form.Set(fmt.Sprintf("Filter.%d.Value.%d", number, i+1), value)
	}
	return form
}

// endpointsNeeded are those that tasks need where nothing else leads out of their VPC
// (https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html).
func (v *verifier) endpointsNeeded() []string {
	needed := []string{"ecr.api", "ecr.dkr", "logs", "s3"}
	for _, user := range v.stage.TaskDefinitions() {
		for _, secret := range v.stage.TaskDefinition(user).AllSecrets() {
			if secret.ARN != "" && secretref.IsParameter(secret.ARN) {
				needed = append(needed, "ssm")
			} else {
				needed = append(needed, "secretsmanager")
			}
		}
	}
	slices.Sort(needed)
	return slices.Compact(needed)
}

func (n *network) namedSubnet(id string, needed []string) (string, error) {
	i := slices.IndexFunc(n.subnets, func(s subnet) bool { return s.ID == id })
	switch {
	case i < 0:
		return "", exit.Refuse("there is no subnet %s: name subnets of this account and region", id)
	case n.subnets[i].VPC != n.vpc:
		return "", exit.Refuse("%s belongs to %s, not to %s: name subnets of that VPC", id, n.subnets[i].VPC, n.vpc)
	}
	return n.wayOut(n.subnets[i], needed)
}

// wayOut finds how tasks in a subnet reach ECR.
func (n *network) wayOut(from subnet, needed []string) (string, error) {
	table := n.tableOf(from.ID)
	if table == nil {
		return "", exit.Refuse("%s has no route table, nor has its VPC a main one: give it one", from.ID)
	}
	problem := fmt.Sprintf("the route table %s of %s leads nowhere outside", table.ID, from.ID)
	for _, route := range table.Routes {
		target := route.target()
		switch {
		case route.To != "0.0.0.0/0":
		case route.State == "blackhole":
			problem = fmt.Sprintf("the route of %s to the outside (%s in %s) leads to what is gone", from.ID, target, table.ID)
		case strings.HasPrefix(target, "igw-") && !n.publicIP:
			problem = fmt.Sprintf("%s leads outside by the internet gateway %s, which takes tasks with public addresses only, "+
				"and they get none (network.assignPublicIp)", from.ID, target)
		default:
			return fmt.Sprintf("tasks in %s reach ECR by %s", from.ID, target), nil
		}
	}
	missing := n.missingEndpoints(table.ID, needed)
	if len(missing) == 0 {
		return fmt.Sprintf("tasks in %s reach ECR by the endpoints of %s", from.ID, n.vpc), nil
	}
	return "", exit.Refuse("%s, and %s has no endpoint for %s: give the subnet a route to a NAT gateway (or to an "+
		"internet gateway, with network.assignPublicIp: true), or the VPC these endpoints, or name other subnets", problem,
		n.vpc, strings.Join(missing, ", "))
}

// tableOf is the route table of a subnet: its own, or the main one of the VPC.
func (n *network) tableOf(subnet string) (found *routeTable) {
	for i := range n.tables {
		for _, association := range n.tables[i].Associations {
			if association.Subnet == subnet {
				return &n.tables[i]
			}
			if association.Main {
				found = &n.tables[i]
			}
		}
	}
	return found
}

// target is where a route leads to.
func (r route) target() string {
	return cmp.Or(r.Gateway, r.NATGateway, r.TransitGateway, r.Peering, r.NetworkInterface, r.CoreNetwork, r.LocalGateway,
		"another target")
}

// missingEndpoints are those of the needed services that a VPC does not have for a route table.
func (n *network) missingEndpoints(table string, needed []string) (missing []string) {
	for _, service := range needed {
		there := slices.ContainsFunc(n.endpoints, func(e endpoint) bool {
			if !strings.HasSuffix(e.Service, "."+service) || !strings.EqualFold(e.State, "available") {
				return false
			}
			if service == "s3" { // where ECR keeps the layers
				return e.Type == "Gateway" && slices.Contains(e.Tables, table)
			}
			return e.Type == "Interface" && e.PrivateDNS
		})
		if !there {
			missing = append(missing, service)
		}
	}
	return missing
}
