package ecs

import (
	"fmt"
	"slices"

	"slipway/internal/awslimits"
	"slipway/sandbox/account"
)

// runsDaemon tells whether an instance is one of those that a daemon has a task on.
func (r *rollout) runsDaemon(c *ContainerInstance, d *TaskDefinition) bool {
	s := r.service
	return c.ClusterARN == s.ClusterARN && r.fleet.refuses(c, placing{cluster: s.ClusterARN, group: "service:" + s.Name,
		definition: d, constraints: s.Settings.Constraints}) == ""
}

// runDaemon has one task of the primary deployment on each instance. An earlier one stops first, as two cannot be
// on one instance; on one that is drained, the daemon stops last.
func (r *rollout) runDaemon(primary *Deployment) {
	s := r.service
	d, err := findTaskDefinition(r.Tx, primary.TaskDefinition)
	if err != nil || r.fleet == nil {
		r.setDaemons(primary, 0)
		return
	}
	desired := 0
	var stop []*Task
	spare := len(r.healthy(nil))
	var free []*ContainerInstance
	for _, c := range r.fleet.instances {
		runs := r.runsDaemon(c, d)
		if runs && c.Status == statusActive {
			desired++
		}
		on := r.daemonsOn(c)
		switch {
		case len(on) == 0 && runs && c.Status == statusActive:
			free = append(free, c)
		case runs && c.Status == statusActive && on[0].StartedBy == primary.ID,
			c.Status == statusDraining && r.fleet.isBusy(c):
		default:
			stop = append(stop, on...)
		}
	}
	r.setDaemons(primary, desired)
	spare -= (desired*s.Settings.MinimumHealthyPercent + 99) / 100
	stop = slices.DeleteFunc(stop, func(task *Task) bool {
		if task.DesiredStatus == taskStopped {
			return true
		}
		if task.healthy() && r.fleet.find(task.ContainerInstance).Status == statusActive {
			spare--
			return spare < 0
		}
		return false
	})
	r.stopAll(stop, fmt.Sprintf("Scaling activity initiated by (deployment %s)", primary.ID))
	if len(free) == 0 || r.throttled(primary) {
		return
	}
	for _, c := range free {
		if lacks := r.fleet.left(c).lacks(needsOf(d)); lacks != "" {
			r.unplaced(fmt.Sprintf("The closest matching (container-instance %s) %s. For more information, see the "+
				"Troubleshooting section of the Amazon ECS Developer Guide.", c.ID(), lacks))
			continue
		}
		task := r.newTask(s.ClusterARN, primary.TaskDefinition, primary.ID, "service:"+s.Name)
		task.EC2, task.ContainerInstance, task.Instance = true, c.ARN, c.Instance
		s.Tasks = append(s.Tasks, task)
		r.fleet.tasks = append(r.fleet.tasks, fleetTask{task, d, true})
		r.changed = true
	}
}

// setDaemons is how many tasks ECS counts a daemon to have: as many as there are instances for it.
func (r *rollout) setDaemons(primary *Deployment, n int) {
	if r.service.Settings.DesiredCount != n || primary.DesiredCount != n {
		r.service.Settings.DesiredCount, primary.DesiredCount, r.changed = n, n, true
	}
}

// daemonsOn are the service's tasks on an instance that have not stopped.
func (r *rollout) daemonsOn(c *ContainerInstance) (tasks []*Task) {
	for _, task := range r.service.Tasks {
		if task.ContainerInstance == c.ARN && task.LastStatus != taskStopped {
			tasks = append(tasks, task)
		}
	}
	return tasks
}

// unplaced tells of a task that there is no instance for.
func (r *rollout) unplaced(why string) {
	r.eventOnce("(service %s) was unable to place a task because no container instance met all of its requirements. %s",
		r.service.Name, why)
}

// moveFleet works out the instances, and ends tasks whose instance is lost.
func (r *rollout) moveFleet() {
	if r.fleet = fleetAt(r.Tx, r.at, r.service); r.fleet == nil {
		return
	}
	changed, next := r.fleet.advance()
	r.changed = r.changed || changed
	if !next.IsZero() {
		r.waitUntil(next)
	}
	for _, task := range r.service.Tasks {
		if task.LastStatus != taskStopped && task.ContainerInstance != "" && r.fleet.find(task.ContainerInstance) == nil {
			r.deregister([]*Task{task})
			task.fail(r.at, &taskFailure{code: "TerminationNotice",
				reason: fmt.Sprintf("Host EC2 (instance %s) terminated.", task.Instance)})
			r.changed = true
		}
	}
}

// placeTask finds an instance for a task that waits for one. Where none comes, the task ends.
func (r *rollout) placeTask(task *Task) {
	d, err := definitionOf(r.Tx, task)
	if err != nil || r.fleet == nil {
		return
	}
	s := r.service
	found, problem := r.fleet.place(placing{cluster: s.ClusterARN, provider: task.CapacityProvider,
		group: "service:" + s.Name, definition: d, constraints: s.Settings.Constraints})
	switch until := task.CreatedAt.Add(provisionTime); {
	case found != nil:
		task.ContainerInstance, task.Instance, task.LastStatus = found.ARN, found.Instance, taskPending
		r.changed = true
	case !r.waitUntil(until):
		r.fail(task, notStarted("RESOURCE: %s", problem))
	default:
		r.unplaced(problem)
	}
}

// isLeaving tells whether a task is on an instance that is to go.
func (r *rollout) isLeaving(task *Task) bool {
	if r.fleet == nil || task.ContainerInstance == "" {
		return false
	}
	c := r.fleet.find(task.ContainerInstance)
	return c != nil && c.Status == statusDraining
}

// staying are those of the tasks that are not on an instance that is to go.
func (r *rollout) staying(tasks []*Task) []*Task {
	return slices.DeleteFunc(slices.Clone(tasks), r.isLeaving)
}

// runsOnEC2 tells whether tasks of such settings are for instances.
func (s ServiceSettings) runsOnEC2() bool {
	return s.LaunchType == awslimits.EC2 || onInstances(s.Capacity)
}

// checkEngine refuses what instances or Fargate do not have of a service, and what ECS does not have of a daemon.
func checkEngine(d *TaskDefinition, settings ServiceSettings) error {
	invalid := func(format string, args ...any) error {
		return account.Refuse("InvalidParameterException", format, args...)
	}
	launch := awslimits.Fargate
	if settings.runsOnEC2() {
		launch = awslimits.EC2
	}
	switch {
	case !slices.Contains(d.RequiresCompatibilities, launch):
		return invalid("Task definition does not support launch_type %s.", launch)
	case launch == awslimits.EC2 && settings.AssignPublicIP:
		return invalid("Assign public IP is not supported for this launch type.")
	case d.NetworkMode == networkOfTask && len(settings.Subnets) == 0:
		return invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
	case d.NetworkMode != networkOfTask && len(settings.Subnets) > 0:
		return invalid("Network Configuration is not valid for the given networkMode of this task definition.")
	case launch != awslimits.EC2 && len(settings.Constraints) > 0:
		return invalid("Placement constraints and placement strategies are not supported with FARGATE launch type.")
	case !settings.daemon():
		return checkPlacement(settings.Constraints)
	case launch != awslimits.EC2:
		return invalid("The daemon scheduling strategy is not supported with FARGATE.")
	case len(settings.Capacity) > 0:
		return invalid("The daemon scheduling strategy does not support capacity provider strategies in the sandbox.")
	case settings.MaximumPercent > 100:
		return invalid("maximumPercent must be 100 or less with the daemon scheduling strategy.")
	}
	return checkPlacement(settings.Constraints)
}
