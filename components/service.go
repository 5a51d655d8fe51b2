package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/stage"
)

const serviceType = "slipway:components:Service"

// ServiceArgs says what a Service is made from.
type ServiceArgs struct {
	// Surroundings that it is made in.
	Surroundings *Surroundings
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
}

// NewService declares a replica service with everything that is its alone, in the order in which AWS needs it.
func NewService(ctx *pulumi.Context, name string, args *ServiceArgs, opts ...pulumi.ResourceOption) (*Service, error) {
	component := &Service{}
	if err := ctx.RegisterComponentResource(serviceType, name, component, opts...); err != nil {
		return nil, err
	}
	parent := pulumi.Parent(component)
	settings, family, logGroupName := args.Stage.Services[name], args.Stage.Family(name), args.Stage.LogGroup(name)
	tags, account, network := args.Stage.TagsOf(name), args.Surroundings.Account, args.Surroundings.Network

	logGroup, err := cloudwatch.NewLogGroup(ctx, name, &cloudwatch.LogGroupArgs{
		Name:            pulumi.String(logGroupName),
		RetentionInDays: pulumi.Int(settings.LogRetention),
		Tags:            pulumi.ToStringMap(tags),
	}, parent)
	if err != nil {
		return nil, err
	}
	secrets, ownSecret, err := newSecretsOf(ctx, name, args.Stage, parent)
	if err != nil {
		return nil, err
	}
	own := roles{account, args.Stage, name}
	executionRole, executionPolicy, err := own.execution(ctx, ownSecret, parent)
	if err != nil {
		return nil, err
	}
	taskRole, taskPolicies, err := own.task(ctx, parent)
	if err != nil {
		return nil, err
	}
	definition, err := NewTaskDefinition(ctx, name, &TaskDefinitionArgs{
		Family:           family,
		Container:        name,
		Settings:         settings.TaskDefinition,
		Port:             settings.Port,
		Exec:             settings.Exec,
		Images:           args.Images,
		Region:           account.Region,
		LogGroup:         logGroupName,
		Secrets:          secrets,
		ExecutionRoleArn: executionRole.Arn,
		TaskRoleArn:      taskRole.Arn,
		Tags:             tags,
	}, parent)
	if err != nil {
		return nil, err
	}
	revision := definition.Revision
	pinned := args.Surroundings.Revisions[name]
	if pinned != "" {
		revision = pulumi.Int(settings.Revision).ToIntOutput()
	}
	wanted := args.Retention.Protect(name, definition, args.Images.refs(settings.TaskDefinition), pinned)
	group, err := newSecurityGroup(ctx, name, "tasks of "+family, network, tags, everywhere, parent)
	if err != nil {
		return nil, err
	}
	// Without these the first tasks cannot start, and a first deployment has nothing to roll back to.
	ready, err := group.admitRanges(ctx, name, settings.Port, settings.AllowFrom, parent)
	if err != nil {
		return nil, err
	}
	ready = append(append(ready, logGroup, executionPolicy), taskPolicies...)
	var route *Route
	if settings.Route != nil {
		if route, err = NewRoute(ctx, name, &RouteArgs{
			Stage: args.Stage, LoadBalancer: args.LoadBalancer, Network: network,
			ZoneID: args.Surroundings.Entrance.ZoneID, group: group,
		}, parent); err != nil {
			return nil, err
		}
		ready = append(ready, route.ready...)
	}
	alarms, err := args.alarms(ctx, name, route, parent)
	if err != nil {
		return nil, err
	}

	key := "services." + name
	hooks, err := args.Surroundings.Rollouts.Hooks(key, account.serviceARN(args.Stage.Cluster(), name), component)
	if err != nil {
		return nil, err
	}
	serviceOptions := []pulumi.ResourceOption{
		parent, pulumi.ResourceHooks(hooks), pulumi.DependsOn(ready),
		// Its name is taken until it is gone. The provider says so for a changed input, but not where a user asks for
		// a replacement: then ECS would answer the creation with the service that is deleted next.
		pulumi.DeleteBeforeReplace(true),
	}
	if settings.Scaling != nil { // which decides the count from now on
		serviceOptions = append(serviceOptions, pulumi.IgnoreChanges([]string{"desiredCount"}))
	}
	service, err := ecs.NewService(ctx, name, &ecs.ServiceArgs{
		Name:               pulumi.String(name),
		Cluster:            args.Cluster.Arn,
		TaskDefinition:     wanted,
		DesiredCount:       pulumi.Int(settings.StartReplicas()),
		LaunchType:         pulumi.String("FARGATE"),
		SchedulingStrategy: pulumi.String("REPLICA"),
		NetworkConfiguration: &ecs.ServiceNetworkConfigurationArgs{
			Subnets:        pulumi.ToStringArray(network.Subnets),
			SecurityGroups: pulumi.StringArray{group.ID().ToStringOutput()},
			AssignPublicIp: pulumi.Bool(network.AssignPublicIP),
		},
		LoadBalancers:                 route.serviceLoadBalancers(name, settings.Port),
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
	}, serviceOptions...)
	if err != nil {
		return nil, err
	}
	if settings.Scaling != nil {
		if _, err := NewScaling(ctx, name, &ScalingArgs{
			Cluster: args.Stage.Cluster(), Service: service, Settings: settings.Scaling,
			Requests: route.requests(args.LoadBalancer), Tags: tags,
		}, parent); err != nil {
			return nil, err
		}
	}

	component.Arn = service.ID().ToStringOutput()
	component.TaskDefinition = args.Surroundings.Rollouts.Watch(Watched{
		Key: key, Service: service, LogGroup: logGroupName, Patience: settings.Patience(),
		Revision: wanted, Replicas: settings.FixedReplicas(), Alarms: settings.Deployment.HasAlarms(),
	})
	component.Summary = pulumi.Map{
		"family":         pulumi.String(family),
		"revision":       revision,
		"taskDefinition": component.TaskDefinition,
		"replicas":       pulumi.Int(settings.StartReplicas()),
		"logGroup":       pulumi.String(logGroupName),
		"service":        component.Arn,
		"pinned":         pulumi.Bool(pinned != ""),
	}
	if route != nil {
		component.Summary["url"] = route.URL
	}
	return component, ctx.RegisterResourceOutputs(component, pulumi.Map{
		"arn": component.Arn, "taskDefinition": component.TaskDefinition,
	})
}

// alarms are those that take a deployment of the service back. ECS keeps the alarms of a service from which they are
// left out, so those are switched off. Their names stay: the provider sends no empty list.
func (args *ServiceArgs) alarms(ctx *pulumi.Context, name string, route *Route, opts ...pulumi.ResourceOption) (ecs.ServiceAlarmsPtrInput, error) {
	deployment := args.Stage.Services[name].Deployment
	if !deployment.HasAlarms() {
		kept := args.Surroundings.KeptAlarms[name]
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

func gracePeriod(route *stage.Route) pulumi.IntPtrInput {
	if route == nil {
		return nil
	}
	return pulumi.Int(route.GracePeriod)
}
