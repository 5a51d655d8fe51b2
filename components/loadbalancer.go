package components

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/internal/awslimits"
	"slipway/stage"
)

const loadBalancerType = "slipway:components:LoadBalancer"

const (
	httpPort  = 80
	httpsPort = 443
)

// LoadBalancer is the Application Load Balancer that a stage's services share, its own or an existing one.
type LoadBalancer struct {
	pulumi.ResourceState

	// Arn is the load balancer's, Listeners are the ARNs of its listeners by http and https, SecurityGroups the ids of
	// its security groups.
	Arn            pulumi.StringOutput
	Listeners      pulumi.StringMap
	SecurityGroups pulumi.StringArray
	// DNSName is the load balancer's own name, HostedZone the zone that AWS keeps it in.
	DNSName    pulumi.StringOutput `pulumi:"dnsName"`
	HostedZone pulumi.StringOutput
	// ArnSuffix names it in CloudWatch: app/NAME/ID.
	ArnSuffix pulumi.StringOutput
	// Listener is the ARN of the listener that gets the services' rules.
	Listener pulumi.StringOutput
	// Scheme is that of its URLs, https or http, and Port what follows the host in them: empty for the scheme's own.
	Scheme, Port string

	// group is the security group of a load balancer that the stage makes; foreignGroups are those of an existing one.
	group         *securityGroup
	foreignGroups []string
}

// newLoadBalancers declares the stage's load balancer and its internal one. Each is nil where no service has a route
// from it, and nothing is declared for an existing one.
func newLoadBalancers(ctx *pulumi.Context, stage *stage.Stage, preflight *Preflight) (
	balancer, internal *LoadBalancer, err error) {
	if ingress := preflight.ingress; ingress != nil && ingress.Existing != nil {
		balancer = existingLoadBalancer(ingress)
	} else if ingress != nil {
		if balancer, err = newLoadBalancer(ctx, stage, preflight.Network, ingress); err != nil {
			return nil, nil, err
		}
	}
	if ingress := preflight.internalIngress; ingress != nil {
		internal, err = newLoadBalancer(ctx, stage, preflight.Network, ingress)
	}
	return balancer, internal, err
}

// newLoadBalancer declares a load balancer, with HTTPS where it has a certificate.
func newLoadBalancer(ctx *pulumi.Context, stage *stage.Stage, network *Network, ingress *ingressLookup) (*LoadBalancer,
	error) {
	name, inAWS, description := stage.Name, stage.LoadBalancerName(), "load balancer of "+stage.Cluster()
	if ingress.Second {
		name, inAWS, description = name+"-internal", stage.InternalLoadBalancerName(), "internal "+description
	}
	settings := ingress.Settings
	component := &LoadBalancer{Scheme: "http", Listeners: pulumi.StringMap{}}
	if err := ctx.RegisterComponentResource(loadBalancerType, name, component); err != nil {
		return nil, err
	}
	parent := pulumi.Parent(component)
	group, err := newSecurityGroup(ctx, name, description, network, stage.AllTags(), nil, parent)
	if err != nil {
		return nil, err
	}
	component.group, component.SecurityGroups = group, pulumi.StringArray{group.ID().ToStringOutput()}
	rules, err := component.admit(ctx, name, settings, parent)
	if err != nil {
		return nil, err
	}
	balancer, err := lb.NewLoadBalancer(ctx, inAWS, &lb.LoadBalancerArgs{
		LoadBalancerType:         pulumi.String("application"),
		Internal:                 pulumi.Bool(settings.Internal),
		Subnets:                  network.loadBalancerSubnets(ingress),
		SecurityGroups:           component.SecurityGroups,
		IdleTimeout:              pulumi.Int(settings.IdleTimeout),
		EnableDeletionProtection: pulumi.Bool(settings.DeletionProtection),
		AccessLogs:               accessLogs(settings.AccessLogs),
		Tags:                     pulumi.ToStringMap(stage.AllTags()),
	}, parent, pulumi.DependsOn(rules),
		// It cannot move to another VPC, and the provider would try.
		pulumi.ReplacementTrigger(network.vpc()))
	if err != nil {
		return nil, err
	}
	associations, err := associate(ctx, name, settings, balancer, parent)
	if err != nil {
		return nil, err
	}
	own := listeners{ctx, stage, ingress, name, component, balancer, pulumi.DependsOn(associations)}
	listen := own.http
	if settings.HTTPS() {
		component.Scheme = "https"
		listen = own.https
	}
	listener, err := listen()
	if err != nil {
		return nil, err
	}
	component.Listener, component.Arn = listener.Arn, balancer.Arn
	component.DNSName, component.HostedZone, component.ArnSuffix = balancer.DnsName, balancer.ZoneId, balancer.ArnSuffix
	return component, ctx.RegisterResourceOutputs(component, pulumi.Map{"dnsName": component.DNSName})
}

