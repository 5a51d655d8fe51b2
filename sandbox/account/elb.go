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

// NewKey is the last part of the ARN of a new object of Elastic Load Balancing: 16 hexadecimal digits.
func (a *Account) NewKey(kind string) (key string, err error) {
	err = a.transact(func(t *tx) error {
		key = t.newID(kind, 16)
		return nil
	})
	return key, err
}

func (o Object) list(key string) (found []string) {
	entries, _ := o[key].([]any)
	for _, entry := range entries {
		found = append(found, fmt.Sprint(entry))
	}
	return found
}

// objects are the objects in a list.
func objects(list any) []map[string]any { return Container{"list": list}.objects("list") }

// checkObject refuses an object, new or changed, that AWS would refuse for what else the account has.
func (t *tx) checkObject(kind, id string, o Object) error {
	if err := t.checkLimits(kind, id, o); err != nil {
		return err
	}
	switch kind {
	case LoadBalancer:
		return t.checkLoadBalancer(id, o)
	case TargetGroup:
		return t.checkTargetGroup(id, o)
	case Listener:
		return t.checkListener(id, o)
	case ListenerRule:
		return t.checkListenerRule(id, o)
	case Record:
		return t.checkRecord(id, o)
	case Schedule:
		return t.checkSchedule(o)
	case SecurityGroup:
		return t.checkSecurityGroup(o)
	case SecurityGroupRule:
		return t.checkSecurityGroupRule(o)
	}
	return nil
}

// hasDuplicate reports whether an object of the kind other than this one has the same values for these properties.
func (t *tx) hasDuplicate(kind, id string, o Object, keys ...string) bool {
	return slices.ContainsFunc(list[Object](t, kind), func(other *Object) bool {
		return afterSlash(other.text("arn")) != id &&
			!slices.ContainsFunc(keys, func(key string) bool { return (*other)[key] != o[key] })
	})
}

func (t *tx) checkLoadBalancer(id string, o Object) error {
	zones := map[string]bool{}
	if count := len(o.list("subnets")); count > awslimits.LoadBalancerSubnets {
		return refuse("TooManySubnets", "A load balancer can have up to %d subnets, and not %d",
			awslimits.LoadBalancerSubnets, count)
	}
	for _, id := range o.list("subnets") {
		subnet := FindSubnet(id)
		if subnet == nil {
			return refuse("SubnetNotFound", "The subnet ID '%s' does not exist", id)
		}
		zones[subnet.Zone] = true
	}
	if len(zones) < 2 {
		return refuse("ValidationError", "At least two subnets in two different Availability Zones must be specified")
	}
	for _, id := range o.list("securityGroups") {
		if !t.hasSecurityGroup(id) {
			return refuse("InvalidSecurityGroup", "The security group '%s' does not exist", id)
		}
	}
	if t.hasDuplicate(LoadBalancer, id, o, "name") {
		return refuse("DuplicateLoadBalancerName",
			"A load balancer with the same name '%s' exists, but with different settings",
			o.text("name"))
	}
	return nil
}

func (t *tx) checkTargetGroup(id string, o Object) error {
	if vpc := o.text("vpcId"); vpc != DefaultVPC {
		return refuse("ValidationError", "The VPC ID '%s' is not found", vpc)
	}
	if t.hasDuplicate(TargetGroup, id, o, "name") {
		return refuse("DuplicateTargetGroupName",
			"A target group with the same name '%s' exists, but with different settings",
			o.text("name"))
	}
	timeout, _ := member(o["healthCheck"], "timeout").(float64)
	if interval, ok := member(o["healthCheck"], "interval").(float64); ok && timeout >= interval {
		return refuse("ValidationError", "Health check timeout '%v' must be smaller than the interval '%v'", timeout,
			interval)
	}
	return nil
}

func (t *tx) checkListener(id string, o Object) error {
	arn := o.text("loadBalancerArn")
	if get[Object](t, LoadBalancer, afterSlash(arn)) == nil {
		return refuse("LoadBalancerNotFound", "Load balancers '[%s]' not found", arn)
	}
	if t.hasDuplicate(Listener, id, o, "loadBalancerArn", "port") {
		return refuse("DuplicateListener", "A listener already exists on this port for this load balancer")
	}
	switch certificate := o.text("certificateArn"); {
	case o.text("protocol") == "HTTPS":
		if err := t.checkServerCertificate(region(arn), certificate); err != nil {
			return err
		}
	case certificate != "":
		return refuse("InvalidConfigurationRequest", "Certificates cannot be specified for a listener with protocol '%s'",
			o.text("protocol"))
	}
	return t.checkActions(o, o)
}

