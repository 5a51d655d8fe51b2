package ecsread

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Verdict is how far a service is on the way to a revision.
type Verdict int

const (
	// UnderWay is a service of which the revision's deployment has no end yet.
	UnderWay Verdict = iota
	// Steady is one of which it is COMPLETED, and all replicas run.
	Steady
	// Failed is one of which ECS gave up on it.
	Failed
	// Superseded is one that ECS has at another revision.
	Superseded
	// Missing is one that ECS does not have, or that is being deleted.
	Missing
)

// Judge tells how far a service is on the way to a revision, given its ARN.
func Judge(service types.Service, revision string) Verdict {
	if !IsActive(service) {
		return Missing
	}
	primary := Primary(service)
	if primary.Status == nil {
		return UnderWay
	}
	if aws.ToString(primary.TaskDefinition) != revision {
		own, found := DeploymentOf(service, revision)
		if found && own.RolloutState == types.DeploymentRolloutStateFailed {
			return Failed
		}
		return Superseded
	}
	switch primary.RolloutState {
	case types.DeploymentRolloutStateFailed:
		return Failed
	case types.DeploymentRolloutStateInProgress:
		return UnderWay
	case "": // not told for every kind of service: then the others must be gone
		if len(service.Deployments) > 1 {
			return UnderWay
		}
	}
	if primary.RunningCount == service.DesiredCount && service.RunningCount == service.DesiredCount {
		return Steady
	}
	return UnderWay
}

// IsActive tells a service that is there, and not about to be deleted.
func IsActive(service types.Service) bool { return aws.ToString(service.Status) == "ACTIVE" }

// Primary is the deployment that ECS is at; empty where it has none yet.
func Primary(service types.Service) types.Deployment {
	primary, _ := deployment(service, func(d types.Deployment) bool { return aws.ToString(d.Status) == "PRIMARY" })
	return primary
}

// DeploymentOf is the deployment of a revision.
func DeploymentOf(service types.Service, revision string) (types.Deployment, bool) {
	return deployment(service, func(d types.Deployment) bool { return aws.ToString(d.TaskDefinition) == revision })
}

func deployment(service types.Service, is func(types.Deployment) bool) (types.Deployment, bool) {
	i := slices.IndexFunc(service.Deployments, is)
	if i < 0 {
		return types.Deployment{}, false
	}
	return service.Deployments[i], true
}
