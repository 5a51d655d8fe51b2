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
	"sync"
	"syscall"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	ecssdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/provider"
	"slipway/stage"
	"slipway/taskrun"
)

// iamLimit is how long, from the first refusal on, a task is started again that IAM kept from starting: it takes some
// seconds until a role that was made just now, and what it may do, is known everywhere. A service's tasks are started
// again by ECS.
const iamLimit = time.Minute

// sayEvery is the time between two words of a wait.
const sayEvery = time.Minute

// predeployInput is what the Stash holds: the task that ran, and what it ran before.
type predeployInput struct {
	TaskDefinition string
	Container      string
	Cluster        string
	LogGroup       string
	Subnets        []string
	SecurityGroups []string
	AssignPublicIP bool
}

// run is the hook. Its error stops the update there, and is shown on the Stash.
func (p *predeploy) run(args *pulumi.ResourceHookArgs) error {
	if p.ctx.DryRun() {
		return p.say("runs before the deployment of " + p.deployed())
	}
	input, err := decodePredeploy(args)
	if err != nil {
		return fmt.Errorf("%s: reading what to run: %w", p.key, err)
	}
	// The engine interrupts the program when the update is cancelled, and kills it five seconds later.
	ctx, stop := signal.NotifyContext(p.ctx.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	task := input.task(<-p.trigger) // known by now, as the Stash's own inputs are
	task.Timeout = p.timeout
	earlier, err := p.awaitOthers(ctx, task)
	if err != nil {
		return fmt.Errorf("%s%w", p.key, err)
	}
	if earlier != "" {
		return p.say(fmt.Sprintf("is not run again: the task %s, which an earlier update has started for the same "+
			"revisions, has ended with exit code 0",
			earlier))
	}
	runner, err := taskrun.Of(ctx, p.account)
	if err != nil {
		return fmt.Errorf("%s: %w", p.key, err)
	}
	return p.runToEnd(ctx, runner, task)
}

// preflightTasks finds out whether tasks that run before a deployment may be looked at, which is needed once the update
// has begun. Only a refusal is an error.
func preflightTasks(ctx context.Context, account *Account, settings *stage.Stage) error {
	names := slices.DeleteFunc(sortedKeys(settings.Tasks),
		func(name string) bool { return len(settings.Tasks[name].Before) == 0 })
	if len(names) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, existingLimit)
	defer cancel()
	client, err := account.ECS(ctx)
	if err != nil {
		return nil // what matters of it, the services say
	}
	cluster := settings.Cluster()
	family := settings.Family(names[0])
	nobody := account.ARN("ecs", "task/"+cluster+"/"+strings.Repeat("0", 32))
	var errList, errDescribe error
	var asking sync.WaitGroup
	asking.Go(func() {
		_, errList = client.ListTasks(ctx, &ecssdk.ListTasksInput{Cluster: &cluster, Family: &family})
	})
	asking.Go(func() {
		_, errDescribe = client.DescribeTasks(ctx, &ecssdk.DescribeTasksInput{Cluster: &cluster, Tasks: []string{nobody}})
	})
	asking.Wait()
	for _, err := range []error{errList, errDescribe} {
		if provider.Denied(err) {
			return fmt.Errorf("%s: the task could not be watched, so nothing is changed. Whoever previews and updates the "+
				"stage needs "+
				"ecs:ListTasks, ecs:DescribeTasks, ecs:RunTask and ecs:StopTask: %w", settings.Where("tasks", names[0], "before"),
				err)
		}
	}
	return nil
}

// decodePredeploy reads what is to run from what the engine is about to keep, where everything is known.
func decodePredeploy(args *pulumi.ResourceHookArgs) (input predeployInput, err error) {
	text, err := json.Marshal(args.NewInputs["input"].Mappable())
	if err != nil {
		return input, err
	}
	return input, json.Unmarshal(text, &input)
}

// startedByPrefix begins what ECS keeps of who has started such a task.
const startedByPrefix = "slipway/before/"

// task is what to run. Its trigger, what it is run for, tells it from runs for other revisions.
func (i predeployInput) task(trigger string) taskrun.Task {
	return taskrun.Task{
		Cluster: i.Cluster, TaskDefinition: i.TaskDefinition, Container: i.Container, LogGroup: i.LogGroup,
		Subnets: i.Subnets, SecurityGroups: i.SecurityGroups, AssignPublicIP: i.AssignPublicIP,
		StartedBy: startedByPrefix + trigger + "/" + familyOf(i.TaskDefinition),
	}
}

