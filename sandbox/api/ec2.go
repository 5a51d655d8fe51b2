package api

import (
	"fmt"
	"net/url"
	"slices"

	"slipway/sandbox/account"
	"slipway/sandbox/account/vpc"
)

// filters are the filters of a request by name. Others than the known ones are refused.
func filters(form url.Values, known ...string) (map[string][]string, error) {
	found := map[string][]string{}
	for i := 1; form.Has(fmt.Sprintf("Filter.%d.Name", i)); i++ {
		name := form.Get(fmt.Sprintf("Filter.%d.Name", i))
		if !slices.Contains(known, name) {
			return nil, &account.Error{Code: "InvalidParameterValue",
				Message: "The sandbox has no filter '" + name + "' of " + form.Get("Action") + "."}
		}
		found[name] = members(form, fmt.Sprintf("Filter.%d.Value", i))
	}
	return found, nil
}

// admits tells whether a filter, where it is given, lets a value pass.
func admits(filters map[string][]string, name, value string) bool {
	values, given := filters[name]
	return !given || slices.Contains(values, value)
}

type vpcSet struct {
	VPCs []network `xml:"vpcSet>item"`
}

type network struct {
	ID        string `xml:"vpcId"`
	CIDR      string `xml:"cidrBlock"`
	IsDefault bool   `xml:"isDefault"`
	State     string `xml:"state"`
}

func describeVpcs(a *account.Account, _ string, form url.Values) (any, error) {
	by, err := filters(form, "vpc-id", "is-default")
	if err != nil {
		return nil, err
	}
	var found vpcSet
	networks, err := vpc.Networks(a)
	for _, each := range networks {
		if admits(by, "vpc-id", each.ID) && admits(by, "is-default", fmt.Sprint(each.IsDefault())) {
			found.VPCs = append(found.VPCs, network{each.ID, each.CIDR, each.IsDefault(), "available"})
		}
	}
	return found, err
}

type subnetSet struct {
	Subnets []subnet `xml:"subnetSet>item"`
}

type subnet struct {
	ID                  string `xml:"subnetId"`
	VPC                 string `xml:"vpcId"`
	CIDR                string `xml:"cidrBlock"`
	Zone                string `xml:"availabilityZone"`
	DefaultForAZ        bool   `xml:"defaultForAz"`
	MapPublicIPOnLaunch bool   `xml:"mapPublicIpOnLaunch"`
	State               string `xml:"state"`
}

func describeSubnets(a *account.Account, region string, form url.Values) (any, error) {
	by, err := filters(form, "vpc-id", "subnet-id", "default-for-az")
	if err != nil {
		return nil, err
	}
	var found subnetSet
	networks, err := vpc.Networks(a)
	for _, network := range networks {
		for _, each := range network.Subnets {
			if admits(by, "vpc-id", network.ID) && admits(by, "subnet-id", each.ID) &&
				admits(by, "default-for-az", fmt.Sprint(network.IsDefault())) {
				found.Subnets = append(found.Subnets, subnet{each.ID, network.ID, each.CIDR, region + each.Zone,
					network.IsDefault(), each.Public, "available"})
			}
		}
	}
	return found, err
}

type routeTableSet struct {
	Tables []routeTable `xml:"routeTableSet>item"`
}

type routeTable struct {
	ID           string        `xml:"routeTableId"`
	VPC          string        `xml:"vpcId"`
	Routes       []route       `xml:"routeSet>item"`
	Associations []association `xml:"associationSet>item"`
}

type route struct {
	CIDR    string `xml:"destinationCidrBlock"`
	Gateway string `xml:"gatewayId,omitempty"`
	NAT     string `xml:"natGatewayId,omitempty"`
	State   string `xml:"state"`
}

type association struct {
	Table  string `xml:"routeTableId"`
	Subnet string `xml:"subnetId,omitempty"`
	Main   bool   `xml:"main"`
}

// describeRouteTables has of each VPC the main table, which leads to the internet, one for subnets that lead there by a
// NAT gateway, and one for those that have no way out.
func describeRouteTables(a *account.Account, _ string, form url.Values) (any, error) {
	by, err := filters(form, "vpc-id")
	if err != nil {
		return nil, err
	}
	faults, err := a.Faults()
	if err != nil {
		return nil, err
	}
	var found routeTableSet
	networks, err := vpc.Networks(a)
	for _, network := range networks {
		if !admits(by, "vpc-id", network.ID) {
			continue
		}
		local := route{CIDR: network.CIDR, Gateway: "local", State: "active"}
		table := func(id string, ways ...route) routeTable {
			return routeTable{ID: id, VPC: network.ID, Routes: append([]route{local}, ways...)}
		}
		main := table(vpc.MainRouteTable, route{CIDR: "0.0.0.0/0", Gateway: vpc.InternetGateway, State: "active"})
		main.Associations = []association{{Table: main.ID, Main: true}}
		byNAT := table(vpc.NATRouteTable, route{CIDR: "0.0.0.0/0", NAT: vpc.NATGateway, State: "active"})
		private := table(vpc.PrivateRouteTable)
		for _, subnet := range network.Subnets {
			switch {
			case subnet.NoRoute(faults):
				private.Associations = append(private.Associations, association{Table: private.ID, Subnet: subnet.ID})
			case !subnet.Public:
				byNAT.Associations = append(byNAT.Associations, association{Table: byNAT.ID, Subnet: subnet.ID})
			}
		}
		found.Tables = append(found.Tables, main)
		for _, other := range []routeTable{byNAT, private} {
			if len(other.Associations) > 0 {
				found.Tables = append(found.Tables, other)
			}
		}
	}
	return found, err
}

// describeVpcEndpoints has none: the account's VPC has no endpoints.
func describeVpcEndpoints(_ *account.Account, _ string, form url.Values) (any, error) {
	_, err := filters(form, "vpc-id")
	return struct {
		Endpoints []struct{} `xml:"vpcEndpointSet>item"`
	}{}, err
}
