package ecs

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"slipway/internal/awslimits"
	"slipway/sandbox/account"
	"slipway/sandbox/account/scaling"
)

// Rollouts have no clock of their own: every read or write of a service first works out the steps that the time since
// the last one holds, so any number of processes see the same rollout, whichever of them looks.

// stepTime is how long one step of a rollout takes, where no fault makes it slower.
const stepTime = 200 * time.Millisecond

// maxSteps bounds the work of one read. A service that has kept failing for longer skips ahead.
const maxSteps = 1000

// advance works out a service's rollout up to now, and keeps it.
func advance(t *account.Tx, s *Service) {
	if s.Status == statusInactive {
		return
	}
	now := momentAt(t, t.Now)
	step := account.FaultDuration(now.faults, account.SlowRollout, stepTime)
	changed := false
	for range maxSteps {
		next := s.AdvancedTo.Add(step)
		if next.After(t.Now) {
			break
		}
		r := rollout{moment: now, service: s}
		r.at = next
		if !r.step() {
			if r.wakes.After(next) && !r.wakes.After(t.Now) {
				s.AdvancedTo = r.wakes.Add(-step)
				continue
			}
			s.AdvancedTo = t.Now
			break
		}
		s.AdvancedTo = next
		changed = true
		if s.Status == statusInactive {
			break
		}
	}
	if t.Now.Sub(s.AdvancedTo) > maxSteps*step {
		s.AdvancedTo = t.Now
	}
	if changed {
		account.Put(t, serviceKind, s.id(), s)
	}
}

// rollout is one step of a service, at one moment.
type rollout struct {
	moment
	service *Service
	changed bool
	wakes   time.Time // when the next thing happens that takes its time; zero where nothing does
	fleet   *fleet    // nil where the account has no instances
}

// waitUntil reports whether a time is yet to come, and has the rollout looked at then.
func (r *rollout) waitUntil(until time.Time) bool {
	if !until.After(r.at) {
		return false
	}
	if r.wakes.IsZero() || until.Before(r.wakes) {
		r.wakes = until
	}
	return true
}

// step moves every task by one status, then decides what to start, stop or give up. It reports whether anything
// happened; where nothing did, nothing will until someone changes the service.
func (r *rollout) step() bool {
	s := r.service
	r.moveFleet()
	r.moveTasks()
	r.forgetOldTasks()
	if s.Status == statusDraining {
		r.drain()
		return r.changed
	}
	primary := s.Deployments[0]
	r.breakCircuit(primary)
	r.checkAlarms(primary)
	if primary == s.Deployments[0] && primary.RolloutState != Failed {
		if s.Settings.daemon() {
			r.runDaemon(primary)
		} else {
			r.scale(primary)
			r.startTasks(primary)
			r.stopTasks(primary)
		}
		r.complete(primary)
	}
	return r.changed
}

func (r *rollout) event(format string, args ...any) {
	r.changed = true
	e := Event{ID: r.NewID("event", 32), CreatedAt: r.at, Message: fmt.Sprintf(format, args...)}
	r.service.Events = append([]Event{e}, r.service.Events...)
	r.service.Events = r.service.Events[:min(len(r.service.Events), 100)]
}

// eventOnce is event, unless the latest event says the same.
func (r *rollout) eventOnce(format string, args ...any) {
	if events := r.service.Events; len(events) == 0 || events[0].Message != fmt.Sprintf(format, args...) {
		r.event(format, args...)
	}
}

func (r *rollout) moveTasks() {
	started := map[string][]string{}
	for _, task := range r.service.Tasks {
		switch {
		case task.LastStatus == taskStopped:
			continue
		case r.runByAgent(task):
			r.advanceRunning(task)
			continue
		case task.DesiredStatus == taskStopped:
			task.stop(r.at)
		case task.LastStatus == taskProvisioning:
			r.placeTask(task)
			continue
		case task.LastStatus == taskPending:
			d, failure := r.admit(task, r.service.Settings.network())
			switch {
			case failure != nil:
				r.fail(task, failure)
			case r.awaitsPull(task, d):
				continue
			case !task.Admitted:
				task.run(r.at)
				r.beginHealthChecks(task, d)
				started[task.StartedBy] = append(started[task.StartedBy], "(task "+account.AfterSlash(task.ARN)+")")
			}
		case task.Health == healthUnknown || task.TargetHealth == targetInitial || task.Settling:
			task.Settling = false
			r.checkHealth(task)
		default:
			continue
		}
		r.changed = true
	}
	r.started(started)
}

// started tells of tasks that have come to run, by deployment.
func (r *rollout) started(tasks map[string][]string) {
	for _, d := range r.service.Deployments {
		if tasks := tasks[d.ID]; len(tasks) > 0 {
			r.event("(service %s) has started %d tasks: %s.", r.service.Name, len(tasks), strings.Join(tasks, " "))
			r.register(len(tasks))
		}
	}
}

func (r *rollout) fail(task *Task, f *taskFailure) {
	if r.runByAgent(task) {
		task.end(f) // and the engine says when it has stopped
	} else {
		task.fail(r.at, f)
	}
	r.changed = true
	if f.notLaunched {
		r.event("(service %s) failed to launch a task with (error %s).", r.service.Name, f.reason)
	}
	for _, d := range r.service.Deployments {
		if d.ID == task.StartedBy && d.RolloutState == InProgress {
			d.FailedTasks++
			d.UpdatedAt = r.at
		}
	}
}

