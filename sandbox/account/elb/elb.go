// Package elb is Elastic Load Balancing: load balancers, listeners with their rules, and target groups.
package elb

import (
	"fmt"
	"slices"

	"slipway/internal/awslimits"
	"slipway/sandbox/account"
	"slipway/sandbox/account/dns"
	"slipway/sandbox/account/iam"
	"slipway/sandbox/account/vpc"
)

// Kinds of objects of Elastic Load Balancing, each identified by the last part of its ARN.
const (
	Listener     = "listener"
	ListenerRule = "listenerRule"
	LoadBalancer = "loadBalancer"
	TargetGroup  = "targetGroup"
)

func init() {
	account.Register(LoadBalancer, account.Rules{Check: checkLoadBalancer,
		Created: func(t *account.Tx) { iam.MakeLinkedRole(t, iam.ELBLinkedRole) },
		Delete:  deleteLoadBalancer})
	account.Register(TargetGroup, account.Rules{Check: checkTargetGroup, Delete: func(t *account.Tx, _ string,
		o account.Object, _ bool) error {
		if len(LoadBalancersOf(t, o.Text("arn"))) > 0 {
			return account.Refuse("ResourceInUse", "Target group '%s' is currently in use by a listener or a rule",
				o.Text("arn"))
		}
		return nil
	}})
	account.Register(Listener, account.Rules{Check: checkListener, Delete: func(t *account.Tx, _ string,
		o account.Object, _ bool) error {
		removeListener(t, o.Text("arn"))
		return nil
	}})
	account.Register(ListenerRule, account.Rules{Check: checkListenerRule})
	account.Register(dns.Certificate, account.Rules{Delete: func(t *account.Tx, _ string, o account.Object, _ bool) error {
		for _, listener := range account.List[account.Object](t, Listener) {
			if listener.Text("certificateArn") == o.Text("arn") {
				return account.Refuse("ResourceInUseException", "Certificate %s in account %s is in use.", o.Text("arn"),
					t.ID)
			}
		}
		return nil
	}})
	account.Register(vpc.SecurityGroup, account.Rules{Delete: func(t *account.Tx, id string, _ account.Object,
		_ bool) error {
		for _, balancer := range account.List[account.Object](t, LoadBalancer) {
			if slices.Contains(balancer.List("securityGroups"), id) {
				return vpc.SecurityGroupInUse(id)
			}
		}
		return nil
	}})
}

// NewKey is the last part of the ARN of a new object of Elastic Load Balancing: 16 hexadecimal digits.
func NewKey(a *account.Account, kind string) (key string, err error) {
	err = a.Transact(func(t *account.Tx) error {
		key = t.NewID(kind, 16)
		return nil
	})
	return key, err
}

// hasDuplicate reports whether an object of the kind other than this one has the same values for these properties.
func hasDuplicate(t *account.Tx, kind, id string, o account.Object, keys ...string) bool {
	return slices.ContainsFunc(account.List[account.Object](t, kind), func(other *account.Object) bool {
		return account.AfterSlash(other.Text("arn")) != id &&
			!slices.ContainsFunc(keys, func(key string) bool { return (*other)[key] != o[key] })
	})
}

func checkLoadBalancer(t *account.Tx, id string, o account.Object) error {
	zones := map[string]bool{}
	if count := len(o.List("subnets")); count > awslimits.LoadBalancerSubnets {
		return account.Refuse("TooManySubnets", "A load balancer can have up to %d subnets, and not %d",
			awslimits.LoadBalancerSubnets, count)
	}
	for _, id := range o.List("subnets") {
		subnet := vpc.FindSubnet(t, id)
		if subnet == nil {
			return account.Refuse("SubnetNotFound", "The subnet ID '%s' does not exist", id)
		}
		zones[subnet.Zone] = true
	}
	if len(zones) < 2 {
		return account.Refuse("ValidationError", "At least two subnets in two different Availability Zones must be specified")
	}
	for _, id := range o.List("securityGroups") {
		if !vpc.HasSecurityGroup(t, id) {
			return account.Refuse("InvalidSecurityGroup", "The security group '%s' does not exist", id)
		}
	}
	if hasDuplicate(t, LoadBalancer, id, o, "name") {
		return account.Refuse("DuplicateLoadBalancerName",
			"A load balancer with the same name '%s' exists, but with different settings",
			o.Text("name"))
	}
	return nil
}

// deleteLoadBalancer deletes its listeners, too.
func deleteLoadBalancer(t *account.Tx, _ string, o account.Object, _ bool) error {
	if o["enableDeletionProtection"] == true {
		return account.Refuse("OperationNotPermitted",
			"Load balancer '%s' cannot be deleted because deletion protection is enabled",
			o.Text("arn"))
	}
	for _, listener := range account.List[account.Object](t, Listener) {
		if listener.Text("loadBalancerArn") == o.Text("arn") {
			removeListener(t, listener.Text("arn"))
		}
	}
	return nil
}

func checkTargetGroup(t *account.Tx, id string, o account.Object) error {
	if err := checkTargetHealth(o); err != nil {
		return err
	}
	if id := o.Text("vpcId"); !vpc.Has(t, id) {
		return account.Refuse("ValidationError", "The VPC ID '%s' is not found", id)
	}
	if hasDuplicate(t, TargetGroup, id, o, "name") {
		return account.Refuse("DuplicateTargetGroupName",
			"A target group with the same name '%s' exists, but with different settings",
			o.Text("name"))
	}
	timeout, _ := account.Member(o["healthCheck"], "timeout").(float64)
	if interval, ok := account.Member(o["healthCheck"], "interval").(float64); ok && timeout >= interval {
		return account.Refuse("ValidationError", "Health check timeout '%v' must be smaller than the interval '%v'", timeout,
			interval)
	}
	return nil
}

func checkListener(t *account.Tx, id string, o account.Object) error {
	arn := o.Text("loadBalancerArn")
	if account.Get[account.Object](t, LoadBalancer, account.AfterSlash(arn)) == nil {
		return account.Refuse("LoadBalancerNotFound", "Load balancers '[%s]' not found", arn)
	}
	if hasDuplicate(t, Listener, id, o, "loadBalancerArn", "port") {
		return account.Refuse("DuplicateListener", "A listener already exists on this port for this load balancer")
	}
	switch certificate := o.Text("certificateArn"); {
	case o.Text("protocol") == "HTTPS":
		if err := dns.CheckServerCertificate(t, account.Region(arn), certificate); err != nil {
			return err
		}
	case certificate != "":
		return account.Refuse("InvalidConfigurationRequest",
			"Certificates cannot be specified for a listener with protocol '%s'",
			o.Text("protocol"))
	}
	return checkActions(t, o, o)
}

func checkListenerRule(t *account.Tx, id string, o account.Object) error {
	if err := checkConditions(o); err != nil {
		return err
	}
	listener := account.Get[account.Object](t, Listener, account.AfterSlash(o.Text("listenerArn")))
	if listener == nil {
		return account.Refuse("ListenerNotFound", "One or more listeners not found")
	}
	if hasDuplicate(t, ListenerRule, id, o, "listenerArn", "priority") {
		return account.Refuse("PriorityInUse", "Priority '%v' is currently in use", o["priority"])
	}
	return checkActions(t, o, *listener)
}

// checkActions looks at the target groups that a listener, or a rule of it, forwards to.
func checkActions(t *account.Tx, o, listener account.Object) error {
	for _, arn := range targetGroups(o) {
		group := account.Get[account.Object](t, TargetGroup, account.AfterSlash(arn))
		if group == nil || group.Text("arn") != arn {
			return account.Refuse("TargetGroupNotFound", "Target groups '[%s]' not found", arn)
		}
		if group.Text("protocolVersion") == "GRPC" && listener.Text("protocol") != "HTTPS" {
			return account.Refuse("InvalidLoadBalancerAction",
				"Listener protocol '%s' is not supported with a target group with the "+
					"protocol-version 'GRPC'", listener.Text("protocol"))
		}
		for _, balancer := range LoadBalancersOf(t, arn) {
			if balancer != listener.Text("loadBalancerArn") {
				return account.Refuse("TargetGroupAssociationLimit",
					"The following target groups cannot be associated with more than one "+
						"load balancer: %s", arn)
			}
		}
	}
	return nil
}

// targetGroups are the ARNs that a listener or a rule forwards to.
func targetGroups(o account.Object) (arns []string) {
	for _, action := range slices.Concat(account.Objects(o["defaultActions"]), account.Objects(o["actions"])) {
		if arn, _ := action["targetGroupArn"].(string); arn != "" {
			arns = append(arns, arn)
		}
		for _, group := range account.Objects(account.Member(action["forward"], "targetGroups")) {
			arns = append(arns, fmt.Sprint(group["arn"]))
		}
	}
	return arns
}

// LoadBalancersOf are the ARNs of those that forward to a target group, from a listener or from a rule of one.
func LoadBalancersOf(t *account.Tx, targetGroup string) (arns []string) {
	for _, kind := range []string{Listener, ListenerRule} {
		for _, o := range account.List[account.Object](t, kind) {
			if !slices.Contains(targetGroups(*o), targetGroup) {
				continue
			}
			listener := o
			if kind == ListenerRule {
				listener = account.Get[account.Object](t, Listener, account.AfterSlash(o.Text("listenerArn")))
			}
			arns = append(arns, listener.Text("loadBalancerArn"))
		}
	}
	return arns
}

func removeListener(t *account.Tx, arn string) {
	for _, rule := range account.List[account.Object](t, ListenerRule) {
		if rule.Text("listenerArn") == arn {
			account.Remove(t, ListenerRule, account.AfterSlash(rule.Text("arn")))
		}
	}
	account.Remove(t, Listener, account.AfterSlash(arn))
}
