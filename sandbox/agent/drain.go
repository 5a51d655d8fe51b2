package agent

import "time"

// deregisterTime is how long load balancers may take to be told that a task is to stop.
const deregisterTime = 10 * time.Second

// drained reports whether a task that is to stop may do so: no load balancer sends it requests any more, and those that
// are under way have ended, or their time is up.
func (t *task) drained() bool {
	if len(t.work.Task.LoadBalancers) == 0 {
		return true
	}
	if t.draining.IsZero() {
		t.draining = time.Now()
	}
	over := time.Since(t.draining) - t.work.DeregistrationDelay
	last, deregistered := t.agent.listeners.since(t.draining)
	return deregistered && (last.underWay[t.arn] == 0 || over > 0) || over > deregisterTime
}

// pause is how long a task waits for a change before it is looked at again.
func (t *task) pause() time.Duration {
	if !t.draining.IsZero() {
		return interval / 2
	}
	return time.Second
}
