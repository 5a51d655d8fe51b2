package ecsread

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"
)

func TestTheMostFrequentReasonsComeFirst(t *testing.T) {
	t.Parallel()
	var tasks []types.Task
	for i, reason := range []string{"b", "f", "a", "f"} {
		tasks = append(tasks, types.Task{StoppedReason: &reason, CreatedAt: aws.Time(time.Unix(int64(i), 0))})
	}
	reasons := byReason(tasks)
	require.Equal(t, []Stopped{{"f", 2, tasks[3]}, {"a", 1, tasks[2]}, {"b", 1, tasks[0]}}, reasons,
		"each with its latest task")
}

func TestATaskThatMadeRoomForAnotherIsNoEvidence(t *testing.T) {
	t.Parallel()
	const scheduler = types.TaskStopCodeServiceSchedulerInitiated
	for reason, test := range map[string]struct {
		code types.TaskStopCode
		want bool
	}{
		"Scaling activity initiated by (deployment ecs-svc/123)":    {scheduler, true},
		"Scaling activity initiated by deployment ecs-svc/123":      {scheduler, true},
		"Task failed ELB health checks in (target-group arn:aws:x)": {scheduler, false},
		"Task failed container health checks":                       {scheduler, false},
		"Essential container in task exited":                        {types.TaskStopCodeEssentialContainerExited, false},
		"Task failed to start":                                      {types.TaskStopCodeTaskFailedToStart, false},
		"Task stopped by user":                                      {types.TaskStopCodeUserInitiated, false},
		"":                                                          {"", false},
	} {
		task := types.Task{StopCode: test.code, StoppedReason: &reason,
			Containers: []types.Container{{ExitCode: aws.Int32(143)}}}
		require.Equal(t, test.want, madeRoom(task), reason)
	}
}
