package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/stage"
)

const serviceType = "slipway:components:Service"

// ServiceArgs says what a Service is made from.
type ServiceArgs struct {
	// Preflight found what it is made in.
	Preflight *Preflight
	// Stage that the service belongs to, with its settings and the names of everything.
	Stage *stage.Stage
	// Cluster that the service belongs to.
	Cluster *Cluster
	// LoadBalancer of the stage; nil where no service has a route.
	LoadBalancer *LoadBalancer
	// Images of the stage, which its containers run.
	Images Images
	// Retention keeps the images of its revisions.
	Retention *Retention
}

// Service keeps a number of replicas of one task definition running.
type Service struct {
	pulumi.ResourceState

	// Arn of the ECS service.
	Arn pulumi.StringOutput `pulumi:"arn"`
	// TaskDefinition is the ARN of the revision that serves. In an update it is known only once the service is
	// steady on it.
	TaskDefinition pulumi.StringOutput `pulumi:"taskDefinition"`
	// Summary is what the stack's outputs say of the service: family, revision, taskDefinition (ARN of the revision),
	// replicas, logGroup, service (ARN), whether it is pinned to an earlier revision, and where it has a route its
	// url.
	Summary pulumi.Map

	name     string
	args     *ServiceArgs
	workload *workload
	route    *Route // nil without one
	// ready are those without which the first tasks cannot start; then a first deployment has nothing to roll back to.
	ready []pulumi.Resource
	// before are the runs of tasks that the deployment waits for.
	before []pulumi.Resource
}

// NewService declares everything that is a service's alone, in the order in which AWS needs it, but for the ECS service itself:
// see Deploy.
func NewService(ctx *pulumi.Context, name string, args *ServiceArgs, opts ...pulumi.ResourceOption) (*Service, error) {
	component := &Service{name: name, args: args}
	if err := ctx.RegisterComponentResource(serviceType, name, component, opts...); err != nil {
		return nil, err
	}
	parent := pulumi.Parent(component)
	settings := args.Stage.Services[name]
	var err error
	component.workload, err = newWorkload(ctx, name, &workloadArgs{
		preflight: args.Preflight, stage: args.Stage, images: args.Images, retention: args.Retention,
		port: settings.Port, exec: settings.Exec,
	}, parent)
	if err != nil {
		return nil, err
	}
	component.ready, err = component.workload.group.admitRanges(ctx, name, settings.Port, settings.AllowFrom, parent)
	if err != nil {
		return nil, err
	}
	component.ready = append(component.ready, component.workload.ready...)
	if settings.Route != nil {
		if component.route, err = NewRoute(ctx, name, &RouteArgs{
			Stage: args.Stage, LoadBalancer: args.LoadBalancer, Network: args.Preflight.Network,
			ZoneID: args.Preflight.Ingress.ZoneID, group: component.workload.group,
		}, parent); err != nil {
			return nil, err
		}
		component.ready = append(component.ready, component.route.ready...)
	}
	return component, nil
}

// Deploy declares the ECS services themselves, each of which moves to its target revision. Tasks that are to run before have to
// be declared by then. It returns what the stack's outputs say of the services, by name.
func Deploy(ctx *pulumi.Context, services map[string]*Service) (pulumi.Map, error) {
	summaries := pulumi.Map{}
	for _, name := range sortedKeys(services) {
		if err := services[name].deploy(ctx); err != nil {
			return nil, err
		}
		summaries[name] = services[name].Summary
	}
	return summaries, nil
}

