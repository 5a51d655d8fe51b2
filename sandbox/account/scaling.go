package account

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // AWS knows every time zone, wherever the sandbox runs
)

// Kinds of objects that Application Auto Scaling and CloudWatch keep. Putting one again replaces it.
const (
	MetricAlarm     = "metricAlarm"     // name
	ScalableTarget  = "scalableTarget"  // service/CLUSTER/NAME
	ScalingPolicy   = "scalingPolicy"   // service/CLUSTER/NAME:policy
	ScheduledAction = "scheduledAction" // service/CLUSTER/NAME:action
)

// PutObject records an object, new or not, with the properties that AWS decides: from an earlier one where there is
// one.
func (a *Account) PutObject(kind, id string, o Object, decided func(newID func(length int) string) Object) error {
	return a.transact(func(t *tx) error {
		if err := t.checkLimits(kind, id, o); err != nil {
			return err
		}
		if err := t.checkScaling(kind, o); err != nil {
			return err
		}
		own := decided(func(length int) string { return t.newID(kind, length) })
		old := get[Object](t, kind, id)
		for key, value := range own {
			if o[key] = value; old != nil && (*old)[key] != nil {
				o[key] = (*old)[key]
			}
		}
		t.makeLinkedRole(linkedRoleOf(kind))
		put(t, kind, id, o)
		return nil
	})
}

// DeleteScalableTarget forgets a target, and with it its policies and scheduled actions.
func (a *Account) DeleteScalableTarget(id string) error {
	return a.transact(func(t *tx) error {
		t.forgetScaling(id)
		return nil
	})
}

func (t *tx) forgetScaling(id string) {
	for _, kind := range []string{ScalingPolicy, ScheduledAction} {
		for _, o := range list[Object](t, kind) {
			if o.text("resourceId") == id {
				remove(t, kind, id+":"+o.text("name"))
			}
		}
	}
	remove(t, ScalableTarget, id)
}

func (t *tx) checkScaling(kind string, o Object) error {
	invalid := func(format string, args ...any) error { return refuse("ValidationException", format, args...) }
	resource := o.text("resourceId")
	capacity, _ := o["scalableTargetAction"].(map[string]any)
	switch kind {
	case MetricAlarm:
		return nil
	case ScalableTarget:
		cluster, name, _ := strings.Cut(strings.TrimPrefix(resource, "service/"), "/")
		if s := get[Service](t, serviceKind, cluster+"/"+name); s == nil || s.Status != statusActive {
			return invalid("ECS service doesn't exist: %s", resource)
		}
		capacity = o
	default:
		if get[Object](t, ScalableTarget, resource) == nil {
			return refuse("ObjectNotFoundException",
				"No scalable target registered for service namespace: %s, resource ID: %s, "+
					"scalable dimension: %s", o.text("serviceNamespace"), resource, o.text("scalableDimension"))
		}
	}
	least, fromBelow := capacity["minCapacity"].(float64)
	most, fromAbove := capacity["maxCapacity"].(float64)
	if fromBelow && fromAbove && least > most {
		return invalid("Minimum capacity cannot be greater than maximum capacity")
	}
	switch kind {
	case ScalingPolicy:
		configuration := member(map[string]any(o), "targetTrackingScalingPolicyConfiguration")
		metric := member(configuration, "predefinedMetricSpecification")
		return checkMetric(text(member(metric, "predefinedMetricType")), text(member(metric, "resourceLabel")))
	case ScheduledAction:
		if when := o.text("schedule"); !takesExpression(when) {
			return invalid("Invalid schedule expression: %s", when)
		}
		if zone := o.text("timezone"); !validZone(zone) {
			return invalid("Unsupported time zone: %s", zone)
		}
	}
	return nil
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

var (
	metricTypes   = []string{"ECSServiceAverageCPUUtilization", "ECSServiceAverageMemoryUtilization", requestsPerTarget}
	resourceLabel = regexp.MustCompile(`^app/[^/]+/[0-9a-f]+/targetgroup/[^/]+/[0-9a-f]+$`)
)

const requestsPerTarget = "ALBRequestCountPerTarget"

func checkMetric(metric, label string) error {
	switch counts := metric == requestsPerTarget; {
	case !slices.Contains(metricTypes, metric):
		return refuse("ValidationException", "Unsupported predefined metric type for service namespace ecs: %s", metric)
	case counts && label == "":
		return refuse("ValidationException", "Resource label is required for the predefined metric type %s", metric)
	case !counts && label != "":
		return refuse("ValidationException", "Resource label is not allowed for the predefined metric type %s", metric)
	case counts && !resourceLabel.MatchString(label):
		return refuse("ValidationException", "Resource label is not of the form app/NAME/ID/targetgroup/NAME/ID: %s", label)
	}
	return nil
}

func validZone(name string) bool {
	_, err := time.LoadLocation(cmp.Or(name, "UTC"))
	return err == nil && name != "Local"
}
