package agent

import (
	"context"
	"fmt"
	"time"
)

// check has the target groups check the task while it is wanted, from when the container runs that they send traffic
// to.
func (t *task) check(ctx context.Context, o *observation) {
	if t.work.Task.DesiredStatus == stopped || t.failure != nil {
		for arn, c := range t.checks {
			c.stop()
			delete(t.checks, arn)
		}
		return
	}
	for _, target := range t.work.HealthChecks {
		earlier := t.checks[target.TargetGroupARN]
		if earlier != nil && earlier.target == target {
			continue
		}
		url, start := t.target(target.ContainerPort, o)
		if start == nil {
			continue
		}
		checking, stop := context.WithCancel(ctx)
		c := &checks{target: target, url: url + target.Path, began: *start, wake: t.wakeUp, stop: stop}
		if earlier != nil { // its settings have changed, which is no verdict
			earlier.stop()
			c.reason, c.decided = earlier.found()
		}
		t.checks[target.TargetGroupARN] = c
		t.background.Go(func() { c.run(checking) })
	}
}

// target is where a container's port answers on this machine, and since when the container runs; nil where it does not.
func (t *task) target(containerPort int, o *observation) (url string, start *time.Time) {
	for _, d := range t.definitions {
		for _, port := range t.ports(d, o) {
			if start := began(o.containers[d.Name]); port.ContainerPort == containerPort && start != nil {
				return fmt.Sprintf("http://%s:%d", port.HostIP, port.HostPort), start
			}
		}
	}
	return "", nil
}
