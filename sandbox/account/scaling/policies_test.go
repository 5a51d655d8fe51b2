package scaling

import (
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/accounttest"
)

type object = map[string]any

// putPolicy puts a policy of a registered target, with what Application Auto Scaling says to it.
func putPolicy(t *testing.T, a *accounttest.Account, name string, configuration object) error {
	t.Helper()
	o := account.Object{"name": name, "arn": "arn:" + name, "resourceId": "service/shop-dev/web"}
	for key, value := range configuration {
		o[key] = value
	}
	return a.PutObject(ScalingPolicy, "service/shop-dev/web:"+name, o,
		func(func(int) string) account.Object { return nil })
}

func withTarget(t *testing.T) *accounttest.Account {
	t.Helper()
	a := accounttest.New(t)
	require.NoError(t, a.PutObject(ScalableTarget, "service/shop-dev/web", account.Object{
		"resourceId": "service/shop-dev/web", "minCapacity": 0.0, "maxCapacity": 10.0},
		func(func(int) string) account.Object { return nil }))
	return a
}

func stepping(settings object, adjustments ...object) object {
	var list []any
	for _, each := range adjustments {
		list = append(list, each)
	}
	configuration := object{"adjustmentType": "ChangeInCapacity", "stepAdjustments": list}
	for key, value := range settings {
		configuration[key] = value
	}
	return object{"policyType": "StepScaling", "stepScalingPolicyConfiguration": configuration}
}

func bounds(lower, upper string, adjustment float64) object {
	return object{"metricIntervalLowerBound": lower, "metricIntervalUpperBound": upper, "scalingAdjustment": adjustment}
}

func trackingOf(customized object) object {
	return object{"policyType": "TargetTrackingScaling", "targetTrackingScalingPolicyConfiguration": object{
		"targetValue": 100.0, "customizedMetricSpecification": customized}}
}

func queryOf(id, expression string, returned bool) object {
	return object{"id": id, "expression": expression, "returnData": returned}
}

func stat(id, namespace, name string) object {
	return object{"id": id, "returnData": false, "metricStat": object{"stat": "Average",
		"metric": object{"namespace": namespace, "metricName": name}}}
}

func TestPoliciesThatAWSRefuses(t *testing.T) {
	t.Parallel()
	a := withTarget(t)
	single := object{"namespace": "Shop", "metricName": "waiting", "statistic": "Average"}
	require.NoError(t, putPolicy(t, a, "first", trackingOf(single)))
	require.NoError(t, putPolicy(t, a, "first", trackingOf(single)), "putting again changes it")
	require.NoError(t, putPolicy(t, a, "steps", stepping(nil, bounds("0", "100", 1), bounds("100", "", 5))))
	require.NoError(t, putPolicy(t, a, "down", stepping(nil, bounds("-10", "0", -1), bounds("", "-10", -5))))
	both := trackingOf(single)
	both["targetTrackingScalingPolicyConfiguration"].(object)["predefinedMetricSpecification"] =
		object{"predefinedMetricType": "ECSServiceAverageCPUUtilization"}
	mixed := object{"namespace": "Shop", "metrics": []any{queryOf("m", "1", true)}}
	for want, refused := range map[string]object{
		"cannot overlap":                   stepping(nil, bounds("0", "100", 1), bounds("50", "", 5)),
		"cannot have a gap":                stepping(nil, bounds("0", "100", 1), bounds("150", "", 5)),
		"must have a lower or an upper":    stepping(nil, bounds("", "", 1)),
		"greater than its lower bound":     stepping(nil, bounds("5", "5", 1)),
		"without an upper bound where one": stepping(nil, bounds("0", "100", 1)),
		"without a lower bound where one":  stepping(nil, bounds("-10", "0", -1)),
		`must be a number: "x"`:            stepping(nil, bounds("x", "", 1)),
		"must have 1 to 20":                stepping(nil),
		"Invalid adjustment type":          stepping(object{"adjustmentType": "Double"}, bounds("0", "", 1)),
		"Invalid metric aggregation type":  stepping(object{"metricAggregationType": "Sum"}, bounds("0", "", 1)),
		"only valid for Percent":           stepping(object{"minAdjustmentMagnitude": 1.0}, bounds("0", "", 1)),
		"ExactCapacity cannot be negative": stepping(object{"adjustmentType": "ExactCapacity"},
			bounds("0", "", -1)),
		"Step scaling policy configuration is required": {"policyType": "StepScaling"},
		"Target tracking scaling policy configuration":  {"policyType": "TargetTrackingScaling"},
		"Exactly one of predefined":                     both,
		"Only one TargetTrackingScaling policy":         trackingOf(single),
		"must have either metrics":                      trackingOf(object{"namespace": "Shop", "metricName": "waiting"}),
		"cannot have metrics beside":                    trackingOf(mixed),
		"Invalid metric id":                             trackingOf(object{"metrics": []any{queryOf("M", "1", true)}}),
		"either an expression or":                       trackingOf(object{"metrics": []any{queryOf("m", "", true)}}),
		"Exactly one element":                           trackingOf(object{"metrics": []any{queryOf("m", "1", false)}}),
		"there is no metric n":                          trackingOf(object{"metrics": []any{queryOf("m", "n + 1", true)}}),
		"knows IF and FILL only":                        trackingOf(object{"metrics": []any{queryOf("m", "RATE(1)", true)}}),
		"cannot read it":                                trackingOf(object{"metrics": []any{queryOf("m", "1 +", true)}}),
	} {
		require.ErrorContains(t, putPolicy(t, a, "other", refused), want)
	}
}

