package predeploy

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	ecssdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	smithytime "github.com/aws/smithy-go/time"

	"slipway/internal/awsclient"
	"slipway/internal/taskrun"
)

// sayEvery is the time between two words of a wait.
const sayEvery = time.Minute

// awaitOthers waits for the end of what runs of the task already: an update that was killed has left it behind, a
// schedule or somebody has started it. Two migrations at one time are worse than one after the other. It waits as long
// as the task itself may take. Where the last of them was run for the same, by an update that did not see its end, and
// has succeeded, it returns its id: a migration is not repeated because reading failed. Its error goes on after the
// task's key.
func (r *Run) awaitOthers(ctx context.Context, task taskrun.Task) (succeeded string, err error) {
	began, said := time.Now(), time.Now()
	var reads awsclient.Reads
	for running, wait := "", awsclient.FirstPoll; ; wait = min(wait*3/2, awsclient.LastPoll) {
		id, latest, err := r.others(ctx, task.Cluster, familyOf(task.TaskDefinition))
		if err := reads.After(err); err != nil {
			return "", fmt.Errorf(": asking ECS whether such a task runs already: %w", err)
		}
		if err == nil && id == "" {
			if awssdk.ToString(latest.StartedBy) == task.StartedBy &&
				awssdk.ToString(latest.TaskDefinitionArn) == task.TaskDefinition && taskrun.EndedWell(latest, task.Container) {
				succeeded = path.Base(awssdk.ToString(latest.TaskArn))
			}
			return succeeded, nil
		}
		isAnother := id != "" && id != running
		if isAnother {
			running = id
		}
		stops := fmt.Sprintf("`aws ecs stop-task --cluster %s --task %s` stops it", path.Base(task.Cluster), running)
		waited := time.Since(began)
		switch {
		case waited > r.Timeout && running == "":
			return "", fmt.Errorf(".timeout: whether such a task runs already could not be read from ECS within %s: %w",
				taskrun.Short(r.Timeout), err)
		case waited > r.Timeout:
			return "", fmt.Errorf(".timeout: the task %s, which ran already, has not ended within %s; %s", running,
				taskrun.Short(r.Timeout), stops)
		case isAnother:
			_ = r.Say(fmt.Sprintf("waits for the end of the task %s, which runs already; %s", running, stops))
			said = time.Now()
		case time.Since(said) > sayEvery && running == "":
			_ = r.Say(fmt.Sprintf("has been waiting for %s to read from ECS whether such a task runs already: %v",
				taskrun.Short(waited), err))
			said = time.Now()
		case time.Since(said) > sayEvery:
			_ = r.Say(fmt.Sprintf("has been waiting for %s for the end of the task %s; %s", taskrun.Short(waited), running,
				stops))
			said = time.Now()
		}
		if err := smithytime.SleepWithContext(ctx, wait); err != nil {
			return "", fmt.Errorf(": waiting for the end of other tasks of its family: %w", err)
		}
	}
}

// others are the tasks of a family: the id of one that has not stopped, "" where there is none, and else the latest
// that was run before a deployment. (ECS lists tasks that are being stopped among the stopped ones.)
func (r *Run) others(ctx context.Context, cluster, family string) (
	unfinished string, latest types.Task, err error) {
	clients, err := r.Account.Clients(ctx)
	if err != nil {
		return "", latest, err
	}
	for _, desired := range []types.DesiredStatus{types.DesiredStatusRunning, types.DesiredStatusStopped} {
		pages := ecssdk.NewListTasksPaginator(clients.ECS, &ecssdk.ListTasksInput{Cluster: &cluster, Family: &family,
			DesiredStatus: desired})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return "", latest, err
			}
			if page.TaskArns == nil {
				return "", latest, errors.New("the answer lists nothing, not even that there is no task") // and so is none of ECS
			}
			if len(page.TaskArns) == 0 {
				continue
			}
			found, err := clients.ECS.DescribeTasks(ctx, &ecssdk.DescribeTasksInput{Cluster: &cluster, Tasks: page.TaskArns})
			if err != nil {
				return "", latest, err
			}
			if len(found.Tasks)+len(found.Failures) == 0 {
				return "", latest, errors.New("the answer describes none of the tasks that ECS lists")
			}
			for _, one := range found.Tasks {
				switch {
				case awssdk.ToString(one.LastStatus) != "STOPPED":
					return path.Base(awssdk.ToString(one.TaskArn)), latest, nil
				case strings.HasPrefix(awssdk.ToString(one.StartedBy), startedByPrefix) &&
					!awssdk.ToTime(one.CreatedAt).Before(awssdk.ToTime(latest.CreatedAt)):
					latest = one
				}
			}
		}
	}
	return "", latest, nil
}