// forgetOldTasks drops tasks that stopped an hour ago, as ECS does, and all but the last 100 of the others.
func (r *rollout) forgetOldTasks() {
	stopped := 0
	for _, task := range slices.Backward(r.service.Tasks) {
		if task.LastStatus == taskStopped {
			stopped++
			task.forgotten = stopped > 100 || r.at.Sub(*task.StoppedAt) > time.Hour
		}
	}
	r.service.Tasks = slices.DeleteFunc(r.service.Tasks, func(t *Task) bool { return t.forgotten })
}

// live counts a deployment's tasks that are not stopping, or everyone's where d is nil.
func (r *rollout) live(d *Deployment) (tasks []*Task) {
	for _, task := range r.service.Tasks {
		if task.DesiredStatus == taskRunning && (d == nil || task.StartedBy == d.ID) {
			tasks = append(tasks, task)
		}
	}
	return tasks
}

func (r *rollout) stopAll(tasks []*Task, reason string) {
	if len(tasks) == 0 {
		return
	}
	r.deregister(tasks)
	var names []string
	for _, task := range tasks {
		task.DesiredStatus, task.StopCode, task.StoppedReason = taskStopped, "ServiceSchedulerInitiated", reason
		names = append(names, "(task "+account.AfterSlash(task.ARN)+")")
	}
	r.event("(service %s) has stopped %d running tasks: %s.", r.service.Name, len(tasks), strings.Join(names, " "))
}

func (r *rollout) drain() {
	r.stopAll(r.live(nil), "Task stopped by service deletion")
	gone := !slices.ContainsFunc(r.service.Tasks, func(t *Task) bool { return t.LastStatus != taskStopped })
	if gone {
		r.service.Status, r.service.Deployments, r.changed = statusInactive, nil, true
		scaling.ForgetScaling(r.Tx, "service/"+r.service.id())
	}
}

// startTasks starts as many tasks of the primary deployment as the maximum percentage leaves room for.
func (r *rollout) startTasks(primary *Deployment) {
	s := r.service
	room := s.Settings.DesiredCount*s.Settings.MaximumPercent/100 - len(r.live(nil))
	missing := min(s.Settings.DesiredCount-len(r.staying(r.live(primary))), room)
	if missing <= 0 || r.throttled(primary) {
		return
	}
	for range missing {
		task := r.newTask(s.ClusterARN, primary.TaskDefinition, primary.ID, "service:"+s.Name)
		task.LoadBalancers = s.Settings.LoadBalancers
		task.CapacityProvider = capacityProvider(primary.Capacity, r.live(primary))
		if task.EC2 = s.Settings.LaunchType == awslimits.EC2 || onInstances(primary.Capacity); task.EC2 {
			task.LastStatus = taskProvisioning
		}
		s.Tasks = append(s.Tasks, task)
		r.changed = true
	}
}

// stopTasks stops earlier deployments' tasks, and surplus ones, as far as the minimum percentage leaves enough running.
func (r *rollout) stopTasks(primary *Deployment) {
	s := r.service
	reason := fmt.Sprintf("Scaling activity initiated by (deployment %s)", primary.ID)
	spare := len(r.healthy(nil)) - (s.Settings.DesiredCount*s.Settings.MinimumHealthyPercent+99)/100
	var stop []*Task
	for _, d := range slices.Backward(s.Deployments) {
		tasks := r.live(d)
		if d == primary {
			staying := r.staying(tasks)
			tasks = append(slices.DeleteFunc(slices.Clone(tasks), func(t *Task) bool { return !r.isLeaving(t) }),
				staying[min(len(staying), s.Settings.DesiredCount):]...)
		}
		for _, task := range tasks {
			if task.healthy() {
				if spare <= 0 {
					continue
				}
				spare--
			}
			stop = append(stop, task)
		}
		if d != primary {
			d.DesiredCount = len(tasks)
		}
	}
	r.stopAll(stop, reason)
}

// complete ends a rollout whose tasks all run, with nothing left of earlier deployments.
func (r *rollout) complete(primary *Deployment) {
	s := r.service
	unsettled := slices.ContainsFunc(s.Tasks, func(t *Task) bool {
		return t.LastStatus != taskStopped && (!t.healthy() || t.DesiredStatus == taskStopped || t.StartedBy != primary.ID)
	})
	if unsettled || len(r.healthy(primary)) != s.Settings.DesiredCount {
		return
	}
	if r.inBakeTime(primary) {
		return
	}
	if primary.RolloutState == InProgress {
		primary.RolloutState, primary.UpdatedAt = Completed, r.at
		primary.RolloutStateReason = fmt.Sprintf("ECS deployment %s completed.", primary.ID)
		s.Deployments = []*Deployment{primary}
		completed := *primary
		s.LastCompleted = &completed
		r.event("(service %s) (deployment %s) deployment completed.", s.Name, primary.ID)
	}
	r.eventOnce("(service %s) has reached a steady state.", s.Name)
}
