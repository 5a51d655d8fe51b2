package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// Labels of all that the agent makes on the engine. What has no label of the account's is never touched.
const (
	accountLabel   = "slipway.sandbox.account"
	taskLabel      = "slipway.sandbox.task"
	containerLabel = "slipway.sandbox.container" // the container's name in its task; the host has none
	listenerLabel  = "slipway.sandbox.listener"  // of a load balancer, which no task has
	filesLabel     = "slipway.sandbox.files"     // of a file system of EFS, which outlives tasks
)

func labelled(identity, arn string) client.Filters {
	filters := client.Filters{}.Add("label", accountLabel+"="+identity)
	if arn != "" {
		filters.Add("label", taskLabel+"="+arn)
	}
	return filters
}

// list describes the containers of every task that the engine has something of, such that what it says changes when a
// container does.
func (a *Agent) list(ctx context.Context) (map[string]string, error) {
	containers, err := a.containers(ctx)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, c := range containers {
		if c.Labels[listenerLabel] != "" {
			continue
		}
		// The status also says for how long, which is no change.
		_, health, _ := strings.Cut(c.Status, "(")
		if c.State != container.StateRunning {
			health = ""
		}
		found[c.Labels[taskLabel]] += fmt.Sprintf("%s %s %s\n", c.ID, c.State, health)
	}
	return found, nil
}

// containers are all that the engine has of the account, in the order of their ids.
func (a *Agent) containers(ctx context.Context) ([]container.Summary, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	found, err := a.Docker.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: labelled(a.identity, "")})
	slices.SortFunc(found.Items, func(x, y container.Summary) int { return strings.Compare(x.ID, y.ID) })
	return found.Items, err
}

// volumeTasks are the tasks that the engine has volumes of.
func (a *Agent) volumeTasks(ctx context.Context) (arns []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	volumes, err := a.Docker.VolumeList(ctx, client.VolumeListOptions{Filters: labelled(a.identity, "")})
	if err != nil {
		return nil, err
	}
	for _, v := range volumes.Items {
		if v.Labels[filesLabel] == "" {
			arns = append(arns, v.Labels[taskLabel])
		}
	}
	return arns, nil
}

// removeAll removes the containers of a task, or of all tasks where arn is "", and then their volumes.
func removeAll(ctx context.Context, docker *client.Client, identity, arn string) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	containers, err := docker.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: labelled(identity, arn)})
	if err != nil {
		return err
	}
	var removing sync.WaitGroup
	errs := make([]error, len(containers.Items))
	for i, c := range containers.Items {
		removing.Go(func() { errs[i] = removeContainer(ctx, docker, c.ID) })
	}
	removing.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	volumes, err := docker.VolumeList(ctx, client.VolumeListOptions{Filters: labelled(identity, arn)})
	if err != nil {
		return err
	}
	for _, v := range volumes.Items {
		if _, err := docker.VolumeRemove(ctx, v.Name, client.VolumeRemoveOptions{Force: true}); err != nil && !isGone(err) {
			return err
		}
	}
	return nil
}

func removeContainer(ctx context.Context, docker *client.Client, id string) error {
	for {
		_, err := docker.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		switch {
		case isGone(err):
			return nil
		case !errdefs.IsConflict(err) || ctx.Err() != nil:
			return err
		}
		// An agent that ended meanwhile has begun to remove it.
		sleep(ctx, interval)
	}
}

// Remove removes all that an account has on an engine: containers, volumes and images.
func Remove(ctx context.Context, docker *client.Client, identity string) error {
	if err := removeAll(ctx, docker, identity, ""); err != nil {
		return err
	}
	// Not by a pattern of names: in one, * does not stand for a repository of several parts.
	images, err := docker.ImageList(ctx, client.ImageListOptions{})
	if err != nil {
		return err
	}
	for _, image := range images.Items {
		for _, tag := range image.RepoTags {
			if !strings.HasPrefix(tag, imagePrefix(identity)) {
				continue // somebody else's name for the same image
			}
			if _, err := docker.ImageRemove(ctx, tag, client.ImageRemoveOptions{}); err != nil && !isGone(err) {
				return err
			}
		}
	}
	return nil
}
