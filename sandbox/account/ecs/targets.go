package ecs

import (
	"time"

	"slipway/sandbox/account"
	"slipway/sandbox/account/elb"
	"slipway/sandbox/alb"
)

// Listeners are those of the load balancers of all accounts, with their targets: none where no engine runs tasks.
func (a Agent) Listeners() (live []elb.LiveListener, err error) {
	all, err := a.All()
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		own, err := Listeners(one)
		if err != nil {
			return nil, err
		}
		live = append(live, own...)
	}
	return live, nil
}

// Listeners are those of an account's load balancers, with their targets: none where no engine runs tasks.
func Listeners(a *account.Account) (live []elb.LiveListener, err error) {
	err = a.Transact(func(t *account.Tx) error {
		if !agentConnected(t) {
			return nil
		}
		live = elb.LiveListeners(t)
		if len(live) == 0 {
			return nil
		}
		targets := targetsOf(t)
		for _, l := range live {
			for arn, group := range l.Settings.TargetGroups {
				group.Targets = targets[arn]
				l.Settings.TargetGroups[arn] = group
			}
		}
		return nil
	})
	return live, err
}

// targetsOf are the targets that take requests, by target group: tasks that are healthy, and not to stop.
func targetsOf(t *account.Tx) map[string][]alb.Target {
	targets := map[string][]alb.Target{}
	for _, s := range account.List[Service](t, serviceKind) {
		advance(t, s)
		for _, task := range s.Tasks {
			if task.LastStatus != taskRunning || task.DesiredStatus != taskRunning || task.TargetHealth != targetHealthy {
				continue
			}
			for _, lb := range task.LoadBalancers {
				targets[lb.TargetGroupARN] = append(targets[lb.TargetGroupARN], alb.Target{Task: task.ARN, Port: lb.ContainerPort})
			}
		}
	}
	return targets
}

// KeepLocalPort keeps where a listener answers on this machine.
func (a Agent) KeepLocalPort(l elb.LiveListener, port int) error {
	return elb.KeepLocalPort(a.of(l.ARN), l, port)
}

// Authority is that of all HTTPS listeners.
func (a Agent) Authority() (alb.Authority, error) { return elb.Authority(a.Account) }

// deregistrationDelay is the longest of the task's target groups.
func (m moment) deregistrationDelay(task *Task) (delay time.Duration) {
	for _, lb := range task.LoadBalancers {
		if group := account.Get[account.Object](m.Tx, elb.TargetGroup, account.AfterSlash(lb.TargetGroupARN)); group != nil {
			seconds, _ := (*group)["deregistrationDelay"].(float64)
			delay = max(delay, time.Duration(seconds)*time.Second)
		}
	}
	return delay
}