func (t *tx) checkListenerRule(id string, o Object) error {
	listener := get[Object](t, Listener, afterSlash(o.text("listenerArn")))
	if listener == nil {
		return refuse("ListenerNotFound", "One or more listeners not found")
	}
	if t.hasDuplicate(ListenerRule, id, o, "listenerArn", "priority") {
		return refuse("PriorityInUse", "Priority '%v' is currently in use", o["priority"])
	}
	return t.checkActions(o, *listener)
}

// checkActions looks at the target groups that a listener, or a rule of it, forwards to.
func (t *tx) checkActions(o, listener Object) error {
	for _, arn := range o.targetGroups() {
		group := get[Object](t, TargetGroup, afterSlash(arn))
		if group == nil || group.text("arn") != arn {
			return refuse("TargetGroupNotFound", "Target groups '[%s]' not found", arn)
		}
		if group.text("protocolVersion") == "GRPC" && listener.text("protocol") != "HTTPS" {
			return refuse("InvalidLoadBalancerAction", "Listener protocol '%s' is not supported with a target group with the "+
				"protocol-version 'GRPC'", listener.text("protocol"))
		}
		for _, balancer := range t.loadBalancers(arn) {
			if balancer != listener.text("loadBalancerArn") {
				return refuse("TargetGroupAssociationLimit", "The following target groups cannot be associated with more than one "+
					"load balancer: %s", arn)
			}
		}
	}
	return nil
}

// targetGroups are the ARNs that a listener or a rule forwards to.
func (o Object) targetGroups() (arns []string) {
	for _, action := range slices.Concat(objects(o["defaultActions"]), objects(o["actions"])) {
		if arn, _ := action["targetGroupArn"].(string); arn != "" {
			arns = append(arns, arn)
		}
		for _, group := range objects(member(action["forward"], "targetGroups")) {
			arns = append(arns, fmt.Sprint(group["arn"]))
		}
	}
	return arns
}

// loadBalancers are the ARNs of those that forward to a target group, from a listener or from a rule of one.
func (t *tx) loadBalancers(targetGroup string) (arns []string) {
	for _, kind := range []string{Listener, ListenerRule} {
		for _, o := range list[Object](t, kind) {
			if !slices.Contains(o.targetGroups(), targetGroup) {
				continue
			}
			listener := o
			if kind == ListenerRule {
				listener = get[Object](t, Listener, afterSlash(o.text("listenerArn")))
			}
			arns = append(arns, listener.text("loadBalancerArn"))
		}
	}
	return arns
}

// release refuses to delete what others still use, and deletes what goes with an object.
func (t *tx) release(kind, id string, o Object) error {
	switch kind {
	case LoadBalancer:
		if o["enableDeletionProtection"] == true {
			return refuse("OperationNotPermitted", "Load balancer '%s' cannot be deleted because deletion protection is enabled",
				o.text("arn"))
		}
		for _, listener := range list[Object](t, Listener) {
			if listener.text("loadBalancerArn") == o.text("arn") {
				t.removeListener(listener.text("arn"))
			}
		}
	case Listener:
		t.removeListener(o.text("arn"))
	case TargetGroup:
		if len(t.loadBalancers(o.text("arn"))) > 0 {
			return refuse("ResourceInUse", "Target group '%s' is currently in use by a listener or a rule", o.text("arn"))
		}
	case Certificate:
		for _, listener := range list[Object](t, Listener) {
			if listener.text("certificateArn") == o.text("arn") {
				return refuse("ResourceInUseException", "Certificate %s in account %s is in use.", o.text("arn"), ID)
			}
		}
	case SecurityGroup:
		return t.releaseSecurityGroup(id)
	}
	return nil
}

func (t *tx) removeListener(arn string) {
	for _, rule := range list[Object](t, ListenerRule) {
		if rule.text("listenerArn") == arn {
			remove(t, ListenerRule, afterSlash(rule.text("arn")))
		}
	}
	remove(t, Listener, afterSlash(arn))
}
