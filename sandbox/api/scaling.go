package api

import (
	"slipway/sandbox/account"

	"slipway/sandbox/account/scaling"
)

// scaled is which scalable target policies or scheduled actions are asked for.
type scaled struct {
	ServiceNamespace, ResourceID string
}

// of lists what a kind has of the target, each with what the answer has of it by name.
func (s scaled) of(a *account.Account, kind, name, arn string) ([]object, error) {
	if s.ServiceNamespace != "ecs" {
		return nil, &account.Error{Code: "ValidationException", Message: "The sandbox scales ECS services only."}
	}
	all, err := a.Objects(kind)
	listed := []object{}
	for _, each := range all {
		if s.ResourceID == "" || each["resourceId"] == s.ResourceID {
			listed = append(listed, object{name: each["name"], arn: each["arn"], "ServiceNamespace": each["serviceNamespace"],
				"ResourceId": each["resourceId"], "ScalableDimension": each["scalableDimension"]})
		}
	}
	return listed, err
}

func describeScalingPolicies(a *account.Account, _ string, p scaled) (any, error) {
	found, err := p.of(a, scaling.ScalingPolicy, "PolicyName", "PolicyARN")
	return object{"ScalingPolicies": found}, err
}

func describeScheduledActions(a *account.Account, _ string, p scaled) (any, error) {
	found, err := p.of(a, scaling.ScheduledAction, "ScheduledActionName", "ScheduledActionARN")
	return object{"ScheduledActions": found}, err
}
