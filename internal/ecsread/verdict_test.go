package ecsread

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"
)

func ecsDeployment(status, definition string, state types.DeploymentRolloutState, running int32) types.Deployment {
	return types.Deployment{Id: aws.String("ecs-svc/" + definition), Status: &status, TaskDefinition: &definition,
		RolloutState: state, RunningCount: running}
}

func ecsService(desired int32, deployments ...types.Deployment) types.Service {
	service := types.Service{Status: aws.String("ACTIVE"), DesiredCount: desired, Deployments: deployments}
	for _, d := range deployments {
		service.RunningCount += d.RunningCount
	}
	return service
}

func TestJudge(t *testing.T) {
	t.Parallel()
	const (
		completed  = types.DeploymentRolloutStateCompleted
		inProgress = types.DeploymentRolloutStateInProgress
		gaveUp     = types.DeploymentRolloutStateFailed
	)
	for name, test := range map[string]struct {
		service types.Service
		want    Verdict
	}{
		"completed with all replicas":      {ecsService(2, ecsDeployment("PRIMARY", "f:2", completed, 2)), Steady},
		"completed with no replica wanted": {ecsService(0, ecsDeployment("PRIMARY", "f:2", completed, 0)), Steady},
		"completed, one replica being replaced": {
			ecsService(2, ecsDeployment("PRIMARY", "f:2", completed, 1)), UnderWay,
		},
		"all replicas run, ECS has not said so yet": {
			ecsService(2, ecsDeployment("PRIMARY", "f:2", inProgress, 2), ecsDeployment("ACTIVE", "f:1", completed, 1)),
			UnderWay,
		},
		"completed while an old replica still drains": {
			ecsService(2, ecsDeployment("PRIMARY", "f:2", completed, 2), ecsDeployment("ACTIVE", "f:1", completed, 1)), UnderWay,
		},
		"a service of which no rollout state is told": {ecsService(1, ecsDeployment("PRIMARY", "f:2", "", 1)), Steady},
		"the same with an old deployment": {
			ecsService(1, ecsDeployment("PRIMARY", "f:2", "", 1), ecsDeployment("ACTIVE", "f:1", "", 0)), UnderWay,
		},
		"failed, with nothing to go back to": {ecsService(1, ecsDeployment("PRIMARY", "f:2", gaveUp, 0)), Failed},
		"failed, rolling back": {
			ecsService(1, ecsDeployment("PRIMARY", "f:1", inProgress, 1), ecsDeployment("ACTIVE", "f:2", gaveUp, 0)), Failed,
		},
		"rolled back": {ecsService(1, ecsDeployment("PRIMARY", "f:1", completed, 1)), Superseded},
		"rolled back, the failed one draining": {
			ecsService(1, ecsDeployment("PRIMARY", "f:1", completed, 1), ecsDeployment("ACTIVE", "f:2", inProgress, 0)),
			Superseded,
		},
		"without a deployment yet":       {ecsService(1), UnderWay},
		"unknown to ECS":                 {types.Service{}, Missing},
		"being deleted, with tasks left": {types.Service{Status: aws.String("DRAINING"), RunningCount: 1}, Missing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, Judge(test.service, "f:2"))
		})
	}
}

func TestWhatFailedEarlierAndWasNotRolledBackServes(t *testing.T) {
	t.Parallel()
	const gaveUp = types.DeploymentRolloutStateFailed
	service := ecsService(2, ecsDeployment("PRIMARY", "f:3", gaveUp, 1), ecsDeployment("ACTIVE", "f:2", gaveUp, 1))
	require.Equal(t, service.Deployments[1:], Serving(service, "f:3"))
	require.Empty(t, Serving(ecsService(2, ecsDeployment("PRIMARY", "f:3", gaveUp, 1)), "f:3"))
	require.Len(t, Serving(service, "f:4"), 2)
}
