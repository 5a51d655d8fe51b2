package components

import (
	"cmp"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/stage"
)

const routeType = "slipway:components:Route"

// serviceRoute is how a load balancer comes to send requests to a service.
type serviceRoute struct {
	pulumi.ResourceState

	// TargetGroup is the ARN of the service's target group, ArnSuffix its name in CloudWatch: targetgroup/NAME/ID.
	TargetGroup pulumi.StringOutput `pulumi:"targetGroup"`
	ArnSuffix   pulumi.StringOutput
	// URL of the service.
	URL pulumi.StringOutput `pulumi:"url"`

	// ready is what must be there before tasks can be reached.
	ready []pulumi.Resource
}

// newRoute declares a service's target group and listener rule, DNS records for its hosts, and what lets the load
// balancer through to its tasks.
func newRoute(ctx *pulumi.Context, w *Workload) (*serviceRoute, error) {
	name, component := w.name, &serviceRoute{}
	if err := ctx.RegisterComponentResource(routeType, name, component, pulumi.Parent(w)); err != nil {
		return nil, err
	}
	parent := pulumi.Parent(component)
	service := w.Stage.Services[name]
	tags := pulumi.ToStringMap(w.Stage.TagsOf(name))

	targets, err := lb.NewTargetGroup(ctx, w.Stage.TargetGroupName(name),
		targetGroup(*service.Route, w.Preflight.Network.vpc(), tags), parent)
	if err != nil {
		return nil, err
	}
	rule, err := lb.NewListenerRule(ctx, name, &lb.ListenerRuleArgs{
		ListenerArn: w.balancer().Listener,
		Priority:    pulumi.Int(w.Stage.Priority(name)),
		Conditions:  conditions(*service.Route),
		Actions: lb.ListenerRuleActionArray{&lb.ListenerRuleActionArgs{
			Type: pulumi.String("forward"), TargetGroupArn: targets.Arn,
		}},
		Tags: tags,
	}, parent,
		// Another listener may be another load balancer's, and a target group belongs to one at a time.
		pulumi.DeleteBeforeReplace(true))
	if err != nil {
		return nil, err
	}
	rules, err := w.allowFromLoadBalancer(ctx, service.Port, parent)
	if err != nil {
		return nil, err
	}
	if ingress := w.Preflight.ingress; ingress != nil && ingress.ZoneID != "" {
		for _, host := range w.Stage.RecordHosts(name) {
			if err := w.balancer().newRecord(ctx, ingress.ZoneID, host, parent); err != nil {
				return nil, err
			}
		}
	}
	component.TargetGroup, component.ArnSuffix = targets.Arn, targets.ArnSuffix
	component.ready = append(rules, rule)
	component.URL = w.balancer().url(*service.Route)
	return component, ctx.RegisterResourceOutputs(component, pulumi.Map{"targetGroup": component.TargetGroup,
		"url": component.URL})
}

func targetGroup(route stage.Route, vpc pulumi.StringInput, tags pulumi.StringMap) *lb.TargetGroupArgs {
	check := route.HealthCheck
	return &lb.TargetGroupArgs{
		TargetType: pulumi.String("ip"), // as tasks on Fargate have addresses of their own
		VpcId:      vpc.ToStringOutput(),
		Protocol:   pulumi.String("HTTP"),
		// ECS registers each task with its container's port. This one is never used, and so need not change with that.
		Port: pulumi.Int(httpPort),
		ProtocolVersion: pulumi.String(map[string]string{"http1": "HTTP1", "http2": "HTTP2",
			"grpc": "GRPC"}[route.Protocol]),
		DeregistrationDelay: pulumi.Int(route.DeregistrationDelay),
		HealthCheck: &lb.TargetGroupHealthCheckArgs{
			Enabled: pulumi.Bool(true), Protocol: pulumi.String("HTTP"), Port: pulumi.String("traffic-port"),
			Path: pulumi.String(check.Path), Matcher: pulumi.String(check.Codes),
			Interval: pulumi.Int(check.Interval), Timeout: pulumi.Int(check.Timeout),
			HealthyThreshold: pulumi.Int(check.HealthyThreshold), UnhealthyThreshold: pulumi.Int(check.UnhealthyThreshold),
		},
		Stickiness: stickiness(route.Stickiness),
		Tags:       tags,
	}
}

