package account

import (
	"cmp"
	"regexp"
	"slices"
	"time"
	_ "time/tzdata" // AWS knows every time zone, wherever the sandbox runs

	"slipway/internal/awslimits"
)

// Kinds of objects that Application Auto Scaling and CloudWatch keep. Putting one again replaces it.
const (
	MetricAlarm     = "metricAlarm"     // name
	ScalableTarget  = "scalableTarget"  // service/CLUSTER/NAME
	ScalingPolicy   = "scalingPolicy"   // service/CLUSTER/NAME:policy
	ScheduledAction = "scheduledAction" // service/CLUSTER/NAME:action
)

func init() {
	Register(MetricAlarm, Rules{Check: func(_ *Tx, id string, o Object) error {
		if length := len([]rune(cmp.Or(o.Text("name"), id))); length == 0 || length > awslimits.AlarmName {
			return Refuse("ValidationError", "Value at 'alarmName' failed to satisfy constraint: Member must have length "+
				"less than or equal to %d", awslimits.AlarmName)
		}
		return nil
	}})
	for _, kind := range []string{ScalableTarget, ScalingPolicy, ScheduledAction} {
		Register(kind, Rules{Check: func(t *Tx, _ string, o Object) error { return t.checkScaling(kind, o) }})
	}
	Register(ScalableTarget, Rules{Created: func(t *Tx) { t.makeLinkedRole(scalingLinkedRole) }})
}

// DeleteScalableTarget forgets a target, and with it its policies and scheduled actions.
func (a *Account) DeleteScalableTarget(id string) error {
	return a.Transact(func(t *Tx) error {
		t.forgetScaling(id)
		return nil
	})
}

func (t *Tx) forgetScaling(id string) {
	for _, kind := range []string{ScalingPolicy, ScheduledAction} {
		for _, o := range List[Object](t, kind) {
			if o.Text("resourceId") == id {
				Remove(t, kind, id+":"+o.Text("name"))
			}
		}
	}
	Remove(t, ScalableTarget, id)
}

func (t *Tx) checkScaling(kind string, o Object) error {
	invalid := func(format string, args ...any) error { return Refuse("ValidationException", format, args...) }
	resource := o.Text("resourceId")
	capacity, _ := o["scalableTargetAction"].(map[string]any)
	switch kind {
	case ScalableTarget:
		capacity = o
	default:
		if Get[Object](t, ScalableTarget, resource) == nil {
			return Refuse("ObjectNotFoundException",
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
		configuration := Member(map[string]any(o), "targetTrackingScalingPolicyConfiguration")
		metric := Member(configuration, "predefinedMetricSpecification")
		return checkMetric(Text(Member(metric, "predefinedMetricType")), Text(Member(metric, "resourceLabel")))
	case ScheduledAction:
		if when := o.Text("schedule"); !takesExpression(when) {
			return invalid("Invalid schedule expression: %s", when)
		}
		if zone := o.Text("timezone"); !validZone(zone) {
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
		return Refuse("ValidationException", "Unsupported predefined metric type for service namespace ecs: %s", metric)
	case counts && label == "":
		return Refuse("ValidationException", "Resource label is required for the predefined metric type %s", metric)
	case !counts && label != "":
		return Refuse("ValidationException", "Resource label is not allowed for the predefined metric type %s", metric)
	case counts && !resourceLabel.MatchString(label):
		return Refuse("ValidationException", "Resource label is not of the form app/NAME/ID/targetgroup/NAME/ID: %s", label)
	}
	return nil
}

func validZone(name string) bool {
	_, err := time.LoadLocation(cmp.Or(name, "UTC"))
	return err == nil && name != "Local"
}
