package ecsread

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

	"slipway/internal/taskrun"
)

// stoppedLimit is how long reading the stopped tasks of a service may take: whatever they tell of stands without.
const stoppedLimit = 20 * time.Second

// Stopped are tasks that stopped for one reason.
type Stopped struct {
	// Reason is ECS's own, with what is known of the containers.
	Reason string
	// Count of the tasks.
	Count int
	// Latest is the task that was made last.
	Latest types.Task
}

func (s Stopped) String() string { return fmt.Sprintf("%d stopped: %s", s.Count, s.Reason) }

// StoppedByReason says why tasks of a service's revision stopped, the most frequent reason first, without those that
// ECS stopped to make room for others. cluster and service are names or ARNs, revision is an ARN. What cannot be read
// is left out.
func StoppedByReason(ctx context.Context, client *ecs.Client, cluster, service, revision string) []Stopped {
	ctx, cancel := context.WithTimeout(ctx, stoppedLimit)
	defer cancel()
	pages := ecs.NewListTasksPaginator(client, &ecs.ListTasksInput{
		Cluster: &cluster, ServiceName: &service, DesiredStatus: types.DesiredStatusStopped,
	})
	var tasks []types.Task
	for pages.HasMorePages() {
		listed, err := pages.NextPage(ctx)
		if err != nil || len(listed.TaskArns) == 0 {
			break
		}
		// A page holds 100 tasks, which is what DescribeTasks takes.
		described, err := client.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: &cluster, Tasks: listed.TaskArns})
		if err != nil {
			break
		}
		for _, task := range described.Tasks {
			if aws.ToString(task.TaskDefinitionArn) == revision && !madeRoom(task) {
				tasks = append(tasks, task)
			}
		}
	}
	return byReason(tasks)
}

func byReason(tasks []types.Task) (reasons []Stopped) {
	gathered := map[string]Stopped{}
	for _, task := range tasks {
		reason := taskrun.Why(task)
		known := gathered[reason]
		if known.Count == 0 || aws.ToTime(task.CreatedAt).After(aws.ToTime(known.Latest.CreatedAt)) {
			known.Latest = task
		}
		gathered[reason] = Stopped{reason, known.Count + 1, known.Latest}
	}
	for _, reason := range slices.Sorted(maps.Keys(gathered)) {
		reasons = append(reasons, gathered[reason])
	}
	slices.SortStableFunc(reasons, func(a, b Stopped) int { return b.Count - a.Count })
	return reasons
}

// madeRoom tells whether a task was well, as far as ECS knows, and ended because another deployment or fewer replicas
// were asked for. One that failed its health checks ended by ECS's scheduler, too, and has that for a reason
// (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html).
func madeRoom(task types.Task) bool {
	return task.StopCode == types.TaskStopCodeServiceSchedulerInitiated &&
		strings.HasPrefix(aws.ToString(task.StoppedReason), "Scaling activity initiated by")
}