func existingLoadBalancer(ingress *ingressLookup) *LoadBalancer {
	scheme, port := strings.ToLower(ingress.Listener.Protocol), ""
	if number := ingress.Listener.Port; number != map[string]int{"http": httpPort, "https": httpsPort}[scheme] {
		port = fmt.Sprintf(":%d", number)
	}
	return &LoadBalancer{
		Arn:            pulumi.String(ingress.Existing.Arn).ToStringOutput(),
		Listeners:      pulumi.StringMap{scheme: pulumi.String(ingress.Listener.Arn)},
		SecurityGroups: pulumi.ToStringArray(ingress.Existing.SecurityGroups),
		DNSName:        pulumi.String(ingress.Existing.DnsName).ToStringOutput(),
		HostedZone:     pulumi.String(ingress.Existing.ZoneId).ToStringOutput(),
		ArnSuffix:      pulumi.String(ingress.Existing.ArnSuffix).ToStringOutput(),
		Listener:       pulumi.String(ingress.Listener.Arn).ToStringOutput(),
		Scheme:         scheme,
		Port:           port,
		foreignGroups:  ingress.Existing.SecurityGroups,
	}
}

// admit opens the ports of the listeners to those that may reach them.
func (l *LoadBalancer) admit(ctx *pulumi.Context, name string, settings stage.LoadBalancer,
	parent pulumi.ResourceOption) ([]pulumi.Resource, error) {
	peers := settings.AllowFrom
	if len(peers) == 0 {
		peers = []string{"0.0.0.0/0"}
	}
	plain := peers
	if settings.HTTPS() { // A list counts as many rules, of which a group takes 60 in all.
		plain = slices.DeleteFunc(slices.Clone(peers), awslimits.PrefixListID.MatchString)
	}
	rules, err := l.group.admit(ctx, name+"-http", httpPort, plain, parent)
	if err != nil || !settings.HTTPS() {
		return rules, err
	}
	more, err := l.group.admit(ctx, name+"-https", httpsPort, peers, parent)
	return append(rules, more...), err
}

// listeners are those of the stage's own load balancer.
type listeners struct {
	ctx       *pulumi.Context
	stage     *stage.Stage
	ingress   *ingressLookup
	name      string // that their own begin with
	component *LoadBalancer
	balancer  *lb.LoadBalancer
	// protected has them serve nothing before the web ACL is there.
	protected pulumi.ResourceOption
}

