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

func describeVpcs(_ *account.Account, _ string, form url.Values) (any, error) {
	by, err := filters(form, "vpc-id", "is-default")
	if err != nil || !admits(by, "vpc-id", vpc.DefaultVPC) || !admits(by, "is-default", "true") {
		return vpcSet{}, err
	}
	return vpcSet{[]network{{vpc.DefaultVPC, vpc.DefaultVPCRange, true, "available"}}}, nil
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

func describeSubnets(_ *account.Account, region string, form url.Values) (any, error) {
	by, err := filters(form, "vpc-id", "subnet-id", "default-for-az")
	if err != nil {
		return nil, err
	}
	var found subnetSet
	for _, each := range vpc.Subnets {
		if admits(by, "vpc-id", vpc.DefaultVPC) && admits(by, "subnet-id", each.ID) &&
			admits(by, "default-for-az", "true") {
			found.Subnets = append(found.Subnets, subnet{each.ID, vpc.DefaultVPC, each.CIDR, region + each.Zone, true, true,
				"available"})
		}
	}
	return found, nil
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
	Gateway string `xml:"gatewayId"`
	State   string `xml:"state"`
}

type association struct {
	Table  string `xml:"routeTableId"`
	Subnet string `xml:"subnetId,omitempty"`
	Main   bool   `xml:"main"`
}

// describeRouteTables has the VPC's main table, which leads to the internet, and one more where subnets have no way
// out.
func describeRouteTables(a *account.Account, _ string, form url.Values) (any, error) {
	by, err := filters(form, "vpc-id")
	if err != nil || !admits(by, "vpc-id", vpc.DefaultVPC) {
		return routeTableSet{}, err
	}
	private, err := vpc.PrivateSubnets(a)
	if err != nil {
		return nil, err
	}
	local := route{vpc.DefaultVPCRange, "local", "active"}
	main := routeTable{vpc.MainRouteTable, vpc.DefaultVPC,
		[]route{local, {"0.0.0.0/0", vpc.InternetGateway, "active"}},
		[]association{{Table: vpc.MainRouteTable, Main: true}}}
	other := routeTable{ID: vpc.PrivateRouteTable, VPC: vpc.DefaultVPC, Routes: []route{local}}
	for _, subnet := range private {
		other.Associations = append(other.Associations, association{Table: vpc.PrivateRouteTable, Subnet: subnet.ID})
	}
	if len(private) == 0 {
		return routeTableSet{[]routeTable{main}}, nil
	}
	return routeTableSet{[]routeTable{main, other}}, nil
}

// describeVpcEndpoints has none: the account's VPC has no endpoints.
func describeVpcEndpoints(_ *account.Account, _ string, form url.Values) (any, error) {
	_, err := filters(form, "vpc-id")
	return struct {
		Endpoints []struct{} `xml:"vpcEndpointSet>item"`
	}{}, err
}
