package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"slipway/sandbox/account"
)

// failure is why a task cannot start.
type failure struct{ container, reason string }

func (f *failure) Error() string { return f.reason }

// start makes and starts the containers that may start now.
func (t *task) start(ctx context.Context, o *observation) error {
	states := t.states(o)
	waits := func(d definition) bool { return states[d.Name].LastStatus == pending }
	hosted := o.host != nil && o.host.State.Running
	if !hosted && slices.ContainsFunc(t.definitions, func(d definition) bool { return states[d.Name].StartedAt != nil }) {
		return t.stop(ctx, o) // its network is gone
	}
	if !slices.ContainsFunc(t.definitions, waits) {
		return nil
	}
	if err := t.prepare(ctx); err != nil {
		return err
	}
	if !hosted {
		// What was made for an earlier host cannot join another.
		for _, c := range o.containers {
			if err := removeContainer(ctx, t.agent.Docker, c.ID); err != nil {
				return err
			}
		}
		if err := t.startHost(ctx, o); err != nil {
			return err
		}
	}
	for again := true; again; {
		again = false
		for _, d := range t.definitions {
			if !waits(d) {
				continue
			}
			ready, never := mayStart(d, t.definitions, states, time.Now())
			if never != "" {
				code := 143
				t.end(d, &code, "CannotStartContainerError: "+never)
			} else if ready {
				if err := t.startContainer(ctx, o, d); err != nil {
					return err
				}
			} else {
				continue
			}
			again = true
			if err := t.observe(ctx, o); err != nil {
				return err
			}
			t.follow(ctx, o)
			states = t.states(o)
			// At once: what has been started but is not known to be may count as never made.
			if err := t.report(o); err != nil {
				return err
			}
		}
	}
	return nil
}

// prepare pulls images and makes log streams, as Fargate does before a container starts.
func (t *task) prepare(ctx context.Context) error {
	if t.images != nil {
		return nil
	}
	images := map[string]pulled{}
	for _, d := range t.definitions {
		image, err := t.agent.pull(ctx, d.Image, t.work.Definition.Platform(), t.work.PullLogins[d.Name])
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return &failure{container: d.Name, reason: "CannotPullContainerError: " + err.Error()}
		}
		images[d.Name] = image
		group, stream := d.log(t.id())
		if group == "" {
			continue
		}
		err = t.agent.Account.CreateLogStream(t.arn, group, stream)
		if err != nil && !account.IsCode(err, "ResourceAlreadyExistsException") {
			return &failure{container: d.Name,
				reason: "ResourceInitializationError: failed to validate logger args: create stream has been " +
					"retried 1 times: failed to create Cloudwatch log stream: " + err.Error() + " : exit status 1"}
		}
	}
	t.images = images
	return nil
}

// startContainer makes a container where it is not there, and starts it. One that cannot start has ended.
func (t *task) startContainer(ctx context.Context, o *observation, d definition) error {
	if o.containers[d.Name] == nil {
		if err := t.create(ctx, d, o.host.ID); errdefs.IsConflict(err) {
			return err // an agent that was killed meanwhile has made it: the next step sees it
		} else if err != nil {
			return t.refused(ctx, d, "CannotCreateContainerError", err, nil)
		}
		if err := t.observe(ctx, o); err != nil {
			return err
		}
	}
	c := o.containers[d.Name]
	if c == nil {
		return fmt.Errorf("the container %s is gone from the Docker engine", t.engineName(d.Name))
	}
	call, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	_, err := t.agent.Docker.ContainerStart(call, c.ID, client.ContainerStartOptions{})
	if err == nil {
		return nil
	}
	var code *int
	if found, inspection := t.agent.Docker.ContainerInspect(call, c.ID,
		client.ContainerInspectOptions{}); inspection == nil {
		code = &found.Container.State.ExitCode
	}
	return t.refused(ctx, d, "CannotStartContainerError", err, code)
}

// refused ends a container that the engine refuses. Where the engine itself does not answer, it is tried again.
func (t *task) refused(ctx context.Context, d definition, kind string, err error, code *int) error {
	if ctx.Err() != nil || client.IsErrConnectionFailed(err) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	t.end(d, code, daemonError(kind, err))
	return nil
}
