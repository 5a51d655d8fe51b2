package ecs

import (
	"slices"

	"slipway/sandbox/account"
	"slipway/sandbox/account/scaling"
)

// scale has the service's policies decide its desired count, where CloudWatch has metrics. Tasks are not taken away
// during a deployment.
func (r *rollout) scale(primary *Deployment) {
	metrics, err := account.Metrics(r.faults[account.Metric])
	if r.faults[account.Metric] == "" || err != nil {
		return
	}
	s := r.service
	scaler := scaling.Scaler{Tx: r.Tx, Now: r.at, Desired: s.Settings.DesiredCount, ScaledOut: s.ScaledOut,
		ScaledIn: s.ScaledIn, Metric: func(m scaling.Metric) (float64, bool) {
			if m.Namespace == "ECS/ContainerInsights" {
				return r.insight(m.Name)
			}
			number, known := metrics[m.Name]
			return number, known
		}}
	desired := scaler.Decide("service/" + s.id())
	switch {
	case desired > s.Settings.DesiredCount:
		s.ScaledOut = r.at
	case desired < s.Settings.DesiredCount && primary.RolloutState != InProgress:
		s.ScaledIn = r.at
	default:
		return
	}
	r.changed = true
	s.Settings.DesiredCount, primary.DesiredCount = desired, desired
}

// insight is what Container Insights counts of a service, as long as it has tasks that run.
func (r *rollout) insight(name string) (number float64, known bool) {
	cluster, running := account.Get[account.Object](r.Tx, Cluster, r.service.cluster()), len(r.healthy(nil))
	insights := slices.ContainsFunc(account.Objects((*cluster)["settings"]), func(setting map[string]any) bool {
		return setting["name"] == "containerInsights" && setting["value"] != "disabled"
	})
	if running == 0 || !insights {
		return 0, false
	}
	switch name {
	case "DesiredTaskCount":
		return float64(r.service.Settings.DesiredCount), true
	case "RunningTaskCount":
		return float64(running), true
	}
	return 0, false
}
