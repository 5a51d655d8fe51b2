package components

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/stage"
)

// Entrance is where the stage's load balancer stands, or the existing one that the stage uses.
type Entrance struct {
	// Subnets of the load balancer that the stage makes.
	Subnets []string
	// Existing is the load balancer that the stage file names; nil where the stage makes its own.
	Existing *lb.LookupLoadBalancerResult
	// Listener is the existing load balancer's listener that gets the stage's rules.
	Listener *lb.LookupListenerResult
	// ZoneID is the id of the hosted zone for DNS records; empty for none.
	ZoneID string
}

// LookupEntrance finds what a load balancer needs, where a service of the stage has a route.
func LookupEntrance(ctx *pulumi.Context, settings *stage.Stage, network *Network) (*Entrance, error) {
	if !settings.HasRoutes() {
		return nil, nil
	}
	entrance := &Entrance{}
	where := func(key string) string { return settings.Where("loadBalancer", key) }
	var mistakes []error
	if arn := settings.LoadBalancer.ARN; arn != "" {
		if err := entrance.lookupExisting(ctx, settings.LoadBalancer, network); err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %w", where("arn"), err))
		} else {
			mistakes = append(mistakes, entrance.checkProtocols(settings)...)
		}
	} else if err := entrance.chooseSubnets(ctx, settings.LoadBalancer, network); err != nil {
		mistakes = append(mistakes, fmt.Errorf("%s: %w", where("subnets"), err))
	}
	if zone := settings.LoadBalancer.Zone; zone != "" {
		found, err := route53.LookupZone(ctx, &route53.LookupZoneArgs{Name: &zone})
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: there is no public hosted zone %s in this account; name one that `aws route53 list-hosted-zones` lists: %w",
				where("zone"), zone, err))
		} else {
			entrance.ZoneID = found.ZoneId
		}
	}
	return entrance, errors.Join(mistakes...)
}

func (e *Entrance) lookupExisting(ctx *pulumi.Context, settings stage.LoadBalancer, network *Network) (err error) {
	if e.Existing, err = lb.LookupLoadBalancer(ctx, &lb.LookupLoadBalancerArgs{Arn: &settings.ARN}); err != nil {
		return fmt.Errorf("this load balancer cannot be read; name one of this account and region: %w", err)
	}
	if e.Existing.VpcId != network.VPC {
		return fmt.Errorf("the load balancer is in %s, and tasks run in %s; name one of the same VPC", e.Existing.VpcId, network.VPC)
	}
	port := settings.ListenerPort()
	if e.Listener, err = lb.LookupListener(ctx, &lb.LookupListenerArgs{LoadBalancerArn: &settings.ARN, Port: &port}); err != nil {
		return fmt.Errorf("the load balancer has no listener at port %d; write the port of one that it has as loadBalancer.port: %w", port, err)
	}
	return nil
}

// checkProtocols looks for services that an existing listener cannot speak with: it speaks gRPC over HTTPS only.
func (e *Entrance) checkProtocols(settings *stage.Stage) []error {
	var mistakes []error
	for _, name := range sortedKeys(settings.Services) {
		if route := settings.Services[name].Route; route != nil && route.Protocol == "grpc" && e.Listener.Protocol != "HTTPS" {
			mistakes = append(mistakes, fmt.Errorf("%s: is grpc, which a load balancer speaks over HTTPS only, and its listener at port %d speaks %s; "+
				"write the port of an HTTPS listener as loadBalancer.port", settings.Where("services", name, "route", "protocol"),
				settings.LoadBalancer.ListenerPort(), e.Listener.Protocol))
		}
	}
	return mistakes
}

// chooseSubnets takes those that the stage names, or those of its tasks.
func (e *Entrance) chooseSubnets(ctx *pulumi.Context, settings stage.LoadBalancer, network *Network) error {
	e.Subnets = network.Subnets
	zones := network.zones
	switch {
	case len(settings.Subnets) > 0:
		e.Subnets, zones = settings.Subnets, map[string]bool{}
		for _, id := range settings.Subnets {
			subnet, err := lookupSubnet(ctx, id, network.VPC)
			if err != nil {
				return err
			}
			zones[subnet.Zone] = true
		}
	case !settings.Internal && !network.public:
		return errors.New("is missing, and tasks run in private subnets, where nobody outside reaches a load balancer; name public subnets, " +
			"or write loadBalancer.internal: true")
	}
	if len(zones) < 2 {
		return fmt.Errorf("the load balancer's subnets are in %d availability zone, and it needs two; name subnets in two as loadBalancer.subnets", len(zones))
	}
	return nil
}
