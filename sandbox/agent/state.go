package agent

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"slipway/sandbox/account/ecs"
)

// observation is what the engine has of a task at one moment.
type observation struct {
	host       *container.InspectResponse
	containers map[string]*container.InspectResponse // by name
}

// observe looks at the task's containers on the engine. Where it fails, the earlier observation stays: a part of one
// would tell of containers as gone that are there.
func (t *task) observe(ctx context.Context, o *observation) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	found, err := t.agent.Docker.ContainerList(ctx, client.ContainerListOptions{All: true,
		Filters: labelled(t.agent.identity, t.arn)})
	if err != nil {
		return err
	}
	now := observation{containers: map[string]*container.InspectResponse{}}
	for _, c := range found.Items {
		inspected, err := t.agent.Docker.ContainerInspect(ctx, c.ID, client.ContainerInspectOptions{})
		switch name := c.Labels[containerLabel]; {
		case isGone(err):
		case err != nil:
			return err
		case name == "":
			now.host = &inspected.Container
		default:
			now.containers[name] = &inspected.Container
		}
	}
	*o = now
	return nil
}

// began is when a container was started; nil where it never was.
func began(c *container.InspectResponse) *time.Time {
	if c == nil {
		return nil
	}
	return moment(c.State.StartedAt)
}

// moment is a time of the engine's, which says the year 1 where there is none.
func moment(text string) *time.Time {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || at.Year() <= 1 {
		return nil
	}
	return &at
}

// states is how every container of the task does. What is over stays as it is.
func (t *task) states(o *observation) map[string]ecs.ContainerState {
	states := map[string]ecs.ContainerState{}
	for _, d := range t.definitions {
		state, over := t.ended[d.Name]
		if !over {
			state = t.state(d, o)
			if state.LastStatus == stopped {
				t.ended[d.Name] = state
			}
		}
		if f := t.followers[d.Name]; f != nil {
			state.LogsTo = f.logsTo()
		}
		states[d.Name] = state
	}
	return states
}

func (t *task) state(d definition, o *observation) ecs.ContainerState {
	known := t.known(d.Name)
	c := o.containers[d.Name]
	state := ecs.ContainerState{Name: d.Name, LastStatus: pending, ImageDigest: t.images[d.Name].digest,
		Ports: t.ports(d, o), LogsTo: known.LogsTo}
	if state.ImageDigest == "" {
		state.ImageDigest = known.ImageDigest
	}
	if d.health() {
		state.Health = "UNKNOWN"
	}
	switch started := began(c); {
	case c == nil && known.StartedAt != nil:
		// Somebody has removed it.
		state = known
		now := time.Now()
		state.LastStatus, state.StoppedAt, state.Reason = stopped, &now, "The container is gone from the Docker engine"
	case c == nil:
	case started == nil:
		state.RuntimeID = c.ID
	case c.State.Running || !t.logsEnded(d.Name, c):
		// One that has just ended still runs for all others, until what it wrote is in the log: who asks why it ended looks
		// there.
		state.RuntimeID, state.LastStatus, state.StartedAt = c.ID, running, started
		state.Health = t.healthOf(d, c)
	default:
		code := c.State.ExitCode
		state.RuntimeID, state.LastStatus, state.StartedAt = c.ID, stopped, started
		state.ExitCode, state.StoppedAt, state.Health = &code, moment(c.State.FinishedAt), t.healthOf(d, c)
		if c.State.OOMKilled {
			state.Reason = "OutOfMemoryError: Container killed due to memory usage"
		}
	}
	return state
}

// known is how the container did when an agent last reported it: this one, whose word may be newer than the account's
// that the step began with, or the one before it.
func (t *task) known(name string) ecs.ContainerState {
	if last, reported := t.lastStates[name]; reported {
		return last
	}
	i := slices.IndexFunc(t.work.Task.Containers, func(s ecs.ContainerState) bool { return s.Name == name })
	if i < 0 {
		return ecs.ContainerState{}
	}
	return t.work.Task.Containers[i]
}

// healthOf is what a container's checks say while it runs. Docker calls one unhealthy as soon as it has ended.
func (t *task) healthOf(d definition, c *container.InspectResponse) string {
	switch {
	case !d.health():
		return ""
	case !c.State.Running:
		return cmp.Or(t.known(d.Name).Health, "UNKNOWN")
	case c.State.Health != nil && c.State.Health.Status == container.Healthy:
		return "HEALTHY"
	case c.State.Health != nil && c.State.Health.Status == container.Unhealthy:
		return "UNHEALTHY"
	}
	return "UNKNOWN"
}

// ports are where the container's ports answer on this machine.
func (t *task) ports(d definition, o *observation) (ports []ecs.Port) {
	if o.host == nil || o.host.NetworkSettings == nil {
		return nil
	}
	for _, m := range d.PortMappings {
		for port, bindings := range o.host.NetworkSettings.Ports {
			if port.Num() != m.ContainerPort || string(port.Proto()) != strings.ToLower(m.Protocol) {
				continue
			}
			for _, b := range bindings {
				ports = append(ports, ecs.Port{ContainerPort: int(m.ContainerPort), HostIP: b.HostIP.String(),
					HostPort: atoi(b.HostPort)})
			}
		}
	}
	return ports
}
