package components

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	ecssdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/taskrun"
)

// iamLimit is how long, from the first refusal on, a task is started again that IAM kept from starting: it takes some seconds
// until a role that was made just now, and what it may do, is known everywhere. A service's tasks are started again by ECS.
const iamLimit = time.Minute

// beforeInput is what the Stash holds: the task that ran, and what it ran before.
type beforeInput struct {
	TaskDefinition string
	Container      string
	Cluster        string
	LogGroup       string
	Subnets        []string
	SecurityGroups []string
	AssignPublicIP bool
}

// run is the hook. Its error stops the update there, and is shown on the Stash.
func (b *before) run(args *pulumi.ResourceHookArgs) error {
	if b.ctx.DryRun() {
		return b.say("runs before the deployment of " + b.deployed())
	}
	input, err := decodeBefore(args)
	if err != nil {
		return fmt.Errorf("%s: reading what to run: %w", b.key, err)
	}
	// The engine interrupts the program when the update is cancelled, and kills it five seconds later.
	ctx, stop := signal.NotifyContext(b.ctx.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	client, err := b.account.ecsClient(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", b.key, err)
	}
	runner, err := b.account.taskRunner(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", b.key, err)
	}
	task := input.task()
	if err := b.awaitOthers(ctx, client, task); err != nil {
		return fmt.Errorf("%s: %w", b.key, err)
	}
	return b.runToEnd(ctx, runner, task)
}

// decodeBefore reads what is to run from what the engine is about to keep, where everything is known.
func decodeBefore(args *pulumi.ResourceHookArgs) (input beforeInput, err error) {
	text, err := json.Marshal(args.NewInputs["input"].Mappable())
	if err != nil {
		return input, err
	}
	return input, json.Unmarshal(text, &input)
}

func (i beforeInput) task() taskrun.Task {
	return taskrun.Task{
		Cluster: i.Cluster, TaskDefinition: i.TaskDefinition, Container: i.Container, LogGroup: i.LogGroup,
		Subnets: i.Subnets, SecurityGroups: i.SecurityGroups, AssignPublicIP: i.AssignPublicIP,
		StartedBy: "slipway/before/" + familyOf(i.TaskDefinition),
	}
}

// awaitOthers waits for the end of what runs of the task already: an update that was killed has left it behind, a schedule or
// somebody has started it. Two migrations at one time are worse than one after the other.
func (b *before) awaitOthers(ctx context.Context, client *ecssdk.Client, task taskrun.Task) error {
	for said, wait := "", firstPoll; ; wait = min(wait*3/2, lastPoll) {
		id, err := unfinished(ctx, client, task.Cluster, familyOf(task.TaskDefinition))
		if err != nil {
			return fmt.Errorf("asking ECS whether such a task runs already: %w", err)
		}
		if id == "" {
			return nil
		}
		if id != said {
			_ = b.say(fmt.Sprintf("waits for the end of the task %s, which runs already; `aws ecs stop-task --cluster %s --task %s` stops it",
				id, path.Base(task.Cluster), id))
			said = id
		}
		if err := sleep(ctx, wait); err != nil {
			return fmt.Errorf("waiting for the end of the task %s: %w", id, err)
		}
	}
}

// unfinished is the id of a task of a family that has not stopped; "" where there is none. (ECS lists tasks that are being stopped
// among the stopped ones.)
func unfinished(ctx context.Context, client *ecssdk.Client, cluster, family string) (id string, err error) {
	for _, desired := range []types.DesiredStatus{types.DesiredStatusRunning, types.DesiredStatusStopped} {
		pages := ecssdk.NewListTasksPaginator(client, &ecssdk.ListTasksInput{Cluster: &cluster, Family: &family, DesiredStatus: desired})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return "", err
			}
			if len(page.TaskArns) == 0 {
				continue
			}
			found, err := client.DescribeTasks(ctx, &ecssdk.DescribeTasksInput{Cluster: &cluster, Tasks: page.TaskArns})
			if err != nil {
				return "", err
			}
			for _, one := range found.Tasks {
				if awssdk.ToString(one.LastStatus) != "STOPPED" {
					return path.Base(awssdk.ToString(one.TaskArn)), nil
				}
			}
		}
	}
	return "", nil
}

