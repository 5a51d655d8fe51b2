// Package taskrun runs one ECS task to its end: it starts it, passes on what its containers write, and tells how it
// ended.
package taskrun

import (
	"context"
	"crypto/rand"
	"fmt"
	"path"
	"regexp"
	"time"

	"slipway/internal/awsclient"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Task is what to run, and where.
type Task struct {
	// Cluster to run it in, by name or ARN.
	Cluster string
	// TaskDefinition is a revision: its ARN, or family:number.
	TaskDefinition string
	// Container is the name of the main one, whose exit code is the task's.
	Container string
	// Command replaces that of the main container; nil leaves it as the revision has it.
	Command []string
	// LogGroup is where the containers' output is, in streams named CONTAINER/CONTAINER/TASK; empty reads none.
	LogGroup string
	// Subnets, SecurityGroups and AssignPublicIP are the task's network.
	Subnets        []string
	SecurityGroups []string
	AssignPublicIP bool
	// StartedBy tells people who started it: letters, digits, - and _ and /, of which ECS takes 128. Others are replaced.
	StartedBy string
	// Timeout is how long the task may run before it is stopped; zero for as long as it takes.
	Timeout time.Duration
}

// StillRunning says in the words after a task's name for how long it has been running, what ends it, and how to end it
// now. limit is what sets its timeout, as the user wrote it; arn is the task's.
func (t Task) StillRunning(running time.Duration, limit, arn string) string {
	ends := fmt.Sprintf("without an end (%s)", limit)
	if t.Timeout > 0 {
		ends = fmt.Sprintf("and is stopped after %s (%s)", Short(t.Timeout), limit)
	}
	return fmt.Sprintf("has been running for %s, %s. Ctrl-C stops it now, as does `aws ecs stop-task --cluster %s "+
		"--task %s`",
		Short(running), ends, path.Base(t.Cluster), path.Base(arn))
}

// Runner makes the calls.
type Runner struct {
	ECS  ECS
	Logs Logs

	timing timing // zero for the usual one
}

// ECS are the calls that run a task.
type ECS interface {
	RunTask(context.Context, *ecs.RunTaskInput, ...func(*ecs.Options)) (*ecs.RunTaskOutput, error)
	DescribeTasks(context.Context, *ecs.DescribeTasksInput, ...func(*ecs.Options)) (*ecs.DescribeTasksOutput, error)
	StopTask(context.Context, *ecs.StopTaskInput, ...func(*ecs.Options)) (*ecs.StopTaskOutput, error)
}

// Logs are the calls that read a log.
type Logs interface {
	FilterLogEvents(context.Context, *cloudwatchlogs.FilterLogEventsInput,
		...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.FilterLogEventsOutput, error)
	GetLogEvents(context.Context, *cloudwatchlogs.GetLogEventsInput,
		...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.GetLogEventsOutput, error)
}

// New makes a runner of an account's clients.
func New(clients *awsclient.Clients) *Runner { return &Runner{ECS: clients.ECS, Logs: clients.Logs} }

// Start starts a task, and returns its ARN.
func (r *Runner) Start(ctx context.Context, task Task) (arn string, err error) {
	name := path.Base(task.TaskDefinition)
	input := task.input()
	// However often it is sent, ECS starts one task for it.
	input.ClientToken = aws.String(rand.Text())
	answer, err := r.ECS.RunTask(ctx, input)
	if err != nil {
		return "", fmt.Errorf("starting a task of %s: %w", name, err)
	}
	for _, failure := range answer.Failures {
		return "", fmt.Errorf("starting a task of %s: ECS refused it: %s", name, failureText(failure))
	}
	if len(answer.Tasks) == 0 {
		return "", fmt.Errorf("starting a task of %s: ECS started none, and gives no reason: try again", name)
	}
	return aws.ToString(answer.Tasks[0].TaskArn), nil
}

func (t Task) input() *ecs.RunTaskInput {
	input := &ecs.RunTaskInput{
		Cluster: &t.Cluster, TaskDefinition: &t.TaskDefinition, Count: aws.Int32(1),
		LaunchType: types.LaunchTypeFargate, PropagateTags: types.PropagateTagsTaskDefinition,
		NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{
			Subnets: t.Subnets, SecurityGroups: t.SecurityGroups, AssignPublicIp: types.AssignPublicIpDisabled,
		}},
	}
	if t.AssignPublicIP {
		input.NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp = types.AssignPublicIpEnabled
	}
	if t.Command != nil {
		input.Overrides = &types.TaskOverride{ContainerOverrides: []types.ContainerOverride{{Name: &t.Container,
			Command: t.Command}}}
	}
	if by := startedBy(t.StartedBy); by != "" {
		input.StartedBy = &by
	}
	return input
}

var notStartedBy = regexp.MustCompile(`[^A-Za-z0-9/_-]+`)

// startedBy makes of a text what ECS takes:
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
func startedBy(text string) string {
	text = notStartedBy.ReplaceAllString(text, "-")
	return text[:min(len(text), 128)]
}

// failureText is the reason of a call that ECS answered with a failure.
func failureText(failure types.Failure) string {
	text := aws.ToString(failure.Reason)
	if detail := aws.ToString(failure.Detail); detail != "" {
		text += ": " + detail
	}
	if arn := aws.ToString(failure.Arn); arn != "" {
		text += " (" + arn + ")"
	}
	return text
}
