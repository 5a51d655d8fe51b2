package components

import (
	"fmt"
	"strconv"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/appautoscaling"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/stage"
)

// The SDK's names of the parts of a policy.
type (
	trackingArgs   = appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationArgs
	customizedArgs = appautoscaling.
			PolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecificationArgs
	dimensionArgs = appautoscaling.
			PolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecificationDimensionArgs
	dimensionArray = appautoscaling.
			PolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecificationDimensionArray
	queryArgs = appautoscaling.
			PolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecificationMetricArgs
	queryArray = appautoscaling.
			PolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecificationMetricArray
	statArgs = appautoscaling.
			PolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecificationMetricMetricStatArgs
	statMetricArgs = appautoscaling.
			PolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecificationMetricMetricStatMetricArgs
	statDimension = appautoscaling.
			PolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecificationMetricMetricStatMetricDimensionArgs
	statDimensions = appautoscaling.
			PolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecificationMetricMetricStatMetricDimensionArray
	stepsArgs        = appautoscaling.PolicyStepScalingPolicyConfigurationArgs
	adjustmentArgs   = appautoscaling.PolicyStepScalingPolicyConfigurationStepAdjustmentArgs
	adjustmentsArray = appautoscaling.PolicyStepScalingPolicyConfigurationStepAdjustmentArray
)

// queueBacklog is a queue's messages for each task of a service, as metric math.
//
// The tasks are those that ECS is asked for, since the scaler multiplies that number: by those that run already it
// would ask for too many while others start. Container Insights says nothing of a service without tasks, and each
// minute's number later than SQS: it stays the last one as long as there is one, and is 0 then. What lets a
// service without tasks begin is a number that is above the target as soon as a message waits: the messages
// themselves would be it only once there are more of them than the target.
func queueBacklog(queue *stage.ScalingQueue, cluster, service pulumi.StringInput) *customizedArgs {
	stat := func(id, namespace, metric string, dimensions ...pulumi.StringInput) *queryArgs {
		list := statDimensions{}
		for i := 0; i < len(dimensions); i += 2 {
			list = append(list, &statDimension{Name: dimensions[i], Value: dimensions[i+1]})
		}
		return &queryArgs{Id: pulumi.String(id), ReturnData: pulumi.Bool(false), MetricStat: &statArgs{
			Stat: pulumi.String("Average"), Metric: &statMetricArgs{Namespace: pulumi.String(namespace),
				MetricName: pulumi.String(metric), Dimensions: list}}}
	}
	const sqs = "AWS/SQS"
	ofQueue := []pulumi.StringInput{pulumi.String("QueueName"), pulumi.String(queue.Queue())}
	math := func(id string, returned bool, format string, values ...any) *queryArgs {
		return &queryArgs{Id: pulumi.String(id), ReturnData: pulumi.Bool(returned),
			Expression: pulumi.String(fmt.Sprintf(format, values...))}
	}
	return &customizedArgs{Metrics: queryArray{
		stat("waiting", sqs, "ApproximateNumberOfMessagesVisible", ofQueue...),
		stat("working", sqs, "ApproximateNumberOfMessagesNotVisible", ofQueue...),
		stat("desired", "ECS/ContainerInsights", "DesiredTaskCount", pulumi.String("ClusterName"), cluster,
			pulumi.String("ServiceName"), service),
		math("tasks", false, "FILL(FILL(desired, REPEAT), 0)"),
		math("backlog", true, "IF(tasks > 0, (waiting + working) / IF(tasks > 0, tasks, 1), "+
			"IF(waiting > %d, waiting, IF(waiting > 0, %d, 0)))", queue.Backlog, queue.Backlog+1),
	}}
}

// trackedMetric is any metric of CloudWatch.
func trackedMetric(metric stage.CloudWatchMetric) *customizedArgs {
	dimensions := dimensionArray{}
	for _, name := range sortedKeys(metric.Dimensions) {
		dimensions = append(dimensions, &dimensionArgs{Name: pulumi.String(name),
			Value: pulumi.String(metric.Dimensions[name])})
	}
	return &customizedArgs{Namespace: pulumi.String(metric.Namespace), MetricName: pulumi.String(metric.Metric),
		Statistic: pulumi.String(metric.Statistic), Dimensions: dimensions}
}

