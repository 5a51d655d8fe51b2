package stage

import (
	"maps"
	"regexp"
	"slices"

	"slipway/internal/awslimits"
)

// CloudWatchMetric is a metric of CloudWatch.
type CloudWatchMetric struct {
	// Namespace is that of the metric.
	//
	// Default: none; required
	// Example: namespace: AWS/SQS
	// Rule: [Metrics of AWS's
	// services](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/aws-services-cloudwatch-metrics.html)
	Namespace string `json:"namespace"`

	// Metric is its name.
	//
	// Default: none; required
	// Example: metric: ApproximateAgeOfOldestMessage
	// Rule: [Metrics of AWS's
	// services](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/aws-services-cloudwatch-metrics.html)
	Metric string `json:"metric"`

	// Dimensions are all of the metric's: with one less it is another metric, which has no data.
	//
	// Allowed: up to 30; values are text, or `{output: NAME}`
	// Example: dimensions: {QueueName: shop-jobs}
	// Rule: [Dimensions](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Dimension)
	Dimensions map[string]string `json:"dimensions" outputs:"text"`

	// Statistic is what is made of the values within a period.
	//
	// Example: statistic: Maximum
	// Rule: [Statistics](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html)
	Statistic string `json:"statistic" default:"Average" enum:"Average,Sum,Minimum,Maximum,SampleCount"`
}

// same tells whether two metrics are one.
func (m CloudWatchMetric) same(other CloudWatchMetric) bool {
	return m.Namespace == other.Namespace && m.Metric == other.Metric && m.Statistic == other.Statistic &&
		maps.Equal(m.Dimensions, other.Dimensions)
}

// TrackedMetric is a metric that is kept near a value: more tasks where it is above, fewer where it is well below.
//
// Rule: [TargetTrackingScalingPolicyConfiguration](https://docs.aws.amazon.com/autoscaling/application/APIReference/API_TargetTrackingScalingPolicyConfiguration.html)
type TrackedMetric struct {
	CloudWatchMetric

	// Target is the value that is aimed at. The metric must fall when tasks are added: the use of something, or work for
	// each task.
	//
	// Default: none; required
	// Allowed: more than 0
	// Example: target: 0.5
	Target float64 `json:"target"`
}

var metricNamespace = regexp.MustCompile(`^[^:\s][^:]{0,254}$`)

func checkTrackedMetrics(here place, metrics map[string]TrackedMetric) {
	names := slices.Sorted(maps.Keys(metrics))
	for i, name := range names {
		metric, here := metrics[name], here.at(name)
		checkScalingName(here, name, "a metric")
		checkMetric(here, metric.CloudWatchMetric)
		switch target := here.at("target"); {
		case !target.present:
			target.fail("is missing; write the value that is aimed at")
		case metric.Target <= 0:
			target.fail("is %v; write a number that is more than 0", metric.Target)
		}
		for _, earlier := range names[:i] {
			if metric.same(metrics[earlier].CloudWatchMetric) && !here.broken() {
				here.fail("is the metric of %s, and AWS tracks a metric once for each service; remove one of them", earlier)
			}
		}
	}
}

func checkMetric(here place, metric CloudWatchMetric) {
	namespace, name, dimensions := here.at("namespace"), here.at("metric"), here.at("dimensions")
	if !namespace.present {
		namespace.fail("is missing; write the metric's namespace, as in AWS/SQS")
	}
	namespace.expect(metricNamespace.MatchString(metric.Namespace), metric.Namespace,
		"up to 255 characters without a colon, as in AWS/SQS")
	if !name.present {
		name.fail("is missing; write the metric's name")
	}
	name.expect(metric.Metric != "" && len(metric.Metric) <= 255, metric.Metric,
		"a metric's name, of up to 255 characters")
	if most := awslimits.MetricDimensions; len(metric.Dimensions) > most {
		dimensions.fail("are %d, and a metric has %d at most; remove some", len(metric.Dimensions), most)
	}
	for key, value := range metric.Dimensions {
		here := dimensions.at(key)
		if key == "" || len(key) > 255 || key[0] == ':' {
			here.fail("cannot name a dimension; use up to 255 characters, of which the first is no colon")
		}
		if value == "" || len(value) > 1024 {
			here.fail("has %d characters; a dimension's value has 1 to 1024", len(value))
		}
	}
}

func checkScalingName(here place, name, what string) {
	if !scalingName.MatchString(name) {
		here.fail("cannot name %s; use up to 64 letters, digits, - and _", what)
	}
}
