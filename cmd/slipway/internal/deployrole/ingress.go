package deployrole

import (
	"cmp"
	"slices"
	"strings"
)

// targetGroups have names that the engine completes, and the load balancer's too.
func (n *names) targetGroups() []string {
	return n.each(func(name string) string {
		if name != "*" {
			name = n.TargetGroupName(name)
		}
		return n.arn("elasticloadbalancing", "targetgroup/"+name+"-*/*")
	}, n.hasRoute)
}

// balancers are the load balancer that the stage makes, existing one that it uses.
func (n *names) balancers() []string {
	if n.LoadBalancer.ARN != "" {
		return nil
	}
	return anyOf(n.targetGroups(), n.arn("elasticloadbalancing", "loadbalancer/app/"+n.LoadBalancerName()+"-*/*"))
}

// balancerPath is the part of the ARNs of a load balancer's listeners and rules that names it.
func (n *names) balancerPath() string {
	if arn := n.LoadBalancer.ARN; arn != "" {
		_, path, _ := strings.Cut(arn, ":loadbalancer/")
		return path
	}
	return "app/" + n.LoadBalancerName() + "-*/*"
}

// listeners get rules, ownListeners are those that the stage makes.
func (n *names) listeners() []string {
	return anyOf(n.targetGroups(), n.arn("elasticloadbalancing", "listener/"+n.balancerPath()+"/*"))
}

func (n *names) ownListeners() []string {
	if len(n.balancers()) == 0 {
		return nil
	}
	return n.listeners()
}

func (n *names) rules() []string {
	return anyOf(n.targetGroups(), n.arn("elasticloadbalancing", "listener-rule/"+n.balancerPath()+"/*/*"))
}

// certificates that the stage makes have names that AWS makes.
func (n *names) certificates() []string {
	if n.LoadBalancer.Zone == "" || n.LoadBalancer.Certificate != "" {
		return nil
	}
	return anyOf(n.balancers(), n.arn("acm", "certificate/*"))
}

func (n *names) namedCertificates() []string {
	if n.LoadBalancer.Certificate == "" {
		return nil
	}
	return []string{n.LoadBalancer.Certificate}
}

// zones are hosted zones of Route 53, whose ids the stage file does not say.
func (n *names) zones() []string {
	if n.LoadBalancer.Zone == "" {
		return nil
	}
	return anyOf(n.targetGroups(), "arn:"+n.partition()+":route53:::hostedzone/*")
}

func (n *names) changes() []string {
	return anyOf(n.zones(), "arn:"+n.partition()+":route53:::change/*")
}

// securityGroups have ids that AWS makes.
func (n *names) securityGroups() []string {
	return anyOf(slices.Concat(n.taskDefinitions(), n.capacityProviders()), n.arn("ec2", "security-group/*"))
}

func (n *names) vpcs() []string {
	return anyOf(n.securityGroups(), n.arn("ec2", "vpc/"+cmp.Or(n.Network.VPC, "*")))
}

func (n *names) existingBalancers() []string {
	if n.LoadBalancer.ARN == "" || len(n.targetGroups()) == 0 {
		return nil
	}
	return []string{n.LoadBalancer.ARN}
}
