package aws

import (
	"fmt"
	"slices"
	"strings"

	"slipway/internal/awslimits"
	"slipway/sandbox/account"
	"slipway/sandbox/account/vpc"
	"slipway/sandbox/seed"
)

// securityRule is one ingress or egress rule written into a security group.
var securityRule = properties{
	"cidrBlocks": {empty: texts, planned: true}, "description": {empty: "", planned: true}, "fromPort": {required: true},
	"ipv6CidrBlocks": {empty: texts, planned: true}, "prefixListIds": {empty: texts, planned: true},
	"protocol":       {required: true},
	"securityGroups": {set: true, empty: texts, planned: true}, "self": {standard: false}, "toPort": {required: true},
}

var securityGroup = &resourceType{
	kind: vpc.SecurityGroup, noun: "Security Group", key: "name", autoname: true,
	existing: "InvalidGroup.Duplicate: the security group '%s' already exists",
	properties: properties{
		"arn": result, "ownerId": result,
		"description":         {replaces: true, standard: "Managed by Pulumi"},
		"egress":              {computed: true, set: true, empty: texts, fields: securityRule},
		"ingress":             {computed: true, set: true, empty: texts, fields: securityRule},
		"name":                {replaces: true},
		"namePrefix":          {replaces: true, computed: true, unsupported: true, empty: ""},
		"revokeRulesOnDelete": {standard: false},
		"tags":                tags, "tagsAll": tagsAll,
		"vpcId": {replaces: true, computed: true, empty: vpc.DefaultVPC},
	},
	validate: func(path string, inputs values, fail func(string)) {
		if name := text(inputs, "name"); strings.HasPrefix(name, awslimits.NotSecurityGroup) {
			checker{path, fail}.refuse("name", `invalid value for name (cannot begin with sg-), got %s`, name)
		}
	},
	identify: func(c *call) (string, error) {
		groups, err := c.account.Objects(vpc.SecurityGroup)
		if err != nil {
			return "", err
		}
		name := text(c.state, "name")
		if slices.ContainsFunc(groups, func(o account.Object) bool { return o["name"] == name }) {
			return "", fmt.Errorf("InvalidGroup.Duplicate: The security group '%s' already exists for VPC '%s'",
				name, text(c.state, "vpcId"))
		}
		return c.account.NewID("sg-")
	},
	fill: func(c *call) {
		c.state["arn"] = c.arn("ec2", "security-group/"+c.id)
		c.state["ownerId"] = c.account.ID
	},
}

var securityGroupRule = &resourceType{
	kind: vpc.SecurityGroupRule, noun: "Security Group Rule", key: "securityGroupId", deleteBeforeReplace: true,
	properties: properties{
		"securityGroupRuleId": result,
		"cidrBlocks":          {replaces: true}, "ipv6CidrBlocks": {replaces: true}, "prefixListIds": {replaces: true},
		"description": optional, "fromPort": given, "protocol": given, "securityGroupId": given,
		"self":                  {replaces: true, empty: false, planned: true},
		"sourceSecurityGroupId": {replaces: true, computed: true}, "toPort": given, "type": given,
	},
	validate: func(path string, inputs values, fail func(string)) {
		for _, key := range []string{"cidrBlocks", "ipv6CidrBlocks", "prefixListIds", "sourceSecurityGroupId"} {
			if inputs[key] != nil {
				return
			}
		}
		if !isTrue(inputs, "self") {
			fail(fmt.Sprintf("one of `cidr_blocks,ipv6_cidr_blocks,prefix_list_ids,self,source_security_group_id` must be "+
				"specified. "+
				"Examine values at '%s'.", path))
		}
	},
	identify: func(c *call) (string, error) {
		rules, err := c.account.Objects(vpc.SecurityGroupRule)
		for _, rule := range rules {
			for _, source := range sources(rule) {
				if opening(rule) == opening(c.state) && slices.Contains(sources(c.state), source) {
					return "", &account.Error{Code: "InvalidPermission.Duplicate",
						Message: fmt.Sprintf("the specified rule \"peer: %s, %s, from "+
							"port: %v, to port: %v, ALLOW\" already exists", source, strings.ToUpper(text(rule, "protocol")),
							rule["fromPort"], rule["toPort"])}
				}
			}
		}
		if err != nil {
			return "", err
		}
		return c.account.NewID("sgrule-")
	},
	fill: func(c *call) { c.state["securityGroupRuleId"] = "sgr-" + c.id[len("sgrule-"):] },
}

