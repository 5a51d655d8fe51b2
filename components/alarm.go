package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/stage"
)

// newErrorAlarm declares the alarm that goes off when a service's tasks answer with more 5xx codes in a minute than the
// stage file allows, so that ECS takes a deployment back.
func newErrorAlarm(ctx *pulumi.Context, name string, settings *stage.Stage, balancer *LoadBalancer, route *Route,
	opts ...pulumi.ResourceOption,
) (*cloudwatch.MetricAlarm, error) {
	most := settings.Services[name].Deployment.MaxErrors
	return cloudwatch.NewMetricAlarm(ctx, name+"-errors", &cloudwatch.MetricAlarmArgs{
		Name: pulumi.String(settings.ErrorAlarm(name)),
		AlarmDescription: pulumi.Sprintf("more than %d answers with a 5xx code in a minute: a deployment that is under "+
			"way is taken back", most),
		Namespace:          pulumi.String("AWS/ApplicationELB"),
		MetricName:         pulumi.String("HTTPCode_Target_5XX_Count"),
		Dimensions:         pulumi.StringMap{"LoadBalancer": balancer.ArnSuffix, "TargetGroup": route.ArnSuffix},
		Statistic:          pulumi.String("Sum"),
		Period:             pulumi.Int(60), // seconds
		EvaluationPeriods:  pulumi.Int(1),
		ComparisonOperator: pulumi.String("GreaterThanThreshold"),
		Threshold:          pulumi.Float64(most),
		TreatMissingData:   pulumi.String("notBreaching"), // no answers, no errors
		Tags:               pulumi.ToStringMap(settings.TagsOf(name)),
	}, opts...)
}
