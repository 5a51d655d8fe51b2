package taskrun

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