// familyOf is the family of the revision that an ARN names.
func familyOf(arn string) string {
	family, _, _ := strings.Cut(path.Base(arn), ":")
	return family
}

// runToEnd runs the task, and says what it writes.
func (b *before) runToEnd(ctx context.Context, runner *taskrun.Runner, task taskrun.Task) error {
	var last []string
	watcher := taskrun.Watcher{
		Started: func(arn string) {
			_ = b.say(fmt.Sprintf("%s runs as the task %s", path.Base(task.TaskDefinition), path.Base(arn)))
		},
		Line: func(container, text string) {
			if container != task.Container {
				text = container + ": " + text
			}
			_ = b.say(text)
			last = append(last, shortLine(text))
			last = last[max(0, len(last)-lastLines):]
		},
		Stopping: func() { _ = b.say("was interrupted: ECS was asked to stop the task") },
	}
	var refused time.Time // for the first time
	for wait := 2 * time.Second; ; wait = min(wait*2, 15*time.Second) {
		result, err := runner.Run(ctx, task, watcher)
		switch {
		case err == nil && result.Succeeded():
			if result.LogErr != nil {
				_ = b.say(result.LogErr.Error())
			}
			return b.say(fmt.Sprintf("the task %s has ended with exit code 0", result.TaskID()))
		case err == nil || !refusedByIAM(err) || !refused.IsZero() && time.Since(refused) > iamLimit:
			return b.failure(task, result, err, last)
		case refused.IsZero():
			refused = time.Now()
		}
		_ = b.say("was not started, as IAM may not know its roles everywhere yet: again")
		if err := sleep(ctx, wait); err != nil {
			return b.failure(task, result, err, last)
		}
	}
}

// refusedByIAM tells the error of a task of which nothing has run, as ECS could not assume one of its roles, or was not allowed
// with it what starting a task takes.
func refusedByIAM(err error) bool {
	text := err.Error()
	return strings.Contains(text, "unable to assume the role") ||
		strings.Contains(text, "ResourceInitializationError") && strings.Contains(text, "not authorized")
}

func sleep(ctx context.Context, wait time.Duration) error {
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// failure says how the task ended, what it wrote last, and what to do.
func (b *before) failure(task taskrun.Task, result taskrun.Result, err error, last []string) error {
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %s ", b.key, path.Base(task.TaskDefinition))
	switch {
	case errors.Is(err, context.Canceled):
		fmt.Fprintf(&text, "was interrupted: %s", err)
	case err != nil:
		fmt.Fprintf(&text, "failed: %s", err)
	default:
		fmt.Fprintf(&text, "failed: %s", result.Why())
	}
	fmt.Fprintf(&text, "\n  Not deployed by this update: %s", b.deployed())
	if len(last) > 0 {
		text.WriteString("\n  The last lines of the task:")
		for _, line := range last {
			fmt.Fprintf(&text, "\n    %s", line)
		}
	}
	if result.LogErr != nil {
		fmt.Fprintf(&text, "\n  What it wrote could not be shown: %s", result.LogErr)
	}
	fmt.Fprintf(&text, "\n  The containers' output is in the log group %s", task.LogGroup)
	fmt.Fprintf(&text, "\n  Mend the cause and run `pulumi up`: that runs the task again. To deploy without it, as on the way back to an earlier "+
		"version, remove %s.before", b.key)
	return errors.New(text.String())
}

// deployed names the services that wait.
func (b *before) deployed() string {
	names := slices.Clone(b.services)
	slices.Sort(names)
	for i, name := range names {
		names[i] = "services." + name
	}
	return strings.Join(names, ", ")
}

func (b *before) say(text string) error {
	return b.ctx.Log.Info(text, &pulumi.LogArgs{Resource: b.component})
}
