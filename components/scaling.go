package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/appautoscaling"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const scalingType = "slipway:components:Scaling"

// scalingComponent lets Application Auto Scaling decide a service's desired count.
type scalingComponent struct {
	pulumi.ResourceState
}

// newScaling declares what a service's desired count follows. requests names load balancer and target group in
// CloudWatch, app/NAME/ID/targetgroup/NAME/ID; nil where the service has no route.
func newScaling(ctx *pulumi.Context, w *Workload, service *ecs.Service, requests pulumi.StringPtrInput) error {
	name, component, scaling := w.name, &scalingComponent{}, w.Stage.Services[w.name].Scaling
	if err := ctx.RegisterComponentResource(scalingType, name, component, pulumi.Parent(w)); err != nil {
		return err
	}
	parent := pulumi.Parent(component)
	target, err := appautoscaling.NewTarget(ctx, name, &appautoscaling.TargetArgs{
		ServiceNamespace: pulumi.String("ecs"),
		// AWS forgets the target with the service, so it depends on the service's own name: both are recreated together.
		ResourceId:        pulumi.Sprintf("service/%s/%s", w.Stage.Cluster(), service.Name),
		ScalableDimension: pulumi.String("ecs:service:DesiredCount"),
		MinCapacity:       pulumi.Int(scaling.Min),
		MaxCapacity:       pulumi.Int(scaling.Max),
		Tags:              pulumi.ToStringMap(w.Stage.TagsOf(name)),
	}, parent)
	if err != nil {
		return err
	}
	track := func(metric string, aim float64, args *trackingArgs) error {
		args.TargetValue = pulumi.Float64(aim)
		args.ScaleInCooldown = pulumi.Int(scaling.ScaleInCooldown)
		args.ScaleOutCooldown = pulumi.Int(scaling.ScaleOutCooldown)
		_, err := appautoscaling.NewPolicy(ctx, name+"-"+metric, &appautoscaling.PolicyArgs{
			ServiceNamespace:                         target.ServiceNamespace,
			ResourceId:                               target.ResourceId,
			ScalableDimension:                        target.ScalableDimension,
			PolicyType:                               pulumi.String("TargetTrackingScaling"),
			TargetTrackingScalingPolicyConfiguration: args,
		}, parent)
		return err
	}
	for _, metric := range []struct {
		name, kind string
		target     int
		label      pulumi.StringPtrInput
	}{
		{"cpu", "ECSServiceAverageCPUUtilization", scaling.CPU, nil},
		{"memory", "ECSServiceAverageMemoryUtilization", scaling.Memory, nil},
		{"requests", "ALBRequestCountPerTarget", scaling.Requests, requests},
	} {
		if metric.target == 0 {
			continue
		}
		if err := track(metric.name, float64(metric.target), &trackingArgs{PredefinedMetricSpecification: &predefinedMetric{
			PredefinedMetricType: pulumi.String(metric.kind), ResourceLabel: metric.label,
		}}); err != nil {
			return err
		}
	}
	if queue := scaling.Queue; queue != nil {
		if err := track("queue", float64(queue.Backlog), &trackingArgs{CustomizedMetricSpecification: queueBacklog(queue,
			pulumi.String(w.Stage.Cluster()), service.Name)}); err != nil {
			return err
		}
	}
	for _, metric := range sortedKeys(scaling.Metrics) {
		settings := scaling.Metrics[metric]
		if err := track("metrics."+metric, settings.Target, &trackingArgs{
			CustomizedMetricSpecification: trackedMetric(settings.CloudWatchMetric)}); err != nil {
			return err
		}
	}
	for _, steps := range sortedKeys(scaling.Steps) {
		if err := newSteps(ctx, w, target, steps, parent); err != nil {
			return err
		}
	}
	for _, schedule := range sortedKeys(scaling.Schedules) {
		settings := scaling.Schedules[schedule]
		// A dot is in neither name, so that no two services' schedules are called the same.
		_, err := appautoscaling.NewScheduledAction(ctx, name+"."+schedule, &appautoscaling.ScheduledActionArgs{
			ServiceNamespace:  target.ServiceNamespace,
			ResourceId:        target.ResourceId,
			ScalableDimension: target.ScalableDimension,
			Schedule:          pulumi.String(settings.When),
			Timezone:          pulumi.String(settings.TimeZone),
			ScalableTargetAction: &appautoscaling.ScheduledActionScalableTargetActionArgs{
				MinCapacity: pulumi.IntPtrFromPtr(settings.Min), MaxCapacity: pulumi.IntPtrFromPtr(settings.Max),
			},
		}, parent)
		if err != nil {
			return err
		}
	}
	return ctx.RegisterResourceOutputs(component, pulumi.Map{})
}

// predefinedMetric is one that AWS measures itself.
type predefinedMetric = appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecificationArgs
