package ecs

import (
	"slices"

	"slipway/sandbox/account"
)

// Health of a task whose containers have health checks.
const (
	healthUnknown   = "UNKNOWN"
	healthHealthy   = "HEALTHY"
	healthUnhealthy = "UNHEALTHY"
)

// healthy reports whether a task counts for its service: it runs, and the health checks of its containers and of the
// service's target groups, if any, have passed.
func (task *Task) healthy() bool {
	return task.LastStatus == taskRunning && !task.Settling && (task.Health == "" || task.Health == healthHealthy) &&
		(task.TargetHealth == "" || task.TargetHealth == targetHealthy)
}

func (r *rollout) healthy(d *Deployment) []*Task {
	return slices.DeleteFunc(r.live(d), func(task *Task) bool { return !task.healthy() })
}

// beginHealthChecks leaves the outcome open until the next step, where an essential container has a health check or the
// service a target group.
func (r *rollout) beginHealthChecks(task *Task, d *TaskDefinition) {
	if len(r.service.Settings.LoadBalancers) > 0 {
		task.TargetHealth = targetInitial
	}
	if d.hasHealthCheck() {
		task.Health = healthUnknown
	}
}

func (d *TaskDefinition) hasHealthCheck() bool {
	return slices.ContainsFunc(d.Containers, Container.hasHealthCheck)
}

// hasHealthCheck reports whether the health of a task depends on this container.
func (c Container) hasHealthCheck() bool { return c["essential"] == true && c.checksHealth() }

func (c Container) checksHealth() bool {
	command, _ := account.Member(c["healthCheck"], "command").([]any)
	return len(command) > 0 && command[0] != "NONE"
}

// checkHealth ends the checks of a task that has just come to run: those of its containers first, then those of the
// target groups.
func (r *rollout) checkHealth(task *Task) {
	if task.Health == healthUnknown {
		r.checkContainers(task)
	}
	if task.LastStatus == taskRunning && task.TargetHealth == targetInitial {
		r.checkTargets(task, nil)
	}
}

func (r *rollout) checkContainers(task *Task) {
	if r.unhealthyFault(task) {
		r.failContainers(task)
	} else {
		task.Health = healthHealthy
	}
}

func (r *rollout) unhealthyFault(task *Task) bool {
	return account.Wildcard(r.faults[account.UnhealthyTasks], account.AfterSlash(task.TaskDefinition))
}

func (r *rollout) failContainers(task *Task) {
	task.Health = healthUnhealthy
	code := 0 // its containers obey SIGTERM
	r.fail(task, &taskFailure{code: "ServiceSchedulerInitiated", exitCode: &code,
		reason: "Task failed container health checks"})
	r.event("(service %s) (task %s) failed container health checks.", r.service.Name, account.AfterSlash(task.ARN))
}

// checkOptional refuses what ECS refuses of a container's optional settings.
func (c Container) checkOptional(fargate bool) error {
	client := func(format string, args ...any) error { return account.Refuse("ClientException", format, args...) }
	type limit struct {
		name     string
		value    any
		from, to float64
	}
	limits := []limit{}
	if check := c["healthCheck"]; check != nil {
		command, _ := account.Member(check, "command").([]any)
		if len(command) == 0 || !slices.Contains([]any{"CMD", "CMD-SHELL", "NONE"}, command[0]) {
			return client("Container healthCheck command must start with CMD, CMD-SHELL or NONE")
		}
		limits = append(limits, limit{"healthCheck interval", account.Member(check, "interval"), 5, 300},
			limit{"healthCheck timeout", account.Member(check, "timeout"), 2, 60},
			limit{"healthCheck retries", account.Member(check, "retries"), 1, 10},
			limit{"healthCheck startPeriod", account.Member(check, "startPeriod"), 0, 300})
	}
	if fargate {
		limits = append(limits, limit{"startTimeout", c["startTimeout"], 2, 120},
			limit{"stopTimeout", c["stopTimeout"], 2, 120})
	}
	for _, l := range limits {
		if n, ok := l.value.(float64); l.value != nil && (!ok || n < l.from || n > l.to) {
			return client("Container %s must be between %v and %v", l.name, l.from, l.to)
		}
	}
	return nil
}
