package vpc

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"slipway/internal/awslimits"
	"slipway/sandbox/account"
)

// Kinds of objects of EC2.
const (
	SecurityGroup     = "securityGroup"     // sg-…
	SecurityGroupRule = "securityGroupRule" // sgr-…
	PrefixList        = "prefixList"        // pl-…
)

func init() {
	account.Register(SecurityGroup, account.Rules{Check: checkSecurityGroup, Delete: deleteSecurityGroup})
	account.Register(SecurityGroupRule, account.Rules{Check: checkSecurityGroupRule})
	account.Register(PrefixList, account.Rules{})
}

// securityRule is one rule of a security group, whether it was written into the group or stands by itself.
type securityRule struct {
	group, direction string // direction is ingress or egress
	protocol         string
	from, to         float64
	peers, cidrs     []string // security groups and address ranges at the other end
}

func newSecurityRule(group, direction string, o account.Object) securityRule {
	rule := securityRule{group: group, direction: direction, protocol: o.Text("protocol"),
		peers: o.List("securityGroups"), cidrs: o.List("cidrBlocks")}
	rule.from, _ = o["fromPort"].(float64)
	rule.to, _ = o["toPort"].(float64)
	if peer := o.Text("sourceSecurityGroupId"); peer != "" {
		rule.peers = append(rule.peers, peer)
	}
	if o["self"] == true {
		rule.peers = append(rule.peers, group)
	}
	return rule
}

// HasSecurityGroup reports whether a group exists, as the VPC's own one always does.
func HasSecurityGroup(t *account.Tx, id string) bool {
	return id == DefaultSecurityGroup || account.Get[account.Object](t, SecurityGroup, id) != nil
}

// OfSecurityGroup is the VPC of a security group.
func OfSecurityGroup(t *account.Tx, id string) string {
	if group := account.Get[account.Object](t, SecurityGroup, id); group != nil && group.Text("vpcId") != "" {
		return group.Text("vpcId")
	}
	return DefaultVPC
}

// CheckSecurityGroups refuses groups that do not exist.
func CheckSecurityGroups(t *account.Tx, ids ...string) error {
	for _, id := range ids {
		if !HasSecurityGroup(t, id) {
			return account.Refuse("InvalidGroup.NotFound", "The security group '%s' does not exist", id)
		}
	}
	return nil
}