// stickiness is written out where it is off, too: the provider takes what is left out as no change.
func stickiness(seconds int) *lb.TargetGroupStickinessArgs {
	const day = 86400 // what AWS says where it is off
	return &lb.TargetGroupStickinessArgs{
		Enabled: pulumi.Bool(seconds > 0), Type: pulumi.String("lb_cookie"), CookieDuration: pulumi.Int(cmp.Or(seconds, day)),
	}
}

// conditions are what a request must be like; AWS wants at least one.
func conditions(route stage.Route) lb.ListenerRuleConditionArray {
	var all lb.ListenerRuleConditionArray
	if len(route.Hosts) > 0 {
		all = append(all, &lb.ListenerRuleConditionArgs{
			HostHeader: &lb.ListenerRuleConditionHostHeaderArgs{Values: pulumi.ToStringArray(route.Hosts)},
		})
	}
	for _, name := range sortedKeys(route.Headers) {
		all = append(all, &lb.ListenerRuleConditionArgs{HttpHeader: &lb.ListenerRuleConditionHttpHeaderArgs{
			HttpHeaderName: pulumi.String(name), Values: pulumi.ToStringArray(route.Headers[name]),
		}})
	}
	paths := route.Paths
	if len(paths) == 0 && len(all) == 0 {
		paths = []string{"/*"}
	}
	if len(paths) > 0 {
		all = append(all, &lb.ListenerRuleConditionArgs{
			PathPattern: &lb.ListenerRuleConditionPathPatternArgs{Values: pulumi.ToStringArray(paths)},
		})
	}
	return all
}

// allowFromLoadBalancer lets the load balancer through to the tasks, and nobody else.
func (w *Workload) allowFromLoadBalancer(ctx *pulumi.Context, port int, parent pulumi.ResourceOption) (
	[]pulumi.Resource, error) {
	if own := w.balancer().group; own != nil {
		in, err := w.group.newRule(ctx, w.name+"-from-load-balancer", "ingress", port,
			pulumi.Map{"sourceSecurityGroupId": own.ID()}, parent)
		if err != nil {
			return nil, err
		}
		out, err := own.newRule(ctx, w.name+"-from-load-balancer-out", "egress", port,
			pulumi.Map{"sourceSecurityGroupId": w.group.ID()}, parent)
		return []pulumi.Resource{in, out}, err
	}
	var rules []pulumi.Resource
	for _, id := range w.balancer().foreignGroups {
		in, err := w.group.newRule(ctx, w.name+"-from-"+id, "ingress", port,
			pulumi.Map{"sourceSecurityGroupId": pulumi.String(id)}, parent)
		if err != nil {
			return nil, err
		}
		rules = append(rules, in)
	}
	return rules, nil
}

// newRecord makes a host's name lead to the load balancer.
func (l *LoadBalancer) newRecord(ctx *pulumi.Context, zone, host string, parent pulumi.ResourceOption) error {
	_, err := route53.NewRecord(ctx, host, &route53.RecordArgs{
		ZoneId: pulumi.String(zone),
		Name:   pulumi.String(host),
		Type:   pulumi.String("A"),
		Aliases: route53.RecordAliasArray{&route53.RecordAliasArgs{
			Name: l.DNSName, ZoneId: l.HostedZone, EvaluateTargetHealth: pulumi.Bool(true),
		}},
	}, parent)
	return err
}

// url is where a person finds the service: at its first host and path, as far as they are exact.
func (l *LoadBalancer) url(route stage.Route) pulumi.StringOutput {
	host := l.DNSName
	if len(route.Hosts) > 0 {
		host = pulumi.String(route.Hosts[0]).ToStringOutput()
	}
	return pulumi.Sprintf("%s://%s%s%s", l.Scheme, host, l.Port, route.ExactPath())
}

// serviceLoadBalancers registers a service's tasks with the target group; a service without a route is nil and has
// none.
func (r *serviceRoute) serviceLoadBalancers(container string, port int) ecs.ServiceLoadBalancerArrayInput {
	if r == nil {
		return nil
	}
	return ecs.ServiceLoadBalancerArray{&ecs.ServiceLoadBalancerArgs{
		TargetGroupArn: r.TargetGroup, ContainerName: pulumi.String(container), ContainerPort: pulumi.Int(port),
	}}
}

// requests names the metric of a service's requests; a service without a route is nil and has none.
func (r *serviceRoute) requests(balancer *LoadBalancer) pulumi.StringPtrInput {
	if r == nil {
		return nil
	}
	return pulumi.Sprintf("%s/%s", balancer.ArnSuffix, r.ArnSuffix)
}
