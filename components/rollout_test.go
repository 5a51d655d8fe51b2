package components

import (
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"
)

func ecsDeployment(status, definition string, state types.DeploymentRolloutState, running int32) types.Deployment {
	return types.Deployment{Id: awssdk.String("ecs-svc/" + definition), Status: &status, TaskDefinition: &definition, RolloutState: state, RunningCount: running}
}

func ecsService(desired int32, deployments ...types.Deployment) types.Service {
	service := types.Service{Status: awssdk.String("ACTIVE"), DesiredCount: desired, Deployments: deployments}
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
		want    verdict
	}{
		"completed with all replicas":      {ecsService(2, ecsDeployment("PRIMARY", "f:2", completed, 2)), steady},
		"completed with no replica wanted": {ecsService(0, ecsDeployment("PRIMARY", "f:2", completed, 0)), steady},
		"completed, one replica being replaced": {
			ecsService(2, ecsDeployment("PRIMARY", "f:2", completed, 1)), underWay,
		},
		"all replicas run, ECS has not said so yet": {
			ecsService(2, ecsDeployment("PRIMARY", "f:2", inProgress, 2), ecsDeployment("ACTIVE", "f:1", completed, 1)), underWay,
		},
		"completed while an old replica still drains": {
			ecsService(2, ecsDeployment("PRIMARY", "f:2", completed, 2), ecsDeployment("ACTIVE", "f:1", completed, 1)), underWay,
		},
		"a service of which no rollout state is told": {ecsService(1, ecsDeployment("PRIMARY", "f:2", "", 1)), steady},
		"the same with an old deployment": {
			ecsService(1, ecsDeployment("PRIMARY", "f:2", "", 1), ecsDeployment("ACTIVE", "f:1", "", 0)), underWay,
		},
		"failed, with nothing to go back to": {ecsService(1, ecsDeployment("PRIMARY", "f:2", gaveUp, 0)), failed},
		"failed, rolling back": {
			ecsService(1, ecsDeployment("PRIMARY", "f:1", inProgress, 1), ecsDeployment("ACTIVE", "f:2", gaveUp, 0)), failed,
		},
		"rolled back": {ecsService(1, ecsDeployment("PRIMARY", "f:1", completed, 1)), givenWay},
		"rolled back, the failed one draining": {
			ecsService(1, ecsDeployment("PRIMARY", "f:1", completed, 1), ecsDeployment("ACTIVE", "f:2", inProgress, 0)), givenWay,
		},
		"without a deployment yet": {ecsService(1), underWay},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, judge(test.service, "f:2"))
		})
	}
}

func TestStoppedReasonsNameContainerAndExitCode(t *testing.T) {
	t.Parallel()
	require.Equal(t, "Essential container in task exited (container web: exit code 1)", stoppedReason(types.Task{
		StoppedReason: awssdk.String("Essential container in task exited"),
		Containers:    []types.Container{{Name: awssdk.String("web"), ExitCode: awssdk.Int32(1)}},
	}))
	require.Equal(t, "Task failed to start (container web: CannotPullContainerError: not found)", stoppedReason(types.Task{
		StoppedReason: awssdk.String("Task failed to start"),
		Containers:    []types.Container{{Name: awssdk.String("web"), Reason: awssdk.String("CannotPullContainerError: not found")}},
	}))
}
