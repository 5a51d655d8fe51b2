package account

import (
	"fmt"
	"slices"

	"slipway/internal/awslimits"
)

// Kinds of objects of Elastic Load Balancing, each identified by the last part of its ARN.
const (
	Listener     = "listener"
	ListenerRule = "listenerRule"
	LoadBalancer = "loadBalancer"
	TargetGroup  = "targetGroup"
)

func init() {
	Register(LoadBalancer, Rules{Check: (*Tx).checkLoadBalancer, Created: func(t *Tx) { t.makeLinkedRole(elbLinkedRole) },
		Delete: (*Tx).deleteLoadBalancer})
	Register(TargetGroup, Rules{Check: (*Tx).checkTargetGroup, Delete: func(t *Tx, _ string, o Object, _ bool) error {
		if len(t.loadBalancers(o.Text("arn"))) > 0 {
			return Refuse("ResourceInUse", "Target group '%s' is currently in use by a listener or a rule", o.Text("arn"))
		}
		return nil
	}})
	Register(Listener, Rules{Check: (*Tx).checkListener, Delete: func(t *Tx, _ string, o Object, _ bool) error {
		t.removeListener(o.Text("arn"))
		return nil
	}})
	Register(ListenerRule, Rules{Check: (*Tx).checkListenerRule})
	Register(Certificate, Rules{Delete: func(t *Tx, _ string, o Object, _ bool) error {
		for _, listener := range List[Object](t, Listener) {
			if listener.Text("certificateArn") == o.Text("arn") {
				return Refuse("ResourceInUseException", "Certificate %s in account %s is in use.", o.Text("arn"), ID)
			}
		}
		return nil
	}})
	Register(SecurityGroup, Rules{Delete: func(t *Tx, id string, _ Object, _ bool) error {
		for _, balancer := range List[Object](t, LoadBalancer) {
			if slices.Contains(balancer.List("securityGroups"), id) {
				return securityGroupInUse(id)
			}
		}
		return nil
	}})
}

// NewKey is the last part of the ARN of a new object of Elastic Load Balancing: 16 hexadecimal digits.
func (a *Account) NewKey(kind string) (key string, err error) {
	err = a.Transact(func(t *Tx) error {
		key = t.NewID(kind, 16)
		return nil
	})
	return key, err
}

// hasDuplicate reports whether an object of the kind other than this one has the same values for these properties.
func (t *Tx) hasDuplicate(kind, id string, o Object, keys ...string) bool {
	return slices.ContainsFunc(List[Object](t, kind), func(other *Object) bool {
		return AfterSlash(other.Text("arn")) != id &&
			!slices.ContainsFunc(keys, func(key string) bool { return (*other)[key] != o[key] })
	})
}

func (t *Tx) checkLoadBalancer(id string, o Object) error {
	zones := map[string]bool{}
	if count := len(o.List("subnets")); count > awslimits.LoadBalancerSubnets {
		return Refuse("TooManySubnets", "A load balancer can have up to %d subnets, and not %d",
			awslimits.LoadBalancerSubnets, count)
	}
	for _, id := range o.List("subnets") {
		subnet := FindSubnet(id)
		if subnet == nil {
			return Refuse("SubnetNotFound", "The subnet ID '%s' does not exist", id)
		}
		zones[subnet.Zone] = true
	}
	if len(zones) < 2 {
		return Refuse("ValidationError", "At least two subnets in two different Availability Zones must be specified")
	}
	for _, id := range o.List("securityGroups") {
		if !t.hasSecurityGroup(id) {
			return Refuse("InvalidSecurityGroup", "The security group '%s' does not exist", id)
		}
	}
	if t.hasDuplicate(LoadBalancer, id, o, "name") {
		return Refuse("DuplicateLoadBalancerName",
			"A load balancer with the same name '%s' exists, but with different settings",
			o.Text("name"))
	}
	return nil
}

// deleteLoadBalancer deletes its listeners, too.
func (t *Tx) deleteLoadBalancer(_ string, o Object, _ bool) error {
	if o["enableDeletionProtection"] == true {
		return Refuse("OperationNotPermitted", "Load balancer '%s' cannot be deleted because deletion protection is enabled",
			o.Text("arn"))
	}
	for _, listener := range List[Object](t, Listener) {
		if listener.Text("loadBalancerArn") == o.Text("arn") {
			t.removeListener(listener.Text("arn"))
		}
	}
	return nil
}

