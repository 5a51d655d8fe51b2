package account

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// securityRule is one rule of a security group, whether it was written into the group or stands by itself.
type securityRule struct {
	group, direction string // direction is ingress or egress
	protocol         string
	from, to         float64
	peers, cidrs     []string // security groups and address ranges at the other end
}

func newSecurityRule(group, direction string, o Object) securityRule {
	rule := securityRule{group: group, direction: direction, protocol: o.text("protocol"),
		peers: o.list("securityGroups"), cidrs: o.list("cidrBlocks")}
	rule.from, _ = o["fromPort"].(float64)
	rule.to, _ = o["toPort"].(float64)
	if peer := o.text("sourceSecurityGroupId"); peer != "" {
		rule.peers = append(rule.peers, peer)
	}
	if o["self"] == true {
		rule.peers = append(rule.peers, group)
	}
	return rule
}

// hasSecurityGroup reports whether a group exists, as the VPC's own one always does.
func (t *tx) hasSecurityGroup(id string) bool {
	return id == DefaultSecurityGroup || get[Object](t, SecurityGroup, id) != nil
}

func (t *tx) checkSecurityGroups(ids ...string) error {
	for _, id := range ids {
		if !t.hasSecurityGroup(id) {
			return refuse("InvalidGroup.NotFound", "The security group '%s' does not exist", id)
		}
	}
	return nil
}

// checkSecurityGroup looks at the groups that the rules in a group name.
func (t *tx) checkSecurityGroup(o Object) error {
	for _, direction := range []string{"ingress", "egress"} {
		for _, rule := range objects(o[direction]) {
			if err := t.checkSecurityGroups(Object(rule).list("securityGroups")...); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkSecurityGroupRule refuses a rule whose groups are not there, and a second one that says the same.
func (t *tx) checkSecurityGroupRule(o Object) error {
	groups := []string{o.text("securityGroupId")}
	if peer := o.text("sourceSecurityGroupId"); peer != "" {
		groups = append(groups, peer)
	}
	if err := t.checkSecurityGroups(groups...); err != nil {
		return err
	}
	says := func(rule Object) string {
		return fmt.Sprint(rule["securityGroupId"], rule["type"], rule["protocol"], rule["fromPort"], rule["toPort"],
			rule["self"] == true,
			rule.text("sourceSecurityGroupId"), rule.list("cidrBlocks"), rule.list("ipv6CidrBlocks"), rule.list("prefixListIds"))
	}
	for _, other := range list[Object](t, SecurityGroupRule) {
		if other.text("securityGroupRuleId") != o.text("securityGroupRuleId") && says(*other) == says(o) {
			return refuse("InvalidPermission.Duplicate",
				"the specified rule \"peer: %s%s, %s, from port: %v, to port: %v, ALLOW\" already exists",
				o.text("sourceSecurityGroupId"), strings.Join(o.list("cidrBlocks"), " "), strings.ToUpper(o.text("protocol")),
				o["fromPort"], o["toPort"])
		}
	}
	return nil
}

// securityRules are those of every security group. A group of the program's own has no rules but the given ones.
func (t *tx) securityRules() []securityRule {
	rules := []securityRule{
		{group: DefaultSecurityGroup, direction: "ingress", protocol: "-1", peers: []string{DefaultSecurityGroup}},
		{group: DefaultSecurityGroup, direction: "egress", protocol: "-1", cidrs: []string{"0.0.0.0/0"}},
	}
	for _, group := range list[Object](t, SecurityGroup) {
		id := afterSlash(group.text("arn"))
		for _, direction := range []string{"ingress", "egress"} {
			for _, rule := range objects((*group)[direction]) {
				rules = append(rules, newSecurityRule(id, direction, rule))
			}
		}
	}
	for _, rule := range list[Object](t, SecurityGroupRule) {
		rules = append(rules, newSecurityRule(rule.text("securityGroupId"), rule.text("type"), *rule))
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

// connected reports whether something in the from groups can open a TCP connection to a port of something in the to
// groups: the first must let it out, and the second in.
func (t *tx) connected(from, to []string, port int) bool {
	out, in := false, false
	for _, rule := range t.securityRules() {
		out = out || rule.direction == "egress" && slices.Contains(from, rule.group) && rule.allows(port, to)
		in = in || rule.direction == "ingress" && slices.Contains(to, rule.group) && rule.allows(port, from)
	}
	return out && in
}

// releaseSecurityGroup refuses where another group's rule, a load balancer or a service still names the group.
func (t *tx) releaseSecurityGroup(id string) error {
	used := slices.ContainsFunc(list[Service](t, serviceKind), func(s *Service) bool {
		t.advance(s)
		return s.Status != statusInactive && slices.Contains(s.Settings.SecurityGroups, id)
	})
	for _, balancer := range list[Object](t, LoadBalancer) {
		used = used || slices.Contains(balancer.list("securityGroups"), id)
	}
	for _, rule := range t.securityRules() {
		used = used || rule.group != id && slices.Contains(rule.peers, id)
	}
	if used {
		return refuse("DependencyViolation", "resource %s has a dependent object", id)
	}
	for _, rule := range list[Object](t, SecurityGroupRule) {
		if rule.text("securityGroupId") == id {
			remove(t, SecurityGroupRule, strings.Replace(rule.text("securityGroupRuleId"), "sgr-", "sgrule-", 1))
		}
	}
	return nil
}