func (s *Service) deploy(ctx *pulumi.Context) error {
	name, args, parent := s.name, s.args, pulumi.Parent(s)
	settings, network := args.Stage.Services[name], args.Preflight.Network
	tags, logGroup := args.Stage.TagsOf(name), args.Stage.LogGroup(name)
	alarms, err := args.alarms(ctx, name, s.route, parent)
	if err != nil {
		return err
	}
	key := args.Stage.Key(name)
	hooks, err := args.Preflight.Rollouts.Hooks(key, args.Preflight.Account.serviceARN(args.Stage.Cluster(), name), s)
	if err != nil {
		return err
	}
	options := []pulumi.ResourceOption{
		parent, pulumi.ResourceHooks(hooks), pulumi.DependsOn(append(s.ready, s.before...)),
		// Its name is taken until it is gone. The provider says so for a changed input, but not where a user asks for
		// a replacement: then ECS would answer the creation with the service that is deleted next.
		pulumi.DeleteBeforeReplace(true),
	}
	if kept := keptProperties(settings); len(kept) > 0 {
		options = append(options, pulumi.IgnoreChanges(kept))
	}
	service, err := ecs.NewService(ctx, name, &ecs.ServiceArgs{
		Name:               pulumi.String(name),
		Cluster:            args.Cluster.Arn,
		TaskDefinition:     s.workload.targetRevision,
		DesiredCount:       pulumi.Int(settings.StartReplicas()),
		LaunchType:         pulumi.String("FARGATE"),
		SchedulingStrategy: pulumi.String("REPLICA"),
		NetworkConfiguration: &ecs.ServiceNetworkConfigurationArgs{
			Subnets:        pulumi.ToStringArray(network.Subnets),
			SecurityGroups: pulumi.StringArray{s.workload.group.ID().ToStringOutput()},
			AssignPublicIp: pulumi.Bool(network.AssignPublicIP),
		},
		LoadBalancers:                 s.route.serviceLoadBalancers(name, settings.Port),
		HealthCheckGracePeriodSeconds: gracePeriod(settings.Route),
		DeploymentCircuitBreaker: &ecs.ServiceDeploymentCircuitBreakerArgs{
			Enable:   pulumi.Bool(settings.Deployment.CircuitBreaker != "off"),
			Rollback: pulumi.Bool(settings.Deployment.CircuitBreaker == "rollback"),
		},
		DeploymentMinimumHealthyPercent: pulumi.Int(settings.Deployment.MinimumHealthy),
		DeploymentMaximumPercent:        pulumi.Int(settings.Deployment.Maximum),
		Alarms:                          alarms,
		PropagateTags:                   pulumi.String("SERVICE"),
		EnableExecuteCommand:            pulumi.Bool(settings.Exec),
		Tags:                            pulumi.ToStringMap(tags),
		// The provider calls a rolled-back deployment a success, and waits long for a failed one: see Rollouts.
		WaitForSteadyState: pulumi.Bool(false),
	}, options...)
	if err != nil {
		return err
	}
	if settings.Scaling != nil {
		if _, err := NewScaling(ctx, name, &ScalingArgs{
			Cluster: args.Stage.Cluster(), Service: service, Settings: settings.Scaling,
			Requests: s.route.requests(args.LoadBalancer), Tags: tags,
		}, parent); err != nil {
			return err
		}
	}

	s.Arn = service.ID().ToStringOutput()
	s.TaskDefinition = args.Preflight.Rollouts.Watch(Watched{
		Key: key, Service: service, LogGroup: logGroup, ExtraRolloutTime: settings.ExtraRolloutTime(),
		Revision: s.workload.targetRevision, Replicas: settings.FixedReplicas(), Alarms: settings.Deployment.HasAlarms(),
	})
	s.Summary = pulumi.Map{
		"family":         pulumi.String(args.Stage.Family(name)),
		"revision":       s.workload.revision,
		"taskDefinition": s.TaskDefinition,
		"replicas":       pulumi.Int(settings.StartReplicas()),
		"logGroup":       pulumi.String(logGroup),
		"service":        s.Arn,
		"pinned":         pulumi.Bool(args.Preflight.Revisions[name] != ""),
	}
	if s.route != nil {
		s.Summary["url"] = s.route.URL
	}
	return ctx.RegisterResourceOutputs(s, pulumi.Map{"arn": s.Arn, "taskDefinition": s.TaskDefinition})
}

// alarms are those that take a deployment of the service back. ECS keeps the alarms of a service from which they are
// left out, so those are switched off. Their names stay: the provider sends no empty list.
func (args *ServiceArgs) alarms(ctx *pulumi.Context, name string, route *Route, opts ...pulumi.ResourceOption) (ecs.ServiceAlarmsPtrInput, error) {
	deployment := args.Stage.Services[name].Deployment
	if !deployment.HasAlarms() {
		kept := args.Preflight.AlarmsToDisable[name]
		if len(kept) == 0 {
			return nil, nil
		}
		return &ecs.ServiceAlarmsArgs{AlarmNames: pulumi.ToStringArray(kept), Enable: pulumi.Bool(false), Rollback: pulumi.Bool(false)}, nil
	}
	names := pulumi.ToStringArray(deployment.Alarms)
	if deployment.MaxErrors > 0 {
		alarm, err := newErrorAlarm(ctx, name, args.Stage, args.LoadBalancer, route, opts...)
		if err != nil {
			return nil, err
		}
		names = append(names, alarm.Name)
	}
	return &ecs.ServiceAlarmsArgs{AlarmNames: names, Enable: pulumi.Bool(true), Rollback: pulumi.Bool(true)}, nil
}

// keptProperties stay as ECS has them.
func keptProperties(settings stage.Service) (properties []string) {
	if settings.Scaling != nil { // which decides the count from now on
		properties = append(properties, "desiredCount")
	}
	// The provider would send 0 for one that goes with its route, and ECS refuses any where no load balancer is
	// (https://github.com/hashicorp/terraform-provider-aws/issues/31104).
	if settings.Route == nil {
		properties = append(properties, "healthCheckGracePeriodSeconds")
	}
	return properties
}

func gracePeriod(route *stage.Route) pulumi.IntPtrInput {
	if route == nil {
		return nil
	}
	return pulumi.Int(route.GracePeriod)
}
