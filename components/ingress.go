package components

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/stage"
)

// ingressLookup is where the stage's load balancer stands, or the existing one that the stage uses.
type ingressLookup struct {
	// Settings are those of the load balancer.
	Settings stage.LoadBalancer
	// Second tells the internal load balancer that stands beside the stage's first one.
	Second bool
	// Subnets of the load balancer that the stage makes.
	Subnets []string
	// Existing is the load balancer that the stage file names; nil where the stage makes its own.
	Existing *lb.LookupLoadBalancerResult
	// Listener is the existing load balancer's listener that gets the stage's rules.
	Listener *lb.LookupListenerResult
	// ZoneID is the id of the hosted zone for DNS records; empty for none.
	ZoneID string
}

// lookupIngress finds what a load balancer needs, where a service of the stage has a route. network is nil where it was
// not found: then only what does not depend on it is looked up.
func lookupIngress(ctx *pulumi.Context, settings *stage.Stage, network *Network) (*ingressLookup, error) {
	if !settings.HasRoutes() {
		return nil, nil
	}
	ingress := &ingressLookup{Settings: settings.LoadBalancer}
	where := func(key string) string { return settings.Where("loadBalancer", key) }
	var mistakes []error
	if network == nil {
		// which has been told
	} else if arn := settings.LoadBalancer.ARN; arn != "" {
		if err := ingress.lookupExisting(ctx, settings, network); err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %w", where("arn"), err))
		}
	} else if settings.Network.Uses != "" {
		// The program hands its subnets over.
	} else if err := ingress.chooseSubnets(ctx, settings.LoadBalancer, network); err != nil {
		mistakes = append(mistakes, fmt.Errorf("%s: %w", where("subnets"), err))
	}
	if settings.LoadBalancer.WebACL != "" {
		if err := checkWebACL(ctx, settings.LoadBalancer); err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %w", where("webAcl"), err))
		}
	}
	if zone := settings.LoadBalancer.Zone; zone != "" {
		found, err := route53.LookupZone(ctx, &route53.LookupZoneArgs{Name: &zone})
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: there is no public hosted zone %s in this account; "+
				"name one that `aws route53 list-hosted-zones` lists: %w", where("zone"), zone, err))
		} else {
			ingress.ZoneID = found.ZoneId
		}
	}
	return ingress, errors.Join(mistakes...)
}

// lookupInternalIngress finds the subnets of the internal load balancer, where a service of the stage has an internal
// route.
func lookupInternalIngress(ctx *pulumi.Context, settings *stage.Stage, network *Network) (*ingressLookup, error) {
	if !settings.HasInternalRoutes() {
		return nil, nil
	}
	ingress := &ingressLookup{Settings: settings.InternalLoadBalancer.Settings(), Second: true}
	if network == nil || settings.Network.Uses != "" {
		return ingress, nil
	}
	if err := ingress.chooseSubnets(ctx, ingress.Settings, network); err != nil {
		return nil, fmt.Errorf("%s: %w", settings.Where("internalLoadBalancer", "subnets"), err)
	}
	return ingress, nil
}

func (i *ingressLookup) lookupExisting(ctx *pulumi.Context, settings *stage.Stage, network *Network) (err error) {
	arn, port := settings.LoadBalancer.ARN, settings.LoadBalancer.ListenerPort()
	if i.Existing, err = lb.LookupLoadBalancer(ctx, &lb.LookupLoadBalancerArgs{Arn: &arn}); err != nil {
		return fmt.Errorf("this load balancer cannot be read; name one of this account and region: %w", err)
	}
	if network.VPC != "" && i.Existing.VpcId != network.VPC {
		return fmt.Errorf("the load balancer is in %s, and tasks run in %s; name one of the same VPC", i.Existing.VpcId,
			network.VPC)
	}
	if i.Listener, err = lb.LookupListener(ctx, &lb.LookupListenerArgs{LoadBalancerArn: &arn, Port: &port}); err != nil {
		return fmt.Errorf("the load balancer has no listener at port %d; write the port of one that it has as "+
			"loadBalancer.port: %w", port, err)
	}
	for _, name := range sortedKeys(settings.Services) {
		route := settings.Services[name].Route
		if route != nil && !route.Internal && route.NeedsHTTPS() && i.Listener.Protocol != "HTTPS" {
			return fmt.Errorf("the listener at port %d speaks %s, and services.%s.route.protocol is %s, which needs HTTPS; "+
				"write the port of an HTTPS listener as loadBalancer.port", port, i.Listener.Protocol, name, route.Protocol)
		}
	}
	return nil
}

// chooseSubnets takes those that the stage names, or those of its tasks.
func (i *ingressLookup) chooseSubnets(ctx *pulumi.Context, settings stage.LoadBalancer, network *Network) error {
	i.Subnets = network.Subnets
	zones := network.zones
	switch {
	case len(settings.Subnets) > 0:
		i.Subnets, zones = settings.Subnets, map[string]string{}
		for _, id := range settings.Subnets {
			subnet, err := lookupSubnet(ctx, id, network.VPC)
			if err != nil {
				return err
			}
			zones[id] = subnet.Zone
		}
	case !settings.Internal && !network.public:
		return errors.New("is missing, and tasks run in private subnets, where nobody outside reaches a load balancer: " +
			"name public subnets, or set loadBalancer.internal")
	}
	return checkZones(i.Subnets, zones)
}

// checkZones refuses what AWS refuses: fewer than two availability zones, and two subnets in one.
func checkZones(subnets []string, zones map[string]string) error {
	taken := map[string]string{}
	for _, id := range subnets {
		if other, is := taken[zones[id]]; is {
			return fmt.Errorf("%s and %s are both in the availability zone %s, and a load balancer takes one subnet of each: "+
				"name one of each as its subnets", other, id, zones[id])
		}
		taken[zones[id]] = id
	}
	if len(taken) < 2 {
		return errors.New("a load balancer needs subnets in two availability zones: name such as its subnets")
	}
	return nil
}
