package rollout

import (
	"slices"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

type verdict int

const (
	underWay   verdict = iota // the target revision's deployment has no end yet
	steady                    // it is COMPLETED and all replicas run
	failed                    // ECS gave up on it
	superseded                // ECS is at another revision
	missing                   // there is no such service, or it is being deleted
)

// judge tells how far a service is on the way to the target revision.
func judge(service types.Service, targetRevision string) verdict {
	if awssdk.ToString(service.Status) != "ACTIVE" {
		return missing
	}
	primary := primaryOf(service)
	if primary.Id == nil {
		return underWay
	}
	if awssdk.ToString(primary.TaskDefinition) != targetRevision {
		own, found := deploymentOf(service, targetRevision)
		if found && own.RolloutState == types.DeploymentRolloutStateFailed {
			return failed
		}
		return superseded
	}
	switch primary.RolloutState {
	case types.DeploymentRolloutStateFailed:
		return failed
	case types.DeploymentRolloutStateInProgress:
		return underWay
	case "": // not told for every kind of service: then the others must be gone
		if len(service.Deployments) > 1 {
			return underWay
		}
	}
	if primary.RunningCount == service.DesiredCount && service.RunningCount == service.DesiredCount {
		return steady
	}
	return underWay
}

// primaryOf is the deployment that ECS is at; without an id where it has none yet.
func primaryOf(service types.Service) types.Deployment {
	primary, _ := deployment(service, func(d types.Deployment) bool { return awssdk.ToString(d.Status) == "PRIMARY" })
	return primary
}

// deploymentOf is the deployment of a revision.
func deploymentOf(service types.Service, revision string) (types.Deployment, bool) {
	return deployment(service, func(d types.Deployment) bool { return awssdk.ToString(d.TaskDefinition) == revision })
}

func deployment(service types.Service, is func(types.Deployment) bool) (types.Deployment, bool) {
	i := slices.IndexFunc(service.Deployments, is)
	if i < 0 {
		return types.Deployment{}, false
	}
	return service.Deployments[i], true
}
