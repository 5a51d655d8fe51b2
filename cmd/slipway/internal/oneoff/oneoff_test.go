package oneoff

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/snapshot"
	"slipway/cmd/slipway/internal/stagetest"
	"slipway/internal/taskrun"
)

// oneTask is an ECS with one task of two containers, which ends by itself, with an exit code, or when it is stopped.
type oneTask struct {
	exitCode *int32
	stopped  bool
	running  func()
}

const oneTaskARN = "arn:aws:ecs:eu-west-1:123456789012:task/shop-dev/0a1b2c"

func (o *oneTask) RunTask(context.Context, *ecs.RunTaskInput, ...func(*ecs.Options)) (*ecs.RunTaskOutput, error) {
	return &ecs.RunTaskOutput{Tasks: []types.Task{{TaskArn: aws.String(oneTaskARN)}}}, nil
}

func (o *oneTask) DescribeTasks(context.Context, *ecs.DescribeTasksInput,
	...func(*ecs.Options)) (*ecs.DescribeTasksOutput, error) {
	task := types.Task{TaskArn: aws.String(oneTaskARN), LastStatus: aws.String("RUNNING"),
		TaskDefinitionArn: aws.String("arn:aws:ecs:eu-west-1:123456789012:task-definition/shop-dev-migrate:3"),
		Containers:        []types.Container{{Name: aws.String("proxy")}, {Name: aws.String("migrate")}}}
	switch {
	case o.stopped:
		task.LastStatus, task.StopCode, task.Containers[1].ExitCode = aws.String("STOPPED"), types.TaskStopCodeUserInitiated,
			aws.Int32(143)
	case o.exitCode != nil:
		task.LastStatus, task.StopCode, task.Containers[1].ExitCode = aws.String("STOPPED"),
			types.TaskStopCodeEssentialContainerExited, o.exitCode
		task.StoppedReason = aws.String("Essential container in task exited")
	default:
		o.running()
	}
	return &ecs.DescribeTasksOutput{Tasks: []types.Task{task}}, nil
}

func (o *oneTask) StopTask(context.Context, *ecs.StopTaskInput, ...func(*ecs.Options)) (*ecs.StopTaskOutput, error) {
	o.stopped = true
	return &ecs.StopTaskOutput{}, nil
}

func (o *oneTask) FilterLogEvents(_ context.Context, in *cloudwatchlogs.FilterLogEventsInput,
	_ ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.FilterLogEventsOutput, error) {
	container, _, _ := strings.Cut(*in.LogStreamNamePrefix, "/")
	return &cloudwatchlogs.FilterLogEventsOutput{Events: []logtypes.FilteredLogEvent{{EventId: in.LogStreamNamePrefix,
		LogStreamName: in.LogStreamNamePrefix, Message: aws.String("a line of " + container),
		Timestamp: aws.Int64(time.Now().UnixMilli())}}}, nil
}

func (o *oneTask) GetLogEvents(context.Context, *cloudwatchlogs.GetLogEventsInput,
	...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.GetLogEventsOutput, error) {
	return nil, errors.New("not called")
}

// runOne runs the task, and returns what it wrote to both streams.
func runOne(ctx context.Context, task *oneTask, asJSON bool) (stdout, stderr string, err error) {
	var out, errOut bytes.Buffer
	command := &cobra.Command{}
	command.SetOut(&out)
	command.SetErr(&errOut)
	err = Run(ctx, console.NewReport(command), &taskrun.Runner{ECS: task, Logs: task},
		taskrun.Task{Cluster: "shop-dev", TaskDefinition: "shop-dev-migrate:3", Container: "migrate",
			LogGroup: "/shop/dev/migrate"}, "--timeout", asJSON)
	return out.String(), errOut.String(), err
}

func TestWhatATaskWritesAndItsExitCode(t *testing.T) {
	t.Parallel()
	stdout, stderr, err := runOne(t.Context(), &oneTask{exitCode: aws.Int32(0)}, false)
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"a line of migrate", "proxy: a line of proxy"},
		strings.Split(strings.TrimSpace(stdout), "\n"))
	require.NotContains(t, stderr, "a line")
}

func TestATaskThatFailsWithJSON(t *testing.T) {
	t.Parallel()
	stdout, stderr, err := runOne(t.Context(), &oneTask{exitCode: aws.Int32(7)}, true)
	var ended exit.Code
	require.ErrorAs(t, err, &ended)
	require.Equal(t, 7, ended.Status)
	require.EqualError(t, err,
		"the task 0a1b2c failed: Essential container in task exited (container migrate: exit code 7)")
	require.JSONEq(t, `{"task": "`+oneTaskARN+`", "taskDefinition": "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop-dev-migrate:3",
		"exitCode": 7, "stopCode": "EssentialContainerExited", "stoppedReason": "Essential container in task exited",
		"containers": [{"name": "proxy", "exitCode": null}, {"name": "migrate", "exitCode": 7}]}`, stdout)
	require.Contains(t, stderr, "a line of migrate\n")
}

func TestCtrlCStopsTheTask(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	_, stderr, err := runOne(ctx, &oneTask{running: cancel}, false)
	var ended exit.Code
	require.ErrorAs(t, err, &ended)
	require.Equal(t, 130, ended.Status)
	require.ErrorContains(t, err, "the task 0a1b2c was stopped")
	require.Contains(t, stderr, "Stopping the task. Ctrl-C again leaves that to ECS.")
}

func TestWhatCannotBeRunSaysWhatCan(t *testing.T) {
	t.Parallel()
	p := stagetest.Project(t, "")
	says := func(services, tasks, name string) string {
		config := map[string]string{"slipway:services": services,
			"slipway:images": `{"web": {"ref": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:v1@sha256:` + strings.Repeat("ab", 32) + `"}}`}
		if tasks != "" {
			config["slipway:tasks"] = tasks
		}
		_, err := Prepare(&snapshot.Stage{Project: p, Stack: "release", StageConfig: &pulumicli.StageConfig{Config: config},
			Outputs: &pulumicli.Outputs{}}, name)
		require.Error(t, err)
		return err.Error()
	}
	const web = `{"web": {"image": "web", "cpu": 256, "memory": 512}}`
	require.Equal(t, "release has no tasks (its services: web): declare tasks.backup in Pulumi.release.yaml, as "+
		"docs/configuration.md has it, "+
		"and run `pulumi up --stack release`", says(web, "", "backup"))
	require.Contains(t, says(web, `{"migrate": {"image": "web", "cpu": 256, "memory": 512}}`, "web"),
		"web of release is a service, which ECS keeps running: name one of its tasks: migrate")
}
