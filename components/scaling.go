package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/appautoscaling"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/stage"
)

const scalingType = "slipway:components:Scaling"

// ScalingArgs says what a Scaling is made from.
type ScalingArgs struct {
	// Service whose desired count it decides, and the name of its cluster.
	Service *ecs.Service
	Cluster string
	// Settings from the stage file.
	Settings *stage.Scaling
	// Requests names load balancer and target group in CloudWatch, app/NAME/ID/targetgroup/NAME/ID; nil where the
	// service has no route.
	Requests pulumi.StringPtrInput
	// Tags of what takes tags.
	Tags map[string]string
}

// Scaling lets Application Auto Scaling decide a service's desired count.
type Scaling struct {
	pulumi.ResourceState
}

// NewScaling declares what a service's desired count follows.
func NewScaling(ctx *pulumi.Context, name string, args *ScalingArgs, opts ...pulumi.ResourceOption) (*Scaling, error) {
	component := &Scaling{}
	if err := ctx.RegisterComponentResource(scalingType, name, component, opts...); err != nil {
		return nil, err
	}
	parent := pulumi.Parent(component)
	target, err := appautoscaling.NewTarget(ctx, name, &appautoscaling.TargetArgs{
		ServiceNamespace: pulumi.String("ecs"),
		// AWS forgets the target with the service, so it depends on the service's own name: both are recreated together.
		ResourceId:        pulumi.Sprintf("service/%s/%s", args.Cluster, args.Service.Name),
		ScalableDimension: pulumi.String("ecs:service:DesiredCount"),
		MinCapacity:       pulumi.Int(args.Settings.Min),
		MaxCapacity:       pulumi.Int(args.Settings.Max),
		Tags:              pulumi.ToStringMap(args.Tags),
	}, parent)
	if err != nil {
		return nil, err
	}
	for _, metric := range []struct {
		name, kind string
		target     int
		label      pulumi.StringPtrInput
	}{
		{"cpu", "ECSServiceAverageCPUUtilization", args.Settings.CPU, nil},
		{"memory", "ECSServiceAverageMemoryUtilization", args.Settings.Memory, nil},
		{"requests", "ALBRequestCountPerTarget", args.Settings.Requests, args.Requests},
	} {
		if metric.target == 0 {
			continue
		}
		_, err := appautoscaling.NewPolicy(ctx, name+"-"+metric.name, &appautoscaling.PolicyArgs{
			ServiceNamespace:  target.ServiceNamespace,
			ResourceId:        target.ResourceId,
			ScalableDimension: target.ScalableDimension,
			PolicyType:        pulumi.String("TargetTrackingScaling"),
			TargetTrackingScalingPolicyConfiguration: &appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationArgs{
				TargetValue: pulumi.Float64(metric.target),
				PredefinedMetricSpecification: &appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecificationArgs{
					PredefinedMetricType: pulumi.String(metric.kind), ResourceLabel: metric.label,
				},
				ScaleInCooldown:  pulumi.Int(args.Settings.ScaleInCooldown),
				ScaleOutCooldown: pulumi.Int(args.Settings.ScaleOutCooldown),
			},
		}, parent)
		if err != nil {
			return nil, err
		}
	}
	for _, schedule := range sortedKeys(args.Settings.Schedules) {
		settings := args.Settings.Schedules[schedule]
		// A dot is in neither name, so that no two services' schedules are called the same.
		_, err := appautoscaling.NewScheduledAction(ctx, name+"."+schedule, &appautoscaling.ScheduledActionArgs{
			ServiceNamespace:  target.ServiceNamespace,
			ResourceId:        target.ResourceId,
			ScalableDimension: target.ScalableDimension,
			Schedule:          pulumi.String(settings.When),
			Timezone:          pulumi.String(settings.TimeZone),
			ScalableTargetAction: &appautoscaling.ScheduledActionScalableTargetActionArgs{
				MinCapacity: optionalInt(settings.Min), MaxCapacity: optionalInt(settings.Max),
			},
		}, parent)
		if err != nil {
			return nil, err
		}
	}
	return component, ctx.RegisterResourceOutputs(component, pulumi.Map{})
}

func optionalInt(number *int) pulumi.IntPtrInput {
	if number == nil {
		return nil
	}
	return pulumi.Int(*number)
}