func (t *Tx) checkTargetGroup(id string, o Object) error {
	if err := checkTargetHealth(o); err != nil {
		return err
	}
	if vpc := o.Text("vpcId"); vpc != DefaultVPC {
		return Refuse("ValidationError", "The VPC ID '%s' is not found", vpc)
	}
	if t.hasDuplicate(TargetGroup, id, o, "name") {
		return Refuse("DuplicateTargetGroupName",
			"A target group with the same name '%s' exists, but with different settings",
			o.Text("name"))
	}
	timeout, _ := Member(o["healthCheck"], "timeout").(float64)
	if interval, ok := Member(o["healthCheck"], "interval").(float64); ok && timeout >= interval {
		return Refuse("ValidationError", "Health check timeout '%v' must be smaller than the interval '%v'", timeout,
			interval)
	}
	return nil
}

func (t *Tx) checkListener(id string, o Object) error {
	arn := o.Text("loadBalancerArn")
	if Get[Object](t, LoadBalancer, AfterSlash(arn)) == nil {
		return Refuse("LoadBalancerNotFound", "Load balancers '[%s]' not found", arn)
	}
	if t.hasDuplicate(Listener, id, o, "loadBalancerArn", "port") {
		return Refuse("DuplicateListener", "A listener already exists on this port for this load balancer")
	}
	switch certificate := o.Text("certificateArn"); {
	case o.Text("protocol") == "HTTPS":
		if err := t.checkServerCertificate(Region(arn), certificate); err != nil {
			return err
		}
	case certificate != "":
		return Refuse("InvalidConfigurationRequest", "Certificates cannot be specified for a listener with protocol '%s'",
			o.Text("protocol"))
	}
	return t.checkActions(o, o)
}

func (t *Tx) checkListenerRule(id string, o Object) error {
	if err := checkConditions(o); err != nil {
		return err
	}
	listener := Get[Object](t, Listener, AfterSlash(o.Text("listenerArn")))
	if listener == nil {
		return Refuse("ListenerNotFound", "One or more listeners not found")
	}
	if t.hasDuplicate(ListenerRule, id, o, "listenerArn", "priority") {
		return Refuse("PriorityInUse", "Priority '%v' is currently in use", o["priority"])
	}
	return t.checkActions(o, *listener)
}

// checkActions looks at the target groups that a listener, or a rule of it, forwards to.
func (t *Tx) checkActions(o, listener Object) error {
	for _, arn := range o.targetGroups() {
		group := Get[Object](t, TargetGroup, AfterSlash(arn))
		if group == nil || group.Text("arn") != arn {
			return Refuse("TargetGroupNotFound", "Target groups '[%s]' not found", arn)
		}
		if group.Text("protocolVersion") == "GRPC" && listener.Text("protocol") != "HTTPS" {
			return Refuse("InvalidLoadBalancerAction", "Listener protocol '%s' is not supported with a target group with the "+
				"protocol-version 'GRPC'", listener.Text("protocol"))
		}
		for _, balancer := range t.loadBalancers(arn) {
			if balancer != listener.Text("loadBalancerArn") {
				return Refuse("TargetGroupAssociationLimit", "The following target groups cannot be associated with more than one "+
					"load balancer: %s", arn)
			}
		}
	}
	return nil
}

// targetGroups are the ARNs that a listener or a rule forwards to.
func (o Object) targetGroups() (arns []string) {
	for _, action := range slices.Concat(Objects(o["defaultActions"]), Objects(o["actions"])) {
		if arn, _ := action["targetGroupArn"].(string); arn != "" {
			arns = append(arns, arn)
		}
		for _, group := range Objects(Member(action["forward"], "targetGroups")) {
			arns = append(arns, fmt.Sprint(group["arn"]))
		}
	}
	return arns
}

// loadBalancers are the ARNs of those that forward to a target group, from a listener or from a rule of one.
func (t *Tx) loadBalancers(targetGroup string) (arns []string) {
	for _, kind := range []string{Listener, ListenerRule} {
		for _, o := range List[Object](t, kind) {
			if !slices.Contains(o.targetGroups(), targetGroup) {
				continue
			}
			listener := o
			if kind == ListenerRule {
				listener = Get[Object](t, Listener, AfterSlash(o.Text("listenerArn")))
			}
			arns = append(arns, listener.Text("loadBalancerArn"))
		}
	}
	return arns
}

func (t *Tx) removeListener(arn string) {
	for _, rule := range List[Object](t, ListenerRule) {
		if rule.Text("listenerArn") == arn {
			Remove(t, ListenerRule, AfterSlash(rule.Text("arn")))
		}
	}
	Remove(t, Listener, AfterSlash(arn))
}
