package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// newErrorAlarm declares the alarm that goes off when a service's tasks answer with more 5xx codes than most in a minute, so that
// ECS takes a deployment back.
func newErrorAlarm(ctx *pulumi.Context, name, alarmName string, most int, balancer *LoadBalancer, route *Route, tags map[string]string,
	opts ...pulumi.ResourceOption,
) (*cloudwatch.MetricAlarm, error) {
	return cloudwatch.NewMetricAlarm(ctx, name+"-errors", &cloudwatch.MetricAlarmArgs{
		Name:               pulumi.String(alarmName),
		AlarmDescription:   pulumi.Sprintf("more than %d answers with a 5xx code in a minute: a deployment that is under way is taken back", most),
		Namespace:          pulumi.String("AWS/ApplicationELB"),
		MetricName:         pulumi.String("HTTPCode_Target_5XX_Count"),
		Dimensions:         pulumi.StringMap{"LoadBalancer": balancer.ArnSuffix, "TargetGroup": route.ArnSuffix},
		Statistic:          pulumi.String("Sum"),
		Period:             pulumi.Int(60),
		EvaluationPeriods:  pulumi.Int(1),
		ComparisonOperator: pulumi.String("GreaterThanThreshold"),
		Threshold:          pulumi.Float64(most),
		TreatMissingData:   pulumi.String("notBreaching"), // no answers, no errors
		Tags:               pulumi.ToStringMap(tags),
	}, opts...)
}
