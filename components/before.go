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

	ecssdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/taskrun"
)

const (
	// roleLimit is how long a task is started again that could not assume a role: IAM takes some seconds until a role that was
	// made just now is known everywhere.
	roleLimit = 2 * time.Minute
)

// before runs a task to its end before services move to another revision.
//
// In the state it is a Stash, which the engine itself keeps. What replaces it is another revision of one of the services, and a
// hook runs the task before the new Stash counts as created. So where the task fails, the state still has the former one, and
// the next update runs the task again; and once it has succeeded, no update runs it again for these revisions, also
// where a later step of this one fails.
type before struct {
	ctx       *pulumi.Context
	account   *Account
	component pulumi.Resource // where progress is shown: the Stash has no URN yet while its hook runs
	key       string          // what the user wrote: tasks.migrate
	services  []string
}

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

// declare declares the run of a task, which needs ready, and makes the services wait for it. Of tasks that one service waits
// for, the next begins when the one before it has ended: they may change the same database.
func (b *before) declare(name string, task pulumi.Map, ready []pulumi.Resource, services map[string]*Service, parent pulumi.ResourceOption) error {
	revisions := pulumi.StringMap{}
	for _, service := range b.services {
		revisions[service] = services[service].foundation.wanted
		ready = append(ready, services[service].before...)
	}
	hook, err := b.ctx.RegisterResourceHook(b.key, b.run, &pulumi.ResourceHookOptions{OnDryRun: true})
	if err != nil {
		return err
	}
	input := pulumi.Map{}
	for _, key := range []string{"taskDefinition", "container", "cluster", "logGroup", "subnets", "securityGroups", "assignPublicIp"} {
		input[key] = task[key]
	}
	stash, err := pulumi.NewStash(b.ctx, name, &pulumi.StashArgs{Input: input}, parent, pulumi.DependsOn(ready),
		pulumi.ReplacementTrigger(revisions),
		// Another revision of the task alone is no reason to run it, and so nothing that a preview should show.
		pulumi.IgnoreChanges([]string{"input"}),
		pulumi.ResourceHooks(&pulumi.ResourceHookBinding{BeforeCreate: []*pulumi.ResourceHook{hook}}))
	if err != nil {
		return err
	}
	for _, service := range b.services {
		services[service].before = append(services[service].before, stash)
	}
	return nil
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
	if err := b.awaitEarlier(ctx, client, task); err != nil {
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
	family, _, _ := strings.Cut(path.Base(i.TaskDefinition), ":")
	return taskrun.Task{
		Cluster: i.Cluster, TaskDefinition: i.TaskDefinition, Container: i.Container, LogGroup: i.LogGroup,
		Subnets: i.Subnets, SecurityGroups: i.SecurityGroups, AssignPublicIP: i.AssignPublicIP,
		StartedBy: "slipway/before/" + family,
	}
}

// awaitEarlier waits for the end of what an earlier update has started and left behind when it was killed: two migrations
// at one time are worse than one after the other.
func (b *before) awaitEarlier(ctx context.Context, client *ecssdk.Client, task taskrun.Task) error {
	for said, wait := "", firstPoll; ; wait = min(wait*3/2, lastPoll) {
		found, err := client.ListTasks(ctx, &ecssdk.ListTasksInput{Cluster: &task.Cluster, StartedBy: &task.StartedBy})
		if err != nil {
			return fmt.Errorf("asking ECS whether an earlier update's task still runs: %w", err)
		}
		if len(found.TaskArns) == 0 {
			return nil
		}
		if id := path.Base(found.TaskArns[0]); id != said {
			said = id
			if err := b.say(fmt.Sprintf("waits for the end of the task %s, which an earlier update has started", id)); err != nil {
				return err
			}
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return fmt.Errorf("waiting for the end of the task %s: %w", said, ctx.Err())
		}
	}
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
	deadline := time.Now().Add(roleLimit)
	for wait := 2 * time.Second; ; wait = min(wait*2, 15*time.Second) {
		result, err := runner.Run(ctx, task, watcher)
		switch {
		case err == nil && result.Succeeded():
			if result.LogErr != nil {
				_ = b.say(result.LogErr.Error())
			}
			return b.say(fmt.Sprintf("the task %s has ended with exit code 0", result.TaskID()))
		case err == nil || !unknownRole(err) || time.Now().After(deadline):
			return b.failure(task, result, err, last)
		}
		if err := sleep(ctx, wait); err != nil {
			return b.failure(task, result, err, last)
		}
	}
}

// unknownRole tells a task that was never started, as IAM does not know its role everywhere yet.
func unknownRole(err error) bool { return strings.Contains(err.Error(), "unable to assume the role") }

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
	fmt.Fprintf(&text, "\n  The containers' output is in the log group %s", task.LogGroup)
	text.WriteString("\n  Mend the cause and run `pulumi up`: that runs the task again")
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
