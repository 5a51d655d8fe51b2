package ecs

import (
	"slices"

	"slipway/sandbox/account"
)

// Alarms are the CloudWatch alarms that fail a service's deployments.
type Alarms struct {
	Names    []string `json:"alarmNames"`
	Enable   bool     `json:"enable"`
	Rollback bool     `json:"rollback"`
}

// checkPercents refuses what leaves no room for a rolling update.
func checkPercents(settings ServiceSettings) error {
	if settings.MaximumPercent <= 100 && settings.MinimumHealthyPercent >= 100 {
		return account.Refuse("InvalidParameterException",
			"Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.")
	}
	return nil
}

// checkAlarms gives up a deployment during which an alarm goes off. ECS does not watch an alarm that is in ALARM when
// the deployment starts, as it is when the deployment is a rollback.
func (r *rollout) checkAlarms(d *Deployment) {
	alarms := r.service.Settings.Alarms
	if d.RolloutState != InProgress || d.IsRollback || !alarms.Enable {
		return
	}
	if slices.ContainsFunc(alarms.Names, func(name string) bool {
		return account.Wildcard(r.faults[account.Alarm],
			name)
	}) {
		r.giveUp(d, "ECS deployment failed: ", "alarm detected.", alarms.Rollback)
	}
}

// inBakeTime holds a deployment whose tasks all run for one more step, where alarms are to be watched.
func (r *rollout) inBakeTime(d *Deployment) bool {
	if d.RolloutState != InProgress || d.Baking || !r.service.Settings.Alarms.Enable {
		return false
	}
	d.Baking, r.changed = true, true
	return true
}
