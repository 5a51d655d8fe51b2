package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"slipway/taskrun"
)

// rolloutFailure is why a service is not on the revision that ECS was asked for last.
type rolloutFailure struct {
	// Revision that failed.
	Revision int `json:"revision"`
	// RolledBack says that ECS has gone back to another one.
	RolledBack bool `json:"rolledBack"`
	// Reason is ECS's own.
	Reason string `json:"reason,omitempty"`
	// Stopped are the reasons why tasks of the revision stopped, as far as ECS still has them.
	Stopped []string `json:"stopped,omitempty"`

	target string // the revision's ARN
}

const (
	// stoppedLimit is how long reading the stopped tasks may take, and mostStopped how many reasons are told.
	stoppedLimit, mostStopped = 20 * time.Second, 3
	// clockSlack is how far an event may be before the update by the clocks of AWS and of who ran that.
	clockSlack = 5 * time.Minute
)

// failureOf finds out by what ECS has of a service whether the deployment of a revision failed; nil where nothing says
// so. An event does not name the revision: it counts where it came after the update had begun that asked for it.
func failureOf(service types.Service, target string, began time.Time) *rolloutFailure {
	if target == "" {
		return nil
	}
	primary := primaryDeployment(service)
	failure := &rolloutFailure{Revision: revisionNumber(target),
		RolledBack: aws.ToString(primary.TaskDefinition) != target, target: target}
	for _, deployment := range service.Deployments {
		if aws.ToString(deployment.TaskDefinition) == target &&
			deployment.RolloutState == types.DeploymentRolloutStateFailed {
			failure.Reason = aws.ToString(deployment.RolloutStateReason)
			return failure
		}
	}
	if !failure.RolledBack {
		return nil
	}
	since := began.Add(-clockSlack)
	for _, event := range service.Events { // newest first
		if message := aws.ToString(event.Message); strings.Contains(message, "deployment failed") &&
			aws.ToTime(event.CreatedAt).After(since) {
			failure.Reason = message
			return failure
		}
	}
	if reason := aws.ToString(primary.RolloutStateReason); strings.Contains(reason, "rolling back") &&
		aws.ToTime(primary.CreatedAt).After(since) {
		failure.Reason = reason
		return failure
	}
	return nil
}

// primaryDeployment is the deployment that ECS is at; empty where there is none.
func primaryDeployment(service types.Service) types.Deployment {
	i := slices.IndexFunc(service.Deployments,
		func(d types.Deployment) bool { return aws.ToString(d.Status) == "PRIMARY" })
	if i < 0 {
		return types.Deployment{}
	}
	return service.Deployments[i]
}

// failed says in a sentence what became of the deployment, and what to do.
func (r *runningService) failed(stack string) string {
	failure := r.Failure
	text := fmt.Sprintf("the deployment of revision %d failed, with %d of %d replicas running", failure.Revision,
		r.Running, r.Desired)
	if failure.RolledBack {
		text = fmt.Sprintf("revision %d was asked for, and ECS rolled back; serving revision %d, with %d of %d replicas",
			failure.Revision,
			r.Revision, r.Running, r.Desired)
	}
	if failure.Reason != "" {
		text += ". ECS says: " + strings.TrimSuffix(failure.Reason, ".")
	}
	for _, reason := range failure.Stopped {
		text += "; " + reason
	}
	return text + fmt.Sprintf(". Fix the cause, and run `pulumi up --refresh --stack %s`", stack)
}

// stoppedReasons says why tasks of a service's revision stopped: each reason once, with how many did. What cannot be
// read is left out: the verdict stands without.
func (c *cloud) stoppedReasons(ctx context.Context, service types.Service, target string) (reasons []string) {
	ctx, cancel := context.WithTimeout(ctx, stoppedLimit)
	defer cancel()
	listed, err := c.ecs.ListTasks(ctx, &ecs.ListTasksInput{Cluster: service.ClusterArn, ServiceName: service.ServiceName,
		DesiredStatus: types.DesiredStatusStopped})
	if err != nil || len(listed.TaskArns) == 0 {
		return nil
	}
	described, err := c.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: service.ClusterArn,
		Tasks: listed.TaskArns})
	if err != nil {
		return nil
	}
	count := map[string]int{}
	for _, task := range described.Tasks {
		if aws.ToString(task.TaskDefinitionArn) == target && !taskrun.Superseded(task) {
			count[taskrun.Why(task)]++
		}
	}
	most := slices.Sorted(maps.Keys(count))
	slices.SortStableFunc(most, func(a, b string) int { return count[b] - count[a] })
	for _, reason := range most[:min(mostStopped, len(most))] {
		reasons = append(reasons, fmt.Sprintf("%d stopped: %s", count[reason], strings.TrimSuffix(reason, ".")))
	}
	return reasons
}

// markOutcome notes at the newest update which services ECS serves with another revision than that update put in place.
// Of earlier updates nobody keeps that. What cannot be read marks nothing.
func (t *timeline) markOutcome(ctx context.Context, entries []*entry) {
	i := slices.IndexFunc(entries, func(e *entry) bool { return e.Kind == "update" || e.Kind == "destroy" })
	if i < 0 || entries[i].Kind == "destroy" || entries[i].Result == "in-progress" || !t.isNewest(entries[i]) {
		return
	}
	services, err := t.cloud.services(ctx, t.cluster, slices.Sorted(maps.Keys(entries[i].Services)))
	if err != nil {
		return
	}
	for name, put := range entries[i].Services {
		service, there := services[name]
		serving := aws.ToString(primaryDeployment(service).TaskDefinition)
		if there && put.revision != nil && serving != "" && serving != put.revision.arn {
			put.Serving = revisionNumber(serving)
			put.RolledBack = failureOf(service, put.revision.arn, entries[i].Start) != nil
		}
	}
}

// isNewest tells whether no update or destroy came after one.
func (t *timeline) isNewest(e *entry) bool {
	return !slices.ContainsFunc(t.entries[:e.i], func(later *entry) bool {
		return later.Kind == "update" ||
			later.Kind == "destroy"
	})
}

// outcome is what became of the revision, where ECS serves another one.
func (p *placed) outcome() string {
	switch {
	case p.Serving == 0:
		return ""
	case p.RolledBack:
		return fmt.Sprintf(", rolled back; serving revision %d", p.Serving)
	}
	return fmt.Sprintf(", but serving revision %d", p.Serving)
}