// scaled is what a scaler makes of a count, where metrics have these values.
func scaled(t *testing.T, a *accounttest.Account, desired int, metrics map[string]float64) (wanted int) {
	t.Helper()
	require.NoError(t, a.Transact(func(tx *account.Tx) error {
		scaler := Scaler{Tx: tx, Now: tx.Now, Desired: desired, Metric: func(m Metric) (float64, bool) {
			number, known := metrics[m.Name]
			return number, known
		}}
		wanted = scaler.Decide("service/shop-dev/web")
		return nil
	}))
	return wanted
}

func TestTheCountFollowsATarget(t *testing.T) {
	t.Parallel()
	a := withTarget(t)
	require.Equal(t, 4, scaled(t, a, 4, map[string]float64{"waiting": 1}), "without a policy it stays")
	require.NoError(t, putPolicy(t, a, "tasks", trackingOf(object{"metrics": []any{
		stat("waiting", "AWS/SQS", "waiting"), stat("running", "ECS/ContainerInsights", "running"),
		queryOf("each", "waiting / IF(FILL(FILL(running, REPEAT), 0) > 0, running, 1)", true)}})))
	for _, each := range []struct {
		desired, want    int
		waiting, running float64
	}{{2, 5, 500, 2}, {2, 2, 190, 2}, {2, 2, 200, 2}, {4, 1, 100, 4}, {4, 0, 0, 4}, {2, 10, 9000, 2}, {0, 1, 101, 0},
		{0, 0, 100, 0}} {
		metrics := map[string]float64{"waiting": each.waiting, "running": each.running}
		if each.running == 0 {
			delete(metrics, "running")
		}
		if each.desired > 0 || each.waiting > 100 {
			require.Equal(t, each.want, scaled(t, a, each.desired, metrics), "%v", each)
		}
	}
	require.Equal(t, 4, scaled(t, a, 4, nil), "without data it stays")
}

func TestTheCountFollowsSteps(t *testing.T) {
	t.Parallel()
	a := withTarget(t)
	alarm := func(name, comparison string, threshold float64) {
		require.NoError(t, a.PutObject(MetricAlarm, name, account.Object{"name": name, "comparisonOperator": comparison,
			"threshold": threshold, "namespace": "AWS/SQS", "metricName": "waiting", "period": 60.0, "evaluationPeriods": 1.0,
			"alarmActions": []any{"arn:" + name}}, func(func(int) string) account.Object { return nil }))
	}
	require.NoError(t, putPolicy(t, a, "up", stepping(nil, bounds("0", "100", 1), bounds("100", "", 5))))
	alarm("up", "GreaterThanOrEqualToThreshold", 10)
	require.NoError(t, putPolicy(t, a, "down", stepping(object{"adjustmentType": "PercentChangeInCapacity"},
		bounds("-2", "0", -20), bounds("", "-2", -50))))
	alarm("down", "LessThanOrEqualToThreshold", 3)
	for waiting, want := range map[float64]int{5: 4, 10: 5, 109: 5, 110: 9, 999: 9, 3: 3, 2: 3, 1: 2, 0: 2} {
		require.Equal(t, want, scaled(t, a, 4, map[string]float64{"waiting": waiting}), "%v", waiting)
	}
	require.NoError(t, putPolicy(t, a, "down", stepping(object{"adjustmentType": "ExactCapacity"}, bounds("", "0", 0))))
	require.Equal(t, 0, scaled(t, a, 4, map[string]float64{"waiting": 0}))
}