// opening is what a rule opens, and sources are whom it opens that for, as an import names both.
func opening(rule values) string {
	return strings.Join([]string{text(rule, "securityGroupId"), text(rule, "type"), text(rule, "protocol"),
		fmt.Sprint(rule["fromPort"]),
		fmt.Sprint(rule["toPort"])}, "_")
}

func sources(rule values) []string {
	found := slices.Concat(textList(rule["cidrBlocks"]), textList(rule["ipv6CidrBlocks"]), textList(rule["prefixListIds"]))
	if group := text(rule, "sourceSecurityGroupId"); group != "" {
		found = append(found, group)
	}
	if isTrue(rule, "self") {
		found = append(found, "self")
	}
	return found
}

func getVpc(a *account.Account, region string, args values) (values, error) {
	networks, err := vpc.Networks(a)
	if err != nil {
		return nil, err
	}
	id := text(args, "id")
	i := slices.IndexFunc(networks, func(v vpc.VPC) bool {
		return id != "" && id == v.ID || id == "" && isTrue(args, "default") && v.IsDefault()
	})
	if i < 0 {
		return nil, fmt.Errorf("no matching EC2 VPC found%s",
			seed.Advice("vpcs:\n  "+id+": {cidr: 10.0.0.0/16, subnets: {}}"))
	}
	found := networks[i]
	return values{
		"arn":       account.ARN(a.ID, "ec2", region, "vpc/"+found.ID),
		"cidrBlock": found.CIDR,
		"cidrBlockAssociations": []any{values{"associationId": "vpc-cidr-assoc-2b89a7c0f7262ca04", "cidrBlock": found.CIDR,
			"state": "associated"}},
		"default": found.IsDefault(), "dhcpOptionsId": "default", "enableDnsHostnames": true, "enableDnsSupport": true,
		"enableNetworkAddressUsageMetrics": false, "id": found.ID, "instanceTenancy": "default",
		"ipv6AssociationId": "",
		"ipv6CidrBlock":     "", "mainRouteTableId": vpc.MainRouteTable, "ownerId": a.ID, "tags": values{},
	}, nil
}

func getSubnets(a *account.Account, region string, args values) (values, error) {
	filters, _ := args["filters"].([]any)
	networks, err := vpc.Networks(a)
	if err != nil {
		return nil, err
	}
	ids := []any{}
	for _, network := range networks {
		inVPC := true
		for _, filter := range filters {
			f, _ := filter.(values)
			switch text(f, "name") {
			case "vpc-id":
				inVPC = inVPC && slices.Contains(textList(f["values"]), network.ID)
			case "default-for-az": // as every subnet of the default VPC is
				inVPC = inVPC && slices.Contains(textList(f["values"]), fmt.Sprint(network.IsDefault()))
			default:
				return nil, fmt.Errorf("the sandbox filters subnets by vpc-id and default-for-az only, not by %q", text(f, "name"))
			}
		}
		for _, subnet := range network.Subnets {
			if inVPC {
				ids = append(ids, subnet.ID)
			}
		}
	}
	return values{"filters": filters, "id": region, "ids": ids}, nil
}

func getSubnet(a *account.Account, region string, args values) (values, error) {
	var subnet *vpc.Subnet
	if err := a.Transact(func(t *account.Tx) error {
		subnet = vpc.FindSubnet(t, text(args, "id"))
		return nil
	}); err != nil {
		return nil, err
	}
	if subnet == nil {
		return nil, fmt.Errorf("no matching EC2 Subnet found%s", seed.Advice("vpcs:\n  vpc-…:\n    cidr: 10.0.0.0/16\n"+
			"    subnets:\n      "+text(args, "id")+": {cidr: 10.0.1.0/24, zone: a, public: true}"))
	}
	return values{
		"arn": account.ARN(a.ID, "ec2", region, "subnet/"+subnet.ID), "assignIpv6AddressOnCreation": false,
		"availabilityZone":   region + subnet.Zone,
		"availabilityZoneId": region + "-" + subnet.Zone, "availableIpAddressCount": 4091.0, "cidrBlock": subnet.CIDR,
		"defaultForAz": subnet.VPC == vpc.DefaultVPC,
		"id":           subnet.ID, "mapPublicIpOnLaunch": subnet.Public, "ownerId": a.ID, "state": "available",
		"tags": values{}, "vpcId": subnet.VPC,
	}, nil
}