// awaitOthers waits for the end of what runs of the task already: an update that was killed has left it behind, a
// schedule or somebody has started it. Two migrations at one time are worse than one after the other. It waits as long
// as the task itself may take. Where the last of them was run for the same, by an update that did not see its end, and
// has succeeded, it returns its id: a migration is not repeated because reading failed. Its error goes on after the
// task's key.
func (p *predeploy) awaitOthers(ctx context.Context, task taskrun.Task) (succeeded string, err error) {
	began, told := time.Now(), time.Now()
	var reads provider.Reads
	for running, wait := "", provider.FirstPoll; ; wait = min(wait*3/2, provider.LastPoll) {
		id, latest, err := p.others(ctx, task.Cluster, familyOf(task.TaskDefinition))
		if err := reads.After(err); err != nil {
			return "", fmt.Errorf(": asking ECS whether such a task runs already: %w", err)
		}
		if err == nil && id == "" {
			if awssdk.ToString(latest.StartedBy) == task.StartedBy &&
				awssdk.ToString(latest.TaskDefinitionArn) == task.TaskDefinition && taskrun.EndedWell(latest, task.Container) {
				succeeded = path.Base(awssdk.ToString(latest.TaskArn))
			}
			return succeeded, nil
		}
		isAnother := id != "" && id != running
		if isAnother {
			running = id
		}
		stops := fmt.Sprintf("`aws ecs stop-task --cluster %s --task %s` stops it", path.Base(task.Cluster), running)
		waited := time.Since(began)
		switch {
		case waited > p.timeout && running == "":
			return "", fmt.Errorf(".timeout: whether such a task runs already could not be read from ECS within %s: %w",
				taskrun.Short(p.timeout), err)
		case waited > p.timeout:
			return "", fmt.Errorf(".timeout: the task %s, which ran already, has not ended within %s; %s", running,
				taskrun.Short(p.timeout), stops)
		case isAnother:
			_ = p.say(fmt.Sprintf("waits for the end of the task %s, which runs already; %s", running, stops))
			told = time.Now()
		case time.Since(told) > sayEvery && running == "":
			_ = p.say(fmt.Sprintf("has been waiting for %s to read from ECS whether such a task runs already: %v",
				taskrun.Short(waited), err))
			told = time.Now()
		case time.Since(told) > sayEvery:
			_ = p.say(fmt.Sprintf("has been waiting for %s for the end of the task %s; %s", taskrun.Short(waited), running,
				stops))
			told = time.Now()
		}
		if err := sleep(ctx, wait); err != nil {
			return "", fmt.Errorf(": waiting for the end of other tasks of its family: %w", err)
		}
	}
}

// others are the tasks of a family: the id of one that has not stopped, "" where there is none, and else the latest
// that was run before a deployment. (ECS lists tasks that are being stopped among the stopped ones.)
func (p *predeploy) others(ctx context.Context, cluster, family string) (unfinished string, latest types.Task,
	err error) {
	client, err := p.account.ECS(ctx)
	if err != nil {
		return "", latest, err
	}
	for _, desired := range []types.DesiredStatus{types.DesiredStatusRunning, types.DesiredStatusStopped} {
		pages := ecssdk.NewListTasksPaginator(client, &ecssdk.ListTasksInput{Cluster: &cluster, Family: &family,
			DesiredStatus: desired})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return "", latest, err
			}
			if page.TaskArns == nil {
				return "", latest, errors.New("the answer lists nothing, not even that there is no task") // and so is none of ECS
			}
			if len(page.TaskArns) == 0 {
				continue
			}
			found, err := client.DescribeTasks(ctx, &ecssdk.DescribeTasksInput{Cluster: &cluster, Tasks: page.TaskArns})
			if err != nil {
				return "", latest, err
			}
			if len(found.Tasks)+len(found.Failures) == 0 {
				return "", latest, errors.New("the answer describes none of the tasks that ECS lists")
			}
			for _, one := range found.Tasks {
				switch {
				case awssdk.ToString(one.LastStatus) != "STOPPED":
					return path.Base(awssdk.ToString(one.TaskArn)), latest, nil
				case strings.HasPrefix(awssdk.ToString(one.StartedBy), startedByPrefix) &&
					!awssdk.ToTime(one.CreatedAt).Before(awssdk.ToTime(latest.CreatedAt)):
					latest = one
				}
			}
		}
	}
	return "", latest, nil
}

