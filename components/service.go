package components

import (
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/components/internal/rollout"
	"slipway/stage"
)

const serviceType = "slipway:components:Service"

// newService declares what keeps a number of replicas of a workload running, and moves them to its target revision once
// the resources of before are there. It returns what the stack's outputs say of the service: family, revision,
// taskDefinition (ARN of the revision that serves; in an update it is known only once the service is steady on it),
// replicas, logGroup, service (ARN), whether it is pinned to an earlier revision, what a team's own resources attach to
// (securityGroup by id, taskRole by name), and where it has a route its url and targetGroup (ARN).
func newService(ctx *pulumi.Context, w *Workload, before []pulumi.Resource, workloads map[string]*Workload) (pulumi.Map,
	error) {
	name, parent := w.name, pulumi.Parent(w)
	settings, network := w.Stage.Services[name], w.Preflight.Network
	asked := capacityOf(w.Stage, settings)
	capacity, public := w.Preflight.kept.targetCapacity(w.Stage, name), network.AssignPublicIP
	if settings.NeedsInstances() { // where a task's network interface can have no public address
		public = false
	}
	// Without what is ready the first tasks cannot start, and a first deployment has nothing to roll back to.
	ready, err := w.admit(ctx, workloads, parent)
	if err != nil {
		return nil, err
	}
	ready = slices.Concat(ready, w.ready, before, w.Cluster.capacityProviders)
	for _, called := range settings.Calls { // whose name has to be there when a deployment of the caller begins
		ready = append(ready, workloads[called].service)
	}
	var route *serviceRoute
	if settings.Route != nil {
		if route, err = newRoute(ctx, w); err != nil {
			return nil, err
		}
		ready = append(ready, route.ready...)
	}
	alarms, err := w.alarms(ctx, route)
	if err != nil {
		return nil, err
	}
	key, rollouts := w.Stage.Key(name), w.Preflight.rollouts
	hooks, err := rollouts.Hooks(key, serviceARN(w.Preflight.account, w.Stage.Cluster(), name), capacity, w)
	if err != nil {
		return nil, err
	}
	options := []pulumi.ResourceOption{
		parent, pulumi.ResourceHooks(hooks), pulumi.DependsOn(ready),
		// Its name is taken until it is gone. The provider says so for a changed input, but not where a user asks for
		// a replacement: then ECS would answer the creation with the service that is deleted next.
		pulumi.DeleteBeforeReplace(true),
		pulumi.IgnoreChanges(keptProperties(settings)),
	}
	service, err := ecs.NewService(ctx, name, &ecs.ServiceArgs{
		Name:                          pulumi.String(name),
		Cluster:                       w.Cluster.Arn,
		TaskDefinition:                w.targetRevision,
		DesiredCount:                  desiredCount(settings),
		LaunchType:                    launchType(asked, settings.Daemon),
		SchedulingStrategy:            pulumi.String(scheduling(settings.Daemon)),
		PlacementConstraints:          placement(settings),
		CapacityProviderStrategies:    capacityStrategies(asked),
		NetworkConfiguration:          w.networkConfiguration(public),
		ServiceConnectConfiguration:   w.connection(),
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
		Tags:                            pulumi.ToStringMap(tagsWithCapacity(w.Stage.TagsOf(name), capacity)),
		// The provider calls a rolled-back deployment a success, and waits long for a failed one: see Rollouts.
		WaitForSteadyState: pulumi.Bool(false),
	}, options...)
	if err != nil {
		return nil, err
	}
	w.service = service
	if settings.Scaling != nil {
		if err := newScaling(ctx, w, service, route.requests(w.balancer())); err != nil {
			return nil, err
		}
	}
	serving := rollouts.Watch(service, w.targetRevision, rollout.Rollout{
		Key: key, LogGroup: w.logGroup(), ExtraTime: settings.ExtraRolloutTime(), Replicas: settings.FixedReplicas(),
		Alarms: settings.Deployment.HasAlarms(), Capacity: capacity, AssignPublicIP: public,
		LogsElsewhere: settings.LogsElsewhere(name),
	})
	summary := pulumi.Map{
		"family":         pulumi.String(w.Stage.Family(name)),
		"revision":       w.revision,
		"taskDefinition": serving,
		"replicas":       pulumi.Int(settings.StartReplicas()),
		"logGroup":       pulumi.String(w.logGroup()),
		"service":        service.ID(),
		"pinned":         pulumi.Bool(w.Preflight.revisions[name] != ""),
		"securityGroup":  w.SecurityGroup,
		"taskRole":       w.TaskRole,
	}
	if route != nil {
		summary["url"], summary["targetGroup"] = route.URL, route.TargetGroup
		w.TargetGroup = route.TargetGroup
	}
	return summary, ctx.RegisterResourceOutputs(w, pulumi.Map{"arn": service.ID(), "taskDefinition": serving})
}

// networkConfiguration is that of tasks with networks of their own.
func (w *Workload) networkConfiguration(public bool) ecs.ServiceNetworkConfigurationPtrInput {
	if !w.Stage.Services[w.name].OwnNetwork() {
		return nil
	}
	return &ecs.ServiceNetworkConfigurationArgs{
		Subnets:        w.Preflight.Network.subnets(),
		SecurityGroups: w.securityGroups(),
		AssignPublicIp: pulumi.Bool(public),
	}
}

// desiredCount is none for a daemon: ECS counts its instances.
func desiredCount(settings stage.Service) pulumi.IntPtrInput {
	if settings.Daemon {
		return nil
	}
	return pulumi.Int(settings.StartReplicas())
}

// alarms are those that take a deployment of the service back. ECS keeps the alarms of a service from which they are
// left out, so those are switched off. Their names stay: the provider sends no empty list.
func (w *Workload) alarms(ctx *pulumi.Context, route *serviceRoute) (ecs.ServiceAlarmsPtrInput, error) {
	deployment := w.Stage.Services[w.name].Deployment
	if !deployment.HasAlarms() {
		kept := w.Preflight.kept.alarms[w.name]
		if len(kept) == 0 {
			return nil, nil
		}
		return &ecs.ServiceAlarmsArgs{AlarmNames: pulumi.ToStringArray(kept), Enable: pulumi.Bool(false),
			Rollback: pulumi.Bool(false)}, nil
	}
	names := pulumi.ToStringArray(deployment.Alarms)
	if deployment.MaxErrors > 0 {
		alarm, err := newErrorAlarm(ctx, w, route)
		if err != nil {
			return nil, err
		}
		names = append(names, alarm.Name)
	}
	return &ecs.ServiceAlarmsArgs{AlarmNames: names, Enable: pulumi.Bool(true), Rollback: pulumi.Bool(true)}, nil
}

// keptProperties stay as ECS has them.
func keptProperties(settings stage.Service) []string {
	properties := []string{"capacityProviderStrategies", "launchType"} // see rollout.Capacity
	if settings.Scaling != nil || settings.Daemon {                    // which decides the count from now on
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
