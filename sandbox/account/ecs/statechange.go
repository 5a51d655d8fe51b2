package ecs

import (
	"cmp"
	"slices"

	"slipway/sandbox/account"
)

// SubmitTaskStateChange records how a task's containers do, as an engine finds them. A task that the account no longer
// knows is no error: it may have been forgotten, or the account reset.
func (a Agent) SubmitTaskStateChange(taskARN string, change TaskStateChange) error {
	return a.of(taskARN).Transact(func(t *account.Tx) error {
		for _, s := range account.List[Service](t, serviceKind) {
			if i := slices.IndexFunc(s.Tasks, func(task *Task) bool { return task.ARN == taskARN }); i >= 0 {
				task := s.Tasks[i]
				advance(t, s)
				r := &rollout{moment: momentAt(t, t.Now), service: s}
				r.applyStateChange(task, change)
				account.Put(t, serviceKind, s.id(), s)
				return nil
			}
		}
		task := account.Get[Task](t, taskKind, account.AfterSlash(taskARN))
		if task == nil || task.ARN != taskARN {
			return nil
		}
		advanceTask(t, task)
		momentAt(t, t.Now).applyStateChange(task, change)
		account.Put(t, taskKind, task.ID(), task)
		return nil
	})
}

// applyStateChange is for a task that no service stands behind: what its containers do is all that happens to it.
func (m moment) applyStateChange(task *Task, change TaskStateChange) {
	d, err := definitionOf(m.Tx, task)
	if err != nil || task.LastStatus == taskStopped {
		return
	}
	runs, failure := task.applyContainerStates(d, change)
	if runs {
		task.LastStatus, task.StartedAt = taskRunning, &m.at
	}
	if failure != nil {
		task.end(failure)
	}
	if task.LastStatus == taskRunning {
		task.Health = d.health(task.Containers)
	}
	if task.ended() {
		task.finish(m.at)
	}
}

// applyStateChange is for a service's task.
func (r *rollout) applyStateChange(task *Task, change TaskStateChange) {
	d, err := definitionOf(r.Tx, task)
	if err != nil || task.LastStatus == taskStopped {
		return
	}
	runs, failure := task.applyContainerStates(d, change)
	if runs {
		task.LastStatus, task.StartedAt = taskRunning, &r.at
		r.beginHealthChecks(task, d)
		task.Settling = task.Health == "" && task.TargetHealth == ""
		r.started(map[string][]string{task.StartedBy: {"(task " + task.ID() + ")"}})
	}
	if failure != nil {
		r.fail(task, failure)
	}
	if task.LastStatus == taskRunning && task.DesiredStatus == taskRunning {
		r.applyHealth(task, d, change.Targets)
	}
	if task.ended() {
		task.finish(r.at)
	}
}

// applyHealth has the scheduler stop a task whose containers, or target groups, are found unhealthy.
func (r *rollout) applyHealth(task *Task, d *TaskDefinition, targets map[string]string) {
	before := task.Health
	task.Health = d.health(task.Containers)
	if task.Health == healthUnhealthy || before == healthUnknown && task.Health == healthHealthy &&
		r.unhealthyFault(task) {
		r.failContainers(task)
		return
	}
	if task.TargetHealth != "" {
		r.checkTargets(task, targets)
	}
}

// applyContainerStates says whether the task has just come to run, and why it has to stop where that is new.
func (task *Task) applyContainerStates(d *TaskDefinition, change TaskStateChange) (runs bool, failure *taskFailure) {
	for _, state := range change.Containers {
		if i := slices.IndexFunc(task.Containers, func(c ContainerState) bool { return c.Name == state.Name }); i >= 0 {
			task.Containers[i] = state
		} else {
			task.Containers = append(task.Containers, state)
		}
	}
	waiting := slices.ContainsFunc(task.Containers, func(c ContainerState) bool {
		return c.LastStatus != taskRunning && c.LastStatus != taskStopped
	})
	refused := change.StopCode != "" || change.StoppedReason != ""
	if task.DesiredStatus == taskStopped {
		return false, nil
	}
	switch {
	case refused:
		failure = &taskFailure{code: cmp.Or(change.StopCode, stopNotStarted), reason: change.StoppedReason}
	case slices.ContainsFunc(task.Containers, func(c ContainerState) bool {
		return c.LastStatus == taskStopped && d.essential(c.Name)
	}):
		failure = &taskFailure{code: stopExited, reason: exitedReason}
	}
	return task.LastStatus == taskPending && !waiting && !refused, failure
}

// ended reports whether a task that is to stop has no container left that runs, or is about to.
func (task *Task) ended() bool {
	return task.DesiredStatus == taskStopped && !slices.ContainsFunc(task.Containers, func(c ContainerState) bool {
		return c.LastStatus != taskStopped && c.RuntimeID != ""
	})
}

func (d *TaskDefinition) essential(container string) bool {
	return slices.ContainsFunc(d.Containers, func(c Container) bool {
		return c.Name() == container &&
			c["essential"] == true
	})
}

// health is what the essential containers with a health check say together: "" where there are none.
func (d *TaskDefinition) health(states []ContainerState) string {
	if !d.hasHealthCheck() {
		return ""
	}
	health := healthHealthy
	for _, state := range states {
		i := slices.IndexFunc(d.Containers, func(c Container) bool { return c.Name() == state.Name })
		switch {
		case i < 0 || !d.Containers[i].hasHealthCheck():
		case state.Health == healthUnhealthy:
			return healthUnhealthy
		case state.Health != healthHealthy:
			health = healthUnknown
		}
	}
	return health
}

// ContainerStates are those of a task's containers: what an engine says of them, or else what is recorded of the whole
// task.
func (task *Task) ContainerStates(d *TaskDefinition) (states []ContainerState) {
	for _, c := range d.Containers {
		state := ContainerState{Name: c.Name(), LastStatus: task.LastStatus, StartedAt: task.StartedAt,
			StoppedAt: task.StoppedAt}
		if c.checksHealth() {
			state.Health = cmp.Or(task.Health, healthUnknown)
		}
		if i := slices.IndexFunc(task.Containers, func(s ContainerState) bool { return s.Name == c.Name() }); i >= 0 {
			state = task.Containers[i]
		}
		state.ExitCode, state.Reason = cmp.Or(state.ExitCode, task.ExitCode), cmp.Or(state.Reason, task.ContainerReason)
		states = append(states, state)
	}
	return states
}
