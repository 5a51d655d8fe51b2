package aws

import (
	"fmt"
	"slices"

	"slipway/sandbox/account"
	"slipway/sandbox/account/scaling"
)

// comparisons are those of a metric with a threshold; the others of CloudWatch need a band of anomaly detection.
var comparisons = []string{"GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold",
	"LessThanOrEqualToThreshold"}

var metricAlarm = &resourceType{
	kind: scaling.MetricAlarm, noun: "CloudWatch Metric Alarm", key: "name", autoname: true, nameLimit: 255,
	properties: properties{
		"actionsEnabled":                    {standard: true},
		"alarmActions":                      {set: true, empty: texts},
		"alarmDescription":                  {empty: ""},
		"arn":                               result,
		"comparisonOperator":                {required: true},
		"datapointsToAlarm":                 {empty: 0.0},
		"dimensions":                        {empty: values{}},
		"evaluateLowSampleCountPercentiles": {computed: true, unsupported: true, empty: ""},
		"evaluationPeriods":                 {required: true},
		"extendedStatistic":                 {unsupported: true, empty: ""},
		"insufficientDataActions":           {set: true, empty: texts},
		"metricName":                        {empty: ""},
		"metricQueries":                     {unsupported: true, empty: texts},
		"name":                              {replaces: true},
		"namespace":                         {empty: ""},
		"okActions":                         {set: true, empty: texts},
		"period":                            {empty: 0.0},
		"statistic":                         {empty: ""},
		"tags":                              tags, "tagsAll": tagsAll,
		"threshold":         {empty: 0.0},
		"thresholdMetricId": {unsupported: true, empty: ""},
		"treatMissingData":  {standard: "missing"},
		"unit":              {empty: ""},
	},
	validate: func(path string, inputs values, fail func(string)) {
		for key, allowed := range map[string][]string{
			"comparisonOperator": comparisons,
			"statistic":          {"SampleCount", "Average", "Sum", "Minimum", "Maximum"},
			"treatMissingData":   {"breaching", "notBreaching", "ignore", "missing"},
		} {
			if value := text(inputs, key); value != "" && value != unknown && !slices.Contains(allowed, value) {
				fail(fmt.Sprintf("expected %s to be one of %q, got %s. Examine values at '%s.%s'.", argument(key), allowed, value,
					path, key))
			}
		}
	},
	custom: putting(func(c *call, _ func(int) string) account.Object {
		return account.Object{"arn": c.arn("cloudwatch", "alarm:"+text(c.state, "name"))}
	}, nil),
}
