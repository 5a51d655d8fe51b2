package agent

import (
	"fmt"
	"slices"
	"time"

	"slipway/sandbox/account/ecs"
)

// Statuses of tasks and containers.
const (
	pending = "PENDING"
	running = "RUNNING"
	stopped = "STOPPED"
)

// dependency is what a container waits for: START, COMPLETE, SUCCESS or HEALTHY of another one.
type dependency struct{ ContainerName, Condition string }

// mayStart reports whether all that a container depends on is there; never says, in the ECS agent's words, why that
// cannot be.
func mayStart(d definition, all []definition, states map[string]ecs.ContainerState, now time.Time) (ready bool,
	never string) {
	ready = true
	for _, on := range d.DependsOn {
		state := states[on.ContainerName]
		i := slices.IndexFunc(all, func(other definition) bool { return other.Name == on.ContainerName })
		if i >= 0 && timedOut(all[i], on.Condition, state, now) {
			return false, fmt.Sprintf("dependency graph: container ordering dependency [%s] for target [%s] has timed out.",
				on.ContainerName, d.Name)
		}
		over := state.LastStatus == stopped
		switch {
		case over && state.StartedAt == nil:
			return false, fmt.Sprintf("dependency graph: failed to resolve container ordering dependency [%s] for target [%s] "+
				"because "+
				"dependency will never start", on.ContainerName, d.Name)
		case over && on.Condition == "SUCCESS" && (state.ExitCode == nil || *state.ExitCode != 0):
			return false,
				fmt.Sprintf("dependency graph: failed to resolve container ordering dependency [%s] for target [%s] as "+
					"dependency did not exit successfully.", on.ContainerName, d.Name)
		case over && on.Condition == "HEALTHY":
			return false,
				fmt.Sprintf("dependency graph: failed to resolve the container ordering dependency [%s] for target [%s]",
					on.ContainerName, d.Name)
		}
		switch on.Condition {
		case "START":
			ready = ready && state.StartedAt != nil
		case "HEALTHY":
			ready = ready && state.Health == "HEALTHY"
		default:
			ready = ready && over
		}
	}
	return ready, ""
}

// timedOut reports whether a container took longer than its startTimeout to be what others wait for.
func timedOut(d definition, condition string, state ecs.ContainerState, now time.Time) bool {
	if d.StartTimeout == nil || *d.StartTimeout <= 0 || condition == "START" || state.StartedAt == nil ||
		state.LastStatus == stopped {
		return false
	}
	if condition == "HEALTHY" && state.Health == "HEALTHY" {
		return false
	}
	return now.After(state.StartedAt.Add(time.Duration(*d.StartTimeout) * time.Second))
}

// mayStop reports whether no container that still runs depends on this one.
func mayStop(d definition, all []definition, runs map[string]bool) bool {
	return !slices.ContainsFunc(all, func(other definition) bool {
		return runs[other.Name] &&
			slices.ContainsFunc(other.DependsOn, func(on dependency) bool { return on.ContainerName == d.Name })
	})
}