// checkSecurityGroup also looks at the groups that the rules in a group name.
func checkSecurityGroup(t *account.Tx, _ string, o account.Object) error {
	if id := o.Text("vpcId"); !Has(t, id) {
		return account.Refuse("InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", id)
	}
	for _, key := range []string{"name", "description"} {
		if text := o.Text(key); text != "" && !awslimits.SecurityGroupText.MatchString(text) {
			return account.Refuse("InvalidParameterValue",
				"Value (%s) for parameter %s is invalid. Character sets beyond ASCII are "+
					"not supported.", text, key)
		}
	}
	for _, direction := range []string{"ingress", "egress"} {
		for _, rule := range account.Objects(o[direction]) {
			if err := CheckSecurityGroups(t, account.Object(rule).List("securityGroups")...); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkSecurityGroupRule refuses a rule whose groups are not there, and a second one that says the same.
func checkSecurityGroupRule(t *account.Tx, _ string, o account.Object) error {
	groups := []string{o.Text("securityGroupId")}
	if peer := o.Text("sourceSecurityGroupId"); peer != "" {
		if !HasSecurityGroup(t, peer) && !awslimits.SecurityGroupID.MatchString(peer) {
			return account.Refuse("InvalidGroupId.Malformed", "Invalid id: \"%s\" (expecting \"sg-...\")", peer)
		}
		groups = append(groups, peer)
	}
	if err := CheckSecurityGroups(t, groups...); err != nil {
		return err
	}
	if OfSecurityGroup(t, groups[0]) != OfSecurityGroup(t, groups[len(groups)-1]) {
		return account.Refuse("InvalidGroup.NotFound", "You have specified two resources that belong to different networks.")
	}
	for _, id := range o.List("prefixListIds") {
		switch {
		case !awslimits.PrefixListID.MatchString(id):
			return account.Refuse("InvalidPrefixListId.Malformed", "Invalid id: \"%s\"", id)
		case account.Get[account.Object](t, PrefixList, id) == nil:
			return account.Refuse("InvalidPrefixListID.NotFound", "The prefix list ID '%s' does not exist", id)
		}
	}
	says := func(rule account.Object) string {
		return fmt.Sprint(rule["securityGroupId"], rule["type"], rule["protocol"], rule["fromPort"], rule["toPort"],
			rule["self"] == true,
			rule.Text("sourceSecurityGroupId"), rule.List("cidrBlocks"), rule.List("ipv6CidrBlocks"), rule.List("prefixListIds"))
	}
	for _, other := range account.List[account.Object](t, SecurityGroupRule) {
		if other.Text("securityGroupRuleId") != o.Text("securityGroupRuleId") && says(*other) == says(o) {
			return account.Refuse("InvalidPermission.Duplicate",
				"the specified rule \"peer: %s%s, %s, from port: %v, to port: %v, ALLOW\" already exists",
				o.Text("sourceSecurityGroupId"), strings.Join(o.List("cidrBlocks"), " "), strings.ToUpper(o.Text("protocol")),
				o["fromPort"], o["toPort"])
		}
	}
	return nil
}

// securityRules are those of every security group. A group of the program's own has no rules but the given ones.
func securityRules(t *account.Tx) []securityRule {
	rules := []securityRule{
		{group: DefaultSecurityGroup, direction: "ingress", protocol: "-1", peers: []string{DefaultSecurityGroup}},
		{group: DefaultSecurityGroup, direction: "egress", protocol: "-1", cidrs: []string{"0.0.0.0/0"}},
	}
	for _, group := range account.List[account.Object](t, SecurityGroup) {
		id := account.AfterSlash(group.Text("arn"))
		for _, direction := range []string{"ingress", "egress"} {
			for _, rule := range account.Objects((*group)[direction]) {
				rules = append(rules, newSecurityRule(id, direction, rule))
			}
		}
	}
	for _, rule := range account.List[account.Object](t, SecurityGroupRule) {
		rules = append(rules, newSecurityRule(rule.Text("securityGroupId"), rule.Text("type"), *rule))
	}
	return rules
}

// allows reports whether the rule lets TCP on a port pass between its group and a peer that is in these groups,
// somewhere in the default VPC.
func (rule securityRule) allows(port int, peers []string) bool {
	switch rule.protocol {
	case "-1", "all":
	case "tcp", "6":
		if float64(port) < rule.from || float64(port) > rule.to {
			return false
		}
	default:
		return false
	}
	vpc := netip.MustParsePrefix(DefaultVPCRange)
	covers := func(cidr string) bool {
		prefix, err := netip.ParsePrefix(cidr)
		return err == nil && prefix.Bits() <= vpc.Bits() && prefix.Contains(vpc.Addr())
	}
	return slices.ContainsFunc(rule.cidrs, covers) ||
		slices.ContainsFunc(rule.peers, func(id string) bool { return slices.Contains(peers, id) })
}

// Connected reports whether something in the from groups can open a TCP connection to a port of something in the to
// groups: the first must let it out, and the second in.
func Connected(t *account.Tx, from, to []string, port int) bool {
	out, in := false, false
	for _, rule := range securityRules(t) {
		out = out || rule.direction == "egress" && slices.Contains(from, rule.group) && rule.allows(port, to)
		in = in || rule.direction == "ingress" && slices.Contains(to, rule.group) && rule.allows(port, from)
	}
	return out && in
}

// deleteSecurityGroup refuses where another group's rule still names the group, and deletes the group's own rules.
func deleteSecurityGroup(t *account.Tx, id string, _ account.Object, _ bool) error {
	for _, rule := range securityRules(t) {
		if rule.group != id && slices.Contains(rule.peers, id) {
			return SecurityGroupInUse(id)
		}
	}
	for _, rule := range account.List[account.Object](t, SecurityGroupRule) {
		if rule.Text("securityGroupId") == id {
			account.Remove(t, SecurityGroupRule, strings.Replace(rule.Text("securityGroupRuleId"), "sgr-", "sgrule-", 1))
		}
	}
	return nil
}

// SecurityGroupInUse refuses to delete a group that something refers to.
func SecurityGroupInUse(id string) error {
	return account.Refuse("DependencyViolation", "resource %s has a dependent object", id)
}
