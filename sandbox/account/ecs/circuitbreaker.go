package ecs

// breakCircuit gives up a deployment whose tasks keep failing, by ECS's own threshold.
func (r *rollout) breakCircuit(d *Deployment) {
	s := r.service
	threshold := min(max((s.Settings.DesiredCount+1)/2, 3), 200)
	if d.RolloutState != InProgress || d.FailedTasks < threshold {
		return
	}
	if !s.Settings.CircuitBreaker {
		r.eventOnce("(service %s) is unable to consistently start tasks successfully. For more information, see the "+
			"Troubleshooting section of the Amazon ECS Developer Guide.", s.Name)
		return
	}
	r.giveUp(d, "ECS deployment circuit breaker: ", "tasks failed to start.", s.Settings.Rollback)
}

// giveUp fails a deployment, and goes back to the last one that completed.
func (r *rollout) giveUp(d *Deployment, by, reason string, rollback bool) {
	s := r.service
	d.RolloutState, d.UpdatedAt = Failed, r.at
	d.RolloutStateReason = by + reason
	r.event("(service %s) (deployment %s) deployment failed: %s", s.Name, d.ID, reason)
	last := s.LastCompleted
	if !rollback || last == nil || d.IsRollback {
		return
	}
	d.DesiredCount = 0
	s.Settings.Capacity, s.Settings.Connection = last.Capacity, last.Connection
	back := newDeployment(r.Tx, s, last.TaskDefinition)
	back.CreatedAt, back.UpdatedAt, back.IsRollback = r.at, r.at, true
	back.RolloutStateReason = by + "rolling back to deploymentId " + last.ID + "."
	r.event("(service %s) rolling back to deployment %s.", s.Name, back.ID)
	// What still runs on the earlier revision need not be started again.
	for _, task := range r.live(last) {
		task.StartedBy = back.ID
	}
}