// familyOf is the family of the revision that an ARN names.
func familyOf(arn string) string {
	family, _, _ := strings.Cut(path.Base(arn), ":")
	return family
}

// runToEnd runs the task, and says what it writes.
func (p *predeploy) runToEnd(ctx context.Context, runner *taskrun.Runner, task taskrun.Task) error {
	var last []string
	var started string // the task's ARN
	watcher := taskrun.Watcher{
		Started: func(arn string) {
			started = arn
			_ = p.say(fmt.Sprintf("%s runs as the task %s", path.Base(task.TaskDefinition), path.Base(arn)))
		},
		Line: func(container, text string) {
			if container != task.Container {
				text = container + ": " + text
			}
			_ = p.say(text)
			last = append(last, taskrun.ShortLine(text))
			last = last[max(0, len(last)-taskrun.ErrorLines):]
		},
		Waiting: func(running time.Duration) { _ = p.say(task.StillRunning(running, p.key+".timeout", started)) },
		Stopping: func(why error) {
			_ = p.say(fmt.Sprintf("ECS is asked to stop the task: %s", interruption(why)))
		},
	}
	var refused time.Time // for the first time
	for wait := 2 * time.Second; ; wait = min(wait*2, 15*time.Second) {
		result, err := runner.Run(ctx, task, watcher)
		switch {
		case err == nil && result.Succeeded():
			if result.LogErr != nil {
				_ = p.say(result.LogErr.Error())
			}
			return p.say(fmt.Sprintf("the task %s has ended with exit code 0", result.TaskID()))
		case err == nil || !refusedByIAM(err) || !refused.IsZero() && time.Since(refused) > iamLimit:
			return p.failure(task, result, err, last)
		case refused.IsZero():
			refused = time.Now()
		}
		_ = p.say("was not started, as IAM may not know its roles everywhere yet: again")
		if err := sleep(ctx, wait); err != nil {
			return p.failure(task, result, err, last)
		}
	}
}

// interruption says why a task is stopped.
func interruption(why error) string {
	if errors.Is(why, context.Canceled) {
		return "the update was interrupted"
	}
	return why.Error()
}

// refusedByIAM tells the error of a task of which nothing has run, as ECS could not assume one of its roles or its own
// one, or was not allowed with it what starting a task takes.
func refusedByIAM(err error) bool {
	text := err.Error()
	return strings.Contains(text, "unable to assume the role") ||
		// ECS's own, which an account's first cluster has just made.
		strings.Contains(text, "Unable to assume the service linked role") ||
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
func (p *predeploy) failure(task taskrun.Task, result taskrun.Result, err error, last []string) error {
	var text strings.Builder
	late := errors.As(err, new(*taskrun.TimeoutError))
	if late {
		fmt.Fprintf(&text, "%s.timeout: %s ", p.key, path.Base(task.TaskDefinition))
	} else {
		fmt.Fprintf(&text, "%s: %s ", p.key, path.Base(task.TaskDefinition))
	}
	switch {
	case errors.Is(err, context.Canceled):
		fmt.Fprintf(&text, "was interrupted: %s", err)
	case err != nil:
		fmt.Fprintf(&text, "failed: %s", err)
	default:
		fmt.Fprintf(&text, "failed: %s", result.Why())
	}
	fmt.Fprintf(&text, "\n  Not deployed by this update: %s", p.deployed())
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
	if late {
		fmt.Fprintf(&text, "\n  Where it needs longer, write a longer %s.timeout (seconds)", p.key)
	}
	fmt.Fprintf(&text, "\n  Fix the cause and run `pulumi up`: that runs the task again. To deploy without it, as on "+
		"the way back to an earlier "+
		"version, remove %s.before", p.key)
	return errors.New(text.String())
}

// deployed names the services that wait.
func (p *predeploy) deployed() string {
	names := slices.Clone(p.services)
	slices.Sort(names)
	for i, name := range names {
		names[i] = "services." + name
	}
	return strings.Join(names, ", ")
}

func (p *predeploy) say(text string) error {
	return p.ctx.Log.Info(text, &pulumi.LogArgs{Resource: p.component})
}