// https declares the listener that the services' rules belong to, and one that sends plain HTTP there. A certificate
// that the stage file does not name is made for the zone.
func (l listeners) https() (*lb.Listener, error) {
	certificate, err := l.certificate()
	if err != nil {
		return nil, err
	}
	https, err := l.listen("https", &lb.ListenerArgs{
		Port:           pulumi.Int(httpsPort),
		Protocol:       pulumi.String("HTTPS"),
		SslPolicy:      pulumi.String(l.ingress.Settings.TLSPolicy),
		CertificateArn: certificate,
		DefaultActions: noSuchService,
	})
	if err != nil {
		return nil, err
	}
	// Not before there is something to be sent to.
	_, err = l.listen("http", &lb.ListenerArgs{
		Port:     pulumi.Int(httpPort),
		Protocol: pulumi.String("HTTP"),
		DefaultActions: lb.ListenerDefaultActionArray{&lb.ListenerDefaultActionArgs{
			Type: pulumi.String("redirect"),
			Redirect: &lb.ListenerDefaultActionRedirectArgs{
				Protocol: pulumi.String("HTTPS"), Port: pulumi.String("443"), StatusCode: pulumi.String("HTTP_301"),
			},
		}},
	}, pulumi.DependsOn([]pulumi.Resource{https}))
	return https, err
}

func (l listeners) certificate() (pulumi.StringOutput, error) {
	if named := l.ingress.Settings.Certificate; named != "" {
		return pulumi.String(named).ToStringOutput(), nil
	}
	made, err := newCertificate(l.ctx, l.stage, l.ingress.ZoneID, pulumi.Parent(l.component))
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return made.Arn, nil
}

// http declares the listener of a load balancer without a certificate, and says what that means, except of the internal
// one: its requests stay in the VPC.
func (l listeners) http() (*lb.Listener, error) {
	warning := l.stage.Where("loadBalancer") +
		": the stage has no certificate, so it serves plain HTTP, which anybody on " +
		"the way can read and change: write loadBalancer.zone to have one made, or loadBalancer.certificate"
	if !l.ingress.Second {
		if err := l.ctx.Log.Warn(warning, &pulumi.LogArgs{Resource: l.component}); err != nil {
			return nil, err
		}
	}
	return l.listen("http", &lb.ListenerArgs{
		Port:           pulumi.Int(httpPort),
		Protocol:       pulumi.String("HTTP"),
		DefaultActions: noSuchService,
	})
}

func (l listeners) listen(kind string, args *lb.ListenerArgs, opts ...pulumi.ResourceOption) (*lb.Listener, error) {
	args.LoadBalancerArn, args.Tags = l.balancer.Arn, pulumi.ToStringMap(l.stage.AllTags())
	listener, err := lb.NewListener(l.ctx, l.name+"-"+kind, args,
		append(opts, pulumi.Parent(l.component), l.protected)...)
	if err == nil {
		l.component.Listeners[kind] = listener.Arn
	}
	return listener, err
}

// summary is what the stack's outputs say of the load balancer, for resources of a team's own to attach to.
func (l *LoadBalancer) summary() pulumi.Map {
	return pulumi.Map{"arn": l.Arn, "dnsName": l.DNSName, "zoneId": l.HostedZone, "securityGroups": l.SecurityGroups,
		"listeners": l.Listeners}
}

// noSuchService answers requests that no service's rule takes.
var noSuchService = lb.ListenerDefaultActionArray{&lb.ListenerDefaultActionArgs{
	Type: pulumi.String("fixed-response"),
	FixedResponse: &lb.ListenerDefaultActionFixedResponseArgs{
		ContentType: pulumi.String("text/plain"), MessageBody: pulumi.String("no such service"),
		StatusCode: pulumi.String("404"),
	},
}}

// accessLogs are written out where there are none, too: the provider takes what is left out as no change.
func accessLogs(settings *stage.AccessLogs) lb.LoadBalancerAccessLogsPtrInput {
	if settings == nil {
		return &lb.LoadBalancerAccessLogsArgs{Bucket: pulumi.String(""), Enabled: pulumi.Bool(false)}
	}
	return &lb.LoadBalancerAccessLogsArgs{
		Bucket: pulumi.String(settings.Bucket), Prefix: optionalString(settings.Prefix), Enabled: pulumi.Bool(true),
	}
}
