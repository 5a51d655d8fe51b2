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

// balancers are the load balancers that the stage makes.
func (n *names) balancers() []string { return n.ofBalancers("loadbalancer/", n.ownPaths(), "") }

// listeners get rules, ownListeners are those that the stage makes.
func (n *names) listeners() []string { return n.ofBalancers("listener/", n.paths(), "/*") }

func (n *names) ownListeners() []string { return n.ofBalancers("listener/", n.ownPaths(), "/*") }

func (n *names) rules() []string { return n.ofBalancers("listener-rule/", n.paths(), "/*/*") }

// ownPaths name the load balancers that the stage makes in the ARNs of what belongs to them.
func (n *names) ownPaths() (paths []string) {
	if n.LoadBalancer.ARN == "" && n.HasRoutes() {
		paths = append(paths, "app/"+n.LoadBalancerName()+"-*/*")
	}
	if n.HasInternalRoutes() {
		paths = append(paths, "app/"+n.InternalLoadBalancerName()+"-*/*")
	}
	return paths
}

// paths are those of an existing load balancer, too.
func (n *names) paths() []string {
	paths := n.ownPaths()
	for _, arn := range n.existingBalancers() {
		_, path, _ := strings.Cut(arn, ":loadbalancer/")
		paths = append(paths, path)
	}
	return paths
}

func (n *names) ofBalancers(kind string, paths []string, below string) (arns []string) {
	for _, path := range paths {
		arns = append(arns, n.arn("elasticloadbalancing", kind+path+below))
	}
	return arns
}

// certificates that the stage makes have names that AWS makes.
func (n *names) certificates() []string {
	if n.LoadBalancer.Zone == "" || n.LoadBalancer.Certificate != "" {
		return nil
	}
	return anyOf(n.balancers(), n.arn("acm", "certificate/*"))
}

func (n *names) namedCertificates() []string {
	return slices.DeleteFunc([]string{n.LoadBalancer.Certificate, n.InternalLoadBalancer.Certificate},
		func(arn string) bool { return arn == "" })
}

// webACLs are what the stage's own load balancer is associated with.
func (n *names) webACLs() []string {
	if n.LoadBalancer.WebACL == "" {
		return nil
	}
	return anyOf(n.balancers(), n.LoadBalancer.WebACL)
}

// protected is the load balancer that is associated with a web ACL; associated are both.
func (n *names) protected() []string {
	if len(n.webACLs()) == 0 {
		return nil
	}
	return n.balancers()
}

func (n *names) associated() []string { return append(n.protected(), n.webACLs()...) }

// zones are hosted zones of Route 53, whose ids the stage file does not say.
func (n *names) zones() []string {
	if n.LoadBalancer.Zone == "" || !n.HasRoutes() {
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
	if n.LoadBalancer.ARN == "" || !n.HasRoutes() {
		return nil
	}
	return []string{n.LoadBalancer.ARN}
}
