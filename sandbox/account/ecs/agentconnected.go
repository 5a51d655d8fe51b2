package ecs

import (
	"time"

	"slipway/sandbox/account"
)

const (
	agentConnectedKind = "runner"
)

// SetAgentConnected tells the account whether an engine runs its new tasks. Where none does any more, those that one
// had go on as recorded ones, so that nothing waits for a state change that never comes.
func SetAgentConnected(a *account.Account, on bool) error {
	return a.Transact(func(t *account.Tx) error {
		account.Put(t.Shared(), agentConnectedKind, "", on)
		return nil
	})
}

func agentConnected(t *account.Tx) bool {
	on := account.Get[bool](t.Shared(), agentConnectedKind, "")
	return on != nil && *on
}

// settleTime is how long a task without any health check has to run before it counts for its service, where an engine
// runs it. ECS waits 40 seconds.
const settleTime = 2 * time.Second

// runByAgent reports whether an engine has a task: what becomes of its containers, only the engine says.
func (m moment) runByAgent(task *Task) bool { return m.engine && task.OnEngine && task.Admitted }

// admit finds out whether anything keeps a new task from running. One that an engine is to run is the engine's from
// then on.
func (m moment) admit(task *Task, network Network) (*TaskDefinition, *taskFailure) {
	d, err := definitionOf(m.Tx, task)
	if err != nil {
		return nil, notStarted("%s", err)
	}
	if f := m.startFailure(d, task, network); f != nil {
		return d, f
	}
	if task.Pull != nil && task.Pull.Failure != "" {
		return d, notStarted("%s", task.Pull.Failure)
	}
	// Where there is no engine any more, it is a recorded task.
	if task.Admitted = m.engine && task.OnEngine; task.Admitted && task.Containers == nil {
		for _, c := range d.Containers {
			state := ContainerState{Name: c.Name(), LastStatus: taskPending}
			if c.checksHealth() {
				state.Health = healthUnknown
			}
			task.Containers = append(task.Containers, state)
		}
	}
	return d, nil
}

// advanceRunning moves on a task that an engine has, as far as time and what else is in the account decide it.
func (r *rollout) advanceRunning(task *Task) {
	if task.LastStatus != taskRunning || task.DesiredStatus == taskStopped {
		return
	}
	if task.Health == healthUnknown && r.unhealthyFault(task) {
		r.failContainers(task)
		return
	}
	if task.TargetHealth == targetInitial {
		r.checkTargets(task, nil)
	}
	if task.Settling && !r.waitUntil(task.StartedAt.Add(settleTime)) {
		task.Settling, r.changed = false, true
	}
}

// throttled holds back a deployment whose tasks keep ending soon after an engine has started them, each time for twice
// as long: ECS does so, up to 27 minutes.
func (r *rollout) throttled(d *Deployment) bool {
	const soon, free, longest = time.Minute, 3, time.Minute
	failed := 0
	var last time.Time
	for i := len(r.service.Tasks) - 1; i >= 0; i-- {
		task := r.service.Tasks[i]
		if task.StartedBy != d.ID || task.LastStatus != taskStopped {
			continue
		}
		if !task.OnEngine || task.StopCode != stopExited && task.StopCode != stopNotStarted ||
			task.StoppedAt.Sub(task.CreatedAt) > soon {
			break
		}
		if failed++; task.StoppedAt.After(last) {
			last = *task.StoppedAt
		}
	}
	if !r.engine || failed <= free {
		return false
	}
	return r.waitUntil(last.Add(min(longest, time.Second<<min(failed-free-1, 10))))
}
