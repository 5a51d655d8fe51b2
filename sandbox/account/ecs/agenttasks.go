package ecs

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"slipway/sandbox/account"
	"slipway/sandbox/account/elb"
	"slipway/sandbox/account/secrets"
)

// AgentTasks lists the tasks of all accounts that an engine has to run, or to stop: none where no engine is to run any.
func (a Agent) AgentTasks() (work []AgentTask, err error) {
	all, err := a.All()
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		tasks, err := agentTasks(one)
		if err != nil {
			return nil, err
		}
		work = append(work, tasks...)
	}
	return work, nil
}

func agentTasks(a *account.Account) (work []AgentTask, err error) {
	err = a.Transact(func(t *account.Tx) error {
		now := momentAt(t, t.Now)
		for _, s := range account.List[Service](t, serviceKind) {
			advance(t, s)
			r := &rollout{moment: now, service: s}
			for _, task := range s.Tasks {
				work = r.appendAgentTask(work, task, r.healthChecks)
			}
		}
		for _, task := range standaloneTasks(t) {
			work = now.appendAgentTask(work, task, func() []HealthCheck { return nil })
		}
		return nil
	})
	return work, err
}

func (m moment) appendAgentTask(work []AgentTask, task *Task, targets func() []HealthCheck) []AgentTask {
	if !m.runByAgent(task) || task.LastStatus == taskStopped || task.LastStatus == taskProvisioning {
		return work
	}
	d, err := definitionOf(m.Tx, task)
	if err != nil { // no revision is ever forgotten
		return work
	}
	return append(work, AgentTask{Task: *task, Definition: *d, Region: account.Region(task.ARN),
		Secrets:      m.secretValues(d),
		PullLogins:   m.pullLogins(d),
		HealthChecks: targets(), DeregistrationDelay: m.deregistrationDelay(task)})
}

// secretValues are those of a definition's secret variables that the account has.
func (m moment) secretValues(d *TaskDefinition) map[string]map[string]string {
	values := map[string]map[string]string{}
	for _, c := range d.Containers {
		values[c.Name()] = map[string]string{}
		for _, secret := range c.objects("secrets") {
			from := m.secretARN(d, fmt.Sprint(secret["valueFrom"]))
			if value, err := secrets.ReadSecret(m.Tx, from); err == nil {
				values[c.Name()][fmt.Sprint(secret["name"])] = value
			}
		}
	}
	return values
}

// healthChecks are the target groups of the service whose health checks an engine can do.
func (r *rollout) healthChecks() (healthChecks []HealthCheck) {
	for _, lb := range r.service.Settings.LoadBalancers {
		if target := r.healthCheck(lb); target != nil {
			healthChecks = append(healthChecks, *target)
		}
	}
	return healthChecks
}

// healthCheck is a target group's health check, or nil where there is none to do: no load balancer uses the group, or
// the check is not plain HTTP.
func (r *rollout) healthCheck(lb ServiceLoadBalancer) *HealthCheck {
	group := account.Get[account.Object](r.Tx, elb.TargetGroup, account.AfterSlash(lb.TargetGroupARN))
	if group == nil || len(elb.LoadBalancersOf(r.Tx, lb.TargetGroupARN)) == 0 {
		return nil
	}
	check := group.Object("healthCheck")
	if group.Text("protocolVersion") == "GRPC" || cmp.Or(check.Text("protocol"), "HTTP") != "HTTP" {
		return nil
	}
	port := lb.ContainerPort
	if own, err := strconv.Atoi(check.Text("port")); err == nil {
		port = own
	}
	seconds := func(n int) time.Duration { return time.Duration(n) * time.Second }
	return &HealthCheck{TargetGroupARN: lb.TargetGroupARN, ContainerPort: port, Path: cmp.Or(check.Text("path"), "/"),
		Matcher:  strings.ReplaceAll(cmp.Or(check.Text("matcher"), "200"), " ", ""),
		Interval: seconds(check.Number("interval", 30)),
		Timeout:  seconds(check.Number("timeout", 5)), Healthy: check.Number("healthyThreshold", 5),
		Unhealthy: check.Number("unhealthyThreshold", 2), GracePeriod: seconds(r.service.Settings.HealthCheckGracePeriod)}
}
