// Package scaling is Application Auto Scaling, with CloudWatch's alarms.
package scaling

import (
	"cmp"
	"regexp"
	"slices"

	"slipway/internal/awslimits"
	"slipway/sandbox/account"
	"slipway/sandbox/account/iam"
)

// Kinds of objects that Application Auto Scaling and CloudWatch keep. Putting one again replaces it.
const (
	MetricAlarm     = "metricAlarm"     // name
	ScalableTarget  = "scalableTarget"  // service/CLUSTER/NAME
	ScalingPolicy   = "scalingPolicy"   // service/CLUSTER/NAME:policy
	ScheduledAction = "scheduledAction" // service/CLUSTER/NAME:action
)

func init() {
	account.Register(MetricAlarm, account.Rules{Check: func(_ *account.Tx, id string, o account.Object) error {
		if length := len([]rune(cmp.Or(o.Text("name"), id))); length == 0 || length > awslimits.AlarmName {
			return account.Refuse("ValidationError",
				"Value at 'alarmName' failed to satisfy constraint: Member must have length "+
					"less than or equal to %d", awslimits.AlarmName)
		}
		return checkAlarm(o)
	}})
	for _, kind := range []string{ScalableTarget, ScalingPolicy, ScheduledAction} {
		account.Register(kind, account.Rules{Check: func(t *account.Tx, _ string,
			o account.Object) error {
			return checkScaling(t, kind, o)
		}})
	}
	account.Register(ScalableTarget, account.Rules{Created: func(t *account.Tx) {
		iam.MakeLinkedRole(t,
			iam.ScalingLinkedRole)
	}})
}

// checkAlarm refuses what PutMetricAlarm refuses.
func checkAlarm(o account.Object) error {
	period := o.Number("period", 60)
	switch dimensions := o.Object("dimensions"); {
	case period != 10 && period != 30 && period%60 != 0:
		return account.Refuse("ValidationError", "The parameter Period must be 10, 30 or a multiple of 60")
	case period*o.Number("evaluationPeriods", 1) > 86400:
		return account.Refuse("ValidationError", "Metrics cannot be checked across more than a day "+
			"(EvaluationPeriods * Period must be <= 86400)")
	case len(dimensions) > awslimits.MetricDimensions:
		return account.Refuse("ValidationError", "The collection Dimensions must not have a size greater than %d",
			awslimits.MetricDimensions)
	case len(o.List("alarmActions")) > 5:
		return account.Refuse("ValidationError", "The collection AlarmActions must not have a size greater than 5")
	}
	return nil
}

// DeleteScalableTarget forgets a target, and with it its policies and scheduled actions.
func DeleteScalableTarget(a *account.Account, id string) error {
	return a.Transact(func(t *account.Tx) error {
		ForgetScaling(t, id)
		return nil
	})
}

// ForgetScaling removes a target with its policies and scheduled actions, where there are any.
func ForgetScaling(t *account.Tx, id string) {
	for _, kind := range []string{ScalingPolicy, ScheduledAction} {
		for _, o := range account.List[account.Object](t, kind) {
			if o.Text("resourceId") == id {
				account.Remove(t, kind, id+":"+o.Text("name"))
			}
		}
	}
	account.Remove(t, ScalableTarget, id)
}

func checkScaling(t *account.Tx, kind string, o account.Object) error {
	resource := o.Text("resourceId")
	capacity, _ := o["scalableTargetAction"].(map[string]any)
	switch kind {
	case ScalableTarget:
		capacity = o
	default:
		if account.Get[account.Object](t, ScalableTarget, resource) == nil {
			return account.Refuse("ObjectNotFoundException",
				"No scalable target registered for service namespace: %s, resource ID: %s, "+
					"scalable dimension: %s", o.Text("serviceNamespace"), resource, o.Text("scalableDimension"))
		}
	}
	least, fromBelow := capacity["minCapacity"].(float64)
	most, fromAbove := capacity["maxCapacity"].(float64)
	if fromBelow && fromAbove && least > most {
		return invalid("Minimum capacity cannot be greater than maximum capacity")
	}
	switch kind {
	case ScalingPolicy:
		return decodePolicy(o).check(t, o)
	case ScheduledAction:
		if when := o.Text("schedule"); !account.TakesExpression(when) {
			return invalid("Invalid schedule expression: %s", when)
		}
		if zone := o.Text("timezone"); !account.ValidZone(zone) {
			return invalid("Unsupported time zone: %s", zone)
		}
	}
	return nil
}

var (
	metricTypes   = []string{"ECSServiceAverageCPUUtilization", "ECSServiceAverageMemoryUtilization", requestsPerTarget}
	resourceLabel = regexp.MustCompile(`^app/[^/]+/[0-9a-f]+/targetgroup/[^/]+/[0-9a-f]+$`)
)

const requestsPerTarget = "ALBRequestCountPerTarget"

func checkMetric(metric, label string) error {
	switch counts := metric == requestsPerTarget; {
	case !slices.Contains(metricTypes, metric):
		return account.Refuse("ValidationException", "Unsupported predefined metric type for service namespace ecs: %s",
			metric)
	case counts && label == "":
		return account.Refuse("ValidationException", "Resource label is required for the predefined metric type %s", metric)
	case !counts && label != "":
		return account.Refuse("ValidationException", "Resource label is not allowed for the predefined metric type %s",
			metric)
	case counts && !resourceLabel.MatchString(label):
		return account.Refuse("ValidationException",
			"Resource label is not of the form app/NAME/ID/targetgroup/NAME/ID: %s", label)
	}
	return nil
}