// newSteps declares a policy of steps, and the alarm that has it act.
func newSteps(ctx *pulumi.Context, w *Workload, target *appautoscaling.Target, name string,
	parent pulumi.ResourceOption) error {
	scaling := w.Stage.Services[w.name].Scaling
	settings := scaling.Steps[name]
	resource := w.name + "-steps." + name // a dot is in neither name
	policy, err := appautoscaling.NewPolicy(ctx, resource, &appautoscaling.PolicyArgs{
		ServiceNamespace:               target.ServiceNamespace,
		ResourceId:                     target.ResourceId,
		ScalableDimension:              target.ScalableDimension,
		PolicyType:                     pulumi.String("StepScaling"),
		StepScalingPolicyConfiguration: stepAdjustments(scaling, settings),
	}, parent)
	if err != nil {
		return err
	}
	comparison := "GreaterThanOrEqualToThreshold"
	if settings.When == "below" {
		comparison = "LessThanOrEqualToThreshold"
	}
	first := settings.Adjust[0].From
	_, err = cloudwatch.NewMetricAlarm(ctx, resource, &cloudwatch.MetricAlarmArgs{
		Name: pulumi.String(w.Stage.StepsAlarm(w.name, name)),
		AlarmDescription: pulumi.Sprintf("%s is %s or %s: the service %s scales by steps", settings.Metric,
			strconv.FormatFloat(first, 'f', -1, 64), map[string]string{"above": "more", "below": "less"}[settings.When], w.name),
		Namespace:          pulumi.String(settings.Namespace),
		MetricName:         pulumi.String(settings.Metric),
		Dimensions:         pulumi.ToStringMap(settings.Dimensions),
		Statistic:          pulumi.String(settings.Statistic),
		Period:             pulumi.Int(settings.Period),
		EvaluationPeriods:  pulumi.Int(settings.Periods),
		ComparisonOperator: pulumi.String(comparison),
		Threshold:          pulumi.Float64(first),
		AlarmActions:       pulumi.Array{policy.Arn},
		Tags:               pulumi.ToStringMap(w.Stage.TagsOf(w.name)),
	}, parent)
	return err
}

// stepAdjustments are the steps as AWS has them: their bounds are counted from the first one's value.
func stepAdjustments(scaling *stage.Scaling, settings stage.ScalingSteps) *stepsArgs {
	args := &stepsArgs{Cooldown: pulumi.Int(scaling.ScaleOutCooldown), MetricAggregationType: pulumi.String("Average")}
	if settings.ScaleIn() {
		args.Cooldown = pulumi.Int(scaling.ScaleInCooldown)
	}
	if settings.Statistic == "Minimum" || settings.Statistic == "Maximum" {
		args.MetricAggregationType = pulumi.String(settings.Statistic)
	}
	var adjustments adjustmentsArray
	for i, step := range settings.Adjust {
		change := step.Add
		switch {
		case step.Set != nil:
			change, args.AdjustmentType = *step.Set, pulumi.String("ExactCapacity")
		case step.Percent != 0:
			change, args.AdjustmentType = step.Percent, pulumi.String("PercentChangeInCapacity")
			args.MinAdjustmentMagnitude = pulumi.Int(1)
		default:
			args.AdjustmentType = pulumi.String("ChangeInCapacity")
		}
		// As the provider reads them back: 1e+06, and not 1000000.
		bound := func(at int) pulumi.StringPtrInput {
			if at == len(settings.Adjust) {
				return nil
			}
			return pulumi.String(fmt.Sprintf("%g", settings.Adjust[at].From-settings.Adjust[0].From))
		}
		adjustment := &adjustmentArgs{ScalingAdjustment: pulumi.Int(change), MetricIntervalLowerBound: bound(i),
			MetricIntervalUpperBound: bound(i + 1)}
		if settings.When == "below" {
			adjustment.MetricIntervalLowerBound, adjustment.MetricIntervalUpperBound = bound(i+1), bound(i)
		}
		adjustments = append(adjustments, adjustment)
	}
	args.StepAdjustments = adjustments
	return args
}
