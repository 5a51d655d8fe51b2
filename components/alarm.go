package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// newErrorAlarm declares the alarm that goes off when a service's tasks answer with more 5xx codes in a minute than the
// stage file allows, so that ECS takes a deployment back.
func newErrorAlarm(ctx *pulumi.Context, w *Workload, route *serviceRoute) (*cloudwatch.MetricAlarm, error) {
	name, most := w.name, w.Stage.Services[w.name].Deployment.MaxErrors
	return cloudwatch.NewMetricAlarm(ctx, name+"-errors", &cloudwatch.MetricAlarmArgs{
		Name: pulumi.String(w.Stage.ErrorAlarm(name)),
		AlarmDescription: pulumi.Sprintf("more than %d answers with a 5xx code in a minute: a deployment that is under "+
			"way is taken back", most),
		Namespace:          pulumi.String("AWS/ApplicationELB"),
		MetricName:         pulumi.String("HTTPCode_Target_5XX_Count"),
		Dimensions:         pulumi.StringMap{"LoadBalancer": w.balancer().ArnSuffix, "TargetGroup": route.ArnSuffix},
		Statistic:          pulumi.String("Sum"),
		Period:             pulumi.Int(60), // seconds
		EvaluationPeriods:  pulumi.Int(1),
		ComparisonOperator: pulumi.String("GreaterThanThreshold"),
		Threshold:          pulumi.Float64(most),
		TreatMissingData:   pulumi.String("notBreaching"), // no answers, no errors
		Tags:               pulumi.ToStringMap(w.Stage.TagsOf(name)),
	}, pulumi.Parent(w))
}
