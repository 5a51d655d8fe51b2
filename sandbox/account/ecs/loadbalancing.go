package ecs

import (
	"fmt"
	"maps"
	"slices"

	"slipway/sandbox/account"
	"slipway/sandbox/account/elb"
	"slipway/sandbox/account/vpc"
)

// ServiceLoadBalancer attaches a service to a target group, which sends its traffic to a container's port.
type ServiceLoadBalancer struct {
	TargetGroupARN string `json:"targetGroupArn"`
	ContainerName  string `json:"containerName"`
	ContainerPort  int    `json:"containerPort"`
}

// How a running task does in the target groups of its service; a task of a service without any has neither.
const (
	targetInitial   = "initial"
	targetHealthy   = "healthy"
	targetUnhealthy = "unhealthy"
)

var errNoLoadBalancer = account.Refuse("InvalidParameterException",
	"Health check grace period is only valid for services configured to use load balancers")

func checkServiceLoadBalancers(t *account.Tx, settings ServiceSettings, d *TaskDefinition) error {
	invalid := func(format string, args ...any) error {
		return account.Refuse("InvalidParameterException", format, args...)
	}
	for _, lb := range settings.LoadBalancers {
		group := account.Get[account.Object](t, elb.TargetGroup, account.AfterSlash(lb.TargetGroupARN))
		if group == nil || group.Text("arn") != lb.TargetGroupARN {
			return invalid("The target group '%s' does not exist", lb.TargetGroupARN)
		}
		if kind := group.Text("targetType"); kind != "ip" {
			return invalid("The provided target group %s has target type %s, which is incompatible with the awsvpc network mode "+
				"specified in the task definition.", lb.TargetGroupARN, kind)
		}
		if len(elb.LoadBalancersOf(t, lb.TargetGroupARN)) == 0 {
			return invalid("The target group with targetGroupArn %s does not have an associated load balancer.",
				lb.TargetGroupARN)
		}
		i := slices.IndexFunc(d.Containers, func(c Container) bool { return c.Name() == lb.ContainerName })
		if i < 0 {
			return invalid("The container %s does not exist in the task definition.", lb.ContainerName)
		}
		if !slices.ContainsFunc(d.Containers[i].objects("portMappings"), func(m map[string]any) bool {
			return m["containerPort"] == float64(lb.ContainerPort)
		}) {
			return invalid("The container %s did not have a container port %d defined.", lb.ContainerName, lb.ContainerPort)
		}
	}
	return nil
}

// register makes new running tasks known to the service's target groups.
func (r *rollout) register(tasks int) {
	for _, lb := range r.service.Settings.LoadBalancers {
		r.event("(service %s) registered %d targets in (target-group %s).", r.service.Name, tasks, lb.TargetGroupARN)
	}
}

// deregister tells of tasks that get no requests any more.
func (r *rollout) deregister(tasks []*Task) {
	count := map[string]int{}
	draining := 0
	for _, task := range tasks {
		if task.LastStatus != taskRunning || len(task.LoadBalancers) == 0 {
			continue
		}
		draining++
		for _, lb := range task.LoadBalancers {
			count[lb.TargetGroupARN]++
		}
	}
	if draining > 0 {
		r.event("(service %s) has begun draining connections on %d tasks.", r.service.Name, draining)
	}
	for _, arn := range slices.Sorted(maps.Keys(count)) {
		r.event("(service %s) deregistered %d targets in (target-group %s).", r.service.Name, count[arn], arn)
	}
}

// checkTargets has the target groups find a running task healthy or not; ECS stops one that is not. Of a task that an
// engine has, found is what its health checks have found, for each target group where they have decided; those of any
// other task are passed once nothing is in their way.
func (r *rollout) checkTargets(task *Task, found map[string]string) {
	s := r.service
	open := false
	for _, lb := range s.Settings.LoadBalancers {
		reason := ""
		if task.TargetHealth == targetInitial {
			reason = r.targetFailure(task, lb)
		}
		if reason == "" && r.runByAgent(task) && r.healthCheck(lb) != nil {
			decided := false
			reason, decided = found[lb.TargetGroupARN]
			open = open || !decided
		}
		if reason == "" {
			continue
		}
		r.event("(service %s) (port %d) is unhealthy in (target-group %s) due to (reason %s).", s.Name, lb.ContainerPort,
			lb.TargetGroupARN, reason)
		obeyed := 0
		task.TargetHealth = targetUnhealthy
		r.fail(task, &taskFailure{code: "ServiceSchedulerInitiated", exitCode: &obeyed,
			reason: fmt.Sprintf("Task failed ELB health checks in (target-group %s)", lb.TargetGroupARN)})
		return
	}
	if !open && task.TargetHealth != targetHealthy {
		task.TargetHealth, r.changed = targetHealthy, true
	}
}

// targetFailure says why a target group's health checks of a task fail, or "".
func (r *rollout) targetFailure(task *Task, lb ServiceLoadBalancer) string {
	if pattern := r.faults[account.UnhealthyTargets]; pattern != "" && account.Wildcard(pattern,
		account.AfterSlash(task.TaskDefinition)) {
		return "Health checks failed with these codes: [503]"
	}
	groups := r.service.Settings.SecurityGroups
	if len(groups) == 0 {
		groups = []string{vpc.DefaultSecurityGroup}
	}
	for _, arn := range elb.LoadBalancersOf(r.Tx, lb.TargetGroupARN) {
		balancer := account.Get[account.Object](r.Tx, elb.LoadBalancer, account.AfterSlash(arn))
		if !vpc.Connected(r.Tx, balancer.List("securityGroups"), groups, lb.ContainerPort) {
			return "Request timed out"
		}
	}
	return "" // a target group that no load balancer uses any more checks nothing
}
