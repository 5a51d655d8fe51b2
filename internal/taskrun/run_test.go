package taskrun

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"
)

const (
	testTask = "arn:aws:ecs:ap-northeast-2:123456789012:task/shop-dev/0a1b2c"
	testLog  = "/shop/dev/migrate"
)

// fakeECS describes a task in the states it goes through, one for each call; the last one stays.
type fakeECS struct {
	mutex   sync.Mutex
	run     *ecs.RunTaskOutput
	states  []any // types.Task, types.Failure or error
	stopped []types.Task
	asked   *ecs.RunTaskInput
	stop    *ecs.StopTaskInput
	// stopErrs are how StopTask fails at first.
	stopErrs []error
	onState  func(left int)
}

func (f *fakeECS) RunTask(_ context.Context, in *ecs.RunTaskInput, _ ...func(*ecs.Options)) (*ecs.RunTaskOutput,
	error) {
	f.asked = in
	if f.run != nil {
		return f.run, nil
	}
	return &ecs.RunTaskOutput{Tasks: []types.Task{{TaskArn: aws.String(testTask)}}}, nil
}

func (f *fakeECS) DescribeTasks(context.Context, *ecs.DescribeTasksInput,
	...func(*ecs.Options)) (*ecs.DescribeTasksOutput, error) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	state := f.states[0]
	if len(f.states) > 1 {
		f.states = f.states[1:]
	}
	if f.onState != nil {
		f.onState(len(f.states))
	}
	switch state := state.(type) {
	case types.Failure:
		return &ecs.DescribeTasksOutput{Failures: []types.Failure{state}}, nil
	case error:
		return nil, state
	}
	return &ecs.DescribeTasksOutput{Tasks: []types.Task{state.(types.Task)}}, nil
}

func (f *fakeECS) StopTask(ctx context.Context, in *ecs.StopTaskInput, _ ...func(*ecs.Options)) (*ecs.StopTaskOutput,
	error) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if len(f.stopErrs) > 0 {
		err := f.stopErrs[0]
		f.stopErrs = f.stopErrs[1:]
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	f.stop = in
	f.states = []any{ended(types.TaskStopCodeUserInitiated, "Task stopped by user", ran("migrate", 143))}
	return &ecs.StopTaskOutput{}, nil
}

// fakeLogs has the events that were written so far; those of later come with later looks.
type fakeLogs struct {
	mutex  sync.Mutex
	events []logtypes.FilteredLogEvent
	later  [][]logtypes.FilteredLogEvent
	err    error
	errs   []error // before anything is answered
	hangs  bool
}

func (f *fakeLogs) FilterLogEvents(ctx context.Context, in *cloudwatchlogs.FilterLogEventsInput,
	_ ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.FilterLogEventsOutput, error) {
	if f.hangs {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if len(f.errs) > 0 {
		err := f.errs[0]
		f.errs = f.errs[1:]
		return nil, err
	}
	if f.err != nil {
		return nil, f.err
	}
	if len(f.later) > 0 {
		f.events, f.later = append(f.events, f.later[0]...), f.later[1:]
	}
	var found []logtypes.FilteredLogEvent
	for _, event := range f.events {
		if strings.HasPrefix(*event.LogStreamName, aws.ToString(in.LogStreamNamePrefix)) &&
			*event.Timestamp >= *in.StartTime {
			found = append(found, event)
		}
	}
	return &cloudwatchlogs.FilterLogEventsOutput{Events: found}, nil
}

// GetLogEvents answers from the end, two at a time, with empty pages in between as CloudWatch may.
func (f *fakeLogs) GetLogEvents(_ context.Context, in *cloudwatchlogs.GetLogEventsInput,
	_ ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.GetLogEventsOutput, error) {
	if f.err != nil {
		return nil, f.err
	}
	var end, empty int
	if in.NextToken == nil {
		end = len(f.events)
	} else if _, err := fmt.Sscanf(*in.NextToken, "%d/%d", &end, &empty); err != nil {
		return nil, err
	}
	if empty == 1 {
		return &cloudwatchlogs.GetLogEventsOutput{NextBackwardToken: aws.String(fmt.Sprintf("%d/0", end))}, nil
	}
	first := max(0, end-2)
	out := &cloudwatchlogs.GetLogEventsOutput{NextBackwardToken: aws.String(fmt.Sprintf("%d/1", first))}
	for _, event := range f.events[first:end] {
		out.Events = append(out.Events, logtypes.OutputLogEvent{Message: event.Message})
	}
	if end == 0 {
		out.NextBackwardToken = in.NextToken
	}
	return out, nil
}

var ids int

func wrote(container, text string, after time.Duration) logtypes.FilteredLogEvent {
	ids++
	return logtypes.FilteredLogEvent{
		EventId: aws.String(fmt.Sprint(ids)), LogStreamName: aws.String(Stream(container, "0a1b2c")),
		Message:   aws.String(text + "\n"),
		Timestamp: aws.Int64(time.Now().Add(after).UnixMilli()),
	}
}

func ran(name string, exitCode int32) types.Container {
	return types.Container{Name: &name, ExitCode: &exitCode}
}

func underWay(containers ...string) types.Task {
	task := types.Task{TaskArn: aws.String(testTask), LastStatus: aws.String("RUNNING")}
	for _, name := range containers {
		task.Containers = append(task.Containers, types.Container{Name: &name})
	}
	return task
}

func ended(code types.TaskStopCode, reason string, containers ...types.Container) types.Task {
	return types.Task{TaskArn: aws.String(testTask), LastStatus: aws.String("STOPPED"), StopCode: code,
		StoppedReason: &reason, Containers: containers}
}

var exited = ended(types.TaskStopCodeEssentialContainerExited, "Essential container in task exited", ran("migrate", 0))

func runner(ecs *fakeECS, logs *fakeLogs) *Runner {
	return &Runner{ECS: ecs, Logs: logs, timing: timing{
		firstPoll: time.Millisecond, lastPoll: 2 * time.Millisecond, quiet: 30 * time.Millisecond, latest: time.Second,
		start: time.Second, stop: time.Second, notFoundTimeout: 50 * time.Millisecond, unread: 50 * time.Millisecond,
		unanswered: 500 * time.Millisecond, waiting: 5 * time.Millisecond,
	}}
}

var migrate = Task{
	Cluster: "shop-dev", TaskDefinition: "shop-dev-migrate:3", Container: "migrate", LogGroup: testLog,
	Subnets: []string{"subnet-1"}, SecurityGroups: []string{"sg-1"}, AssignPublicIP: true,
	StartedBy: "slipway run/jo@example.com",
}

func TestWhatECSIsAskedToRun(t *testing.T) {
	fake := &fakeECS{states: []any{exited}}
	task := migrate
	task.Command = []string{"-down", "1"}

	_, err := runner(fake, &fakeLogs{}).Run(t.Context(), task, Watcher{})

	require.NoError(t, err)
	require.Equal(t, types.LaunchTypeFargate, fake.asked.LaunchType)
	require.Equal(t, types.PropagateTagsTaskDefinition, fake.asked.PropagateTags)
	require.Equal(t, &types.AwsVpcConfiguration{Subnets: []string{"subnet-1"}, SecurityGroups: []string{"sg-1"},
		AssignPublicIp: types.AssignPublicIpEnabled}, fake.asked.NetworkConfiguration.AwsvpcConfiguration)
	require.Equal(t, []types.ContainerOverride{{Name: aws.String("migrate"), Command: []string{"-down", "1"}}},
		fake.asked.Overrides.ContainerOverrides)
	require.Equal(t, "slipway-run/jo-example-com", *fake.asked.StartedBy)
	require.Len(t, *fake.asked.ClientToken, 26, "so that a call that is repeated starts no second one")
	require.Len(t, startedBy(strings.Repeat("x", 200)), 128)
}

func TestATaskWithoutACommandOfItsOwnHasNoOverrides(t *testing.T) {
	fake := &fakeECS{states: []any{exited}}
	_, err := runner(fake, &fakeLogs{}).Run(t.Context(), migrate, Watcher{})
	require.NoError(t, err)
	require.Nil(t, fake.asked.Overrides)
}

func TestTheLogIsPassedOnWholeAndInOrder(t *testing.T) {
	fake := &fakeECS{states: []any{
		types.Failure{Arn: aws.String(testTask), Reason: aws.String("MISSING")}, // not known yet
		underWay("migrate", "proxy"), underWay("migrate", "proxy"),
		ended(types.TaskStopCodeEssentialContainerExited, "Essential container in task exited", ran("migrate", 3),
			ran("proxy", 0)),
	}}
	logs := &fakeLogs{later: [][]logtypes.FilteredLogEvent{
		nil, // the streams are not there yet
		{wrote("migrate", "two", 2*time.Millisecond), wrote("proxy", "one", time.Millisecond)},
		nil, nil,
		{wrote("migrate", "late, and from before", -time.Second)},
		nil, nil, nil,
		{wrote("migrate", "last", 3*time.Millisecond)}, // long after the end
	}}
	var started string
	var lines []string
	result, err := runner(fake, logs).Run(t.Context(), migrate, Watcher{
		Started: func(arn string) { started = arn },
		Line:    func(container, text string) { lines = append(lines, container+": "+text) },
	})
	require.NoError(t, err)
	require.NoError(t, result.LogErr)
	require.Equal(t, testTask, started)
	require.Equal(t, []string{"proxy: one", "migrate: two", "migrate: late, and from before", "migrate: last"}, lines)
	require.Equal(t, 3, *result.ExitCode)
	require.False(t, result.Succeeded())
	require.Equal(t, "Essential container in task exited (container migrate: exit code 3) (container proxy: exit code 0)",
		result.Why())
}

func TestATaskIsWatchedThoughItsLogCannotBeRead(t *testing.T) {
	fake := &fakeECS{states: []any{underWay("migrate"), underWay("migrate"), exited}}
	result, err := runner(fake, &fakeLogs{err: errors.New("no route to host")}).Run(t.Context(), migrate,
		Watcher{Line: func(string, string) {}})
	require.NoError(t, err)
	require.True(t, result.Succeeded())
	require.ErrorContains(t, result.LogErr, "reading the log group "+testLog+": no route to host")
}

func TestAnAnswerThatIsNotReadIsNoVerdict(t *testing.T) {
	throttled := &smithy.GenericAPIError{Code: "ThrottlingException"}
	fake := &fakeECS{states: []any{throttled, underWay("migrate"), errors.New("invalid character '<'"), throttled,
		types.Failure{Reason: aws.String("MISSING")}, exited}}
	logs := &fakeLogs{errs: []error{throttled, errors.New("unexpected EOF")},
		events: []logtypes.FilteredLogEvent{wrote("migrate", "done", 0)}}
	var lines []string
	result, err := runner(fake, logs).Run(t.Context(), migrate,
		Watcher{Line: func(_, text string) { lines = append(lines, text) }})
	require.NoError(t, err)
	require.True(t, result.Succeeded())
	require.NoError(t, result.LogErr, "it was read later")
	require.Equal(t, []string{"done"}, lines)
}

func TestALogThatDoesNotAnswerDelaysNoVerdict(t *testing.T) {
	fake := &fakeECS{states: []any{underWay("migrate"), underWay("migrate"), exited}}
	result, err := runner(fake, &fakeLogs{hangs: true}).Run(t.Context(), migrate, Watcher{Line: func(string, string) {}})
	require.NoError(t, err)
	require.True(t, result.Succeeded())
	require.ErrorContains(t, result.LogErr, "it has not answered since the task has ended")
}

func TestATaskIsStoppedAfterItsTimeout(t *testing.T) {
	for name, fake := range map[string]*fakeECS{
		"at once": {states: []any{underWay("migrate")}},
		"though it is not read, nor stopped, then": {states: []any{errors.New("no route to host")},
			stopErrs: []error{errors.New("no route to host")}},
	} {
		t.Run(name, func(t *testing.T) {
			task := migrate
			task.Timeout = 20 * time.Millisecond
			slow := runner(fake, &fakeLogs{})
			slow.timing.unread = time.Minute
			var waited, why = 0, error(nil)
			result, err := slow.Run(t.Context(), task, Watcher{
				Waiting:  func(time.Duration) { waited++ },
				Stopping: func(err error) { why = err },
			})
			late := &TimeoutError{20 * time.Millisecond}
			require.ErrorAs(t, err, &late)
			require.ErrorContains(t, err, "the task 0a1b2c was stopped: it ran longer than ")
			require.False(t, result.Succeeded())
			require.ErrorAs(t, why, &late)
			require.Contains(t, *fake.stop.Reason, "slipway stops it: it ran longer than ")
			require.Positive(t, waited)
		})
	}
}

func TestATaskThatECSMayNotStopIsSaidToRun(t *testing.T) {
	task := migrate
	task.Timeout = 5 * time.Millisecond
	fake := &fakeECS{states: []any{underWay("migrate")},
		stopErrs: []error{&smithy.GenericAPIError{Code: "AccessDeniedException"}}}
	_, err := runner(fake, &fakeLogs{}).Run(t.Context(), task, Watcher{})
	require.ErrorContains(t, err, "which may still run; `aws ecs stop-task --cluster shop-dev --task 0a1b2c` stops it")
	require.ErrorContains(t, err, "AccessDeniedException")
	require.ErrorAs(t, err, new(*TimeoutError))
}

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		time.Hour: "1h", 90 * time.Minute: "1h30m", 61 * time.Second: "1m1s", time.Minute: "1m", 10 * time.Second: "10s",
		time.Hour + time.Second: "1h0m1s", 0: "0s", 1234 * time.Millisecond: "1s",
	} {
		require.Equal(t, want, Short(d))
	}
}

func TestATaskThatCouldNotStart(t *testing.T) {
	for name, test := range map[string]struct {
		fake *fakeECS
		want string
	}{
		"ECS refuses it": {
			&fakeECS{run: &ecs.RunTaskOutput{Failures: []types.Failure{{
				Reason: aws.String("Capacity is unavailable at this time"), Detail: aws.String("try later")}}}},
			"starting a task of shop-dev-migrate:3: ECS refused it: Capacity is unavailable at this time: try later",
		},
		"ECS starts none": {
			&fakeECS{run: &ecs.RunTaskOutput{}},
			"ECS started none",
		},
		"its image is gone": {
			&fakeECS{states: []any{ended(types.TaskStopCodeTaskFailedToStart, "CannotPullContainerError: not found",
				types.Container{Name: aws.String("migrate")})}},
			"the container migrate of the task 0a1b2c was not started: CannotPullContainerError: not found",
		},
		"a container before it failed": {
			&fakeECS{states: []any{ended(types.TaskStopCodeTaskFailedToStart, "Task failed to start",
				types.Container{Name: aws.String("migrate")}, ran("prepare", 2))}},
			"was not started: Task failed to start (container prepare: exit code 2)",
		},
		"ECS never hears of it": {
			&fakeECS{states: []any{types.Failure{Reason: aws.String("MISSING")}}},
			"ECS does not know the task 0a1b2c that it has started",
		},
		"ECS stops answering": {
			&fakeECS{states: []any{underWay("migrate"), errors.New("no route to host")}},
			"reading the task 0a1b2c from ECS, where it may still run: nothing could be read for 50ms: no route to host",
		},
		"ECS refuses to tell": {
			&fakeECS{states: []any{underWay("migrate"), &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "no"}}},
			"reading the task 0a1b2c from ECS, where it may still run: api error AccessDeniedException: no",
		},
		"ECS refuses to tell, in a list of failures": {
			&fakeECS{states: []any{underWay("migrate"), types.Failure{Reason: aws.String("ACCESS_DENIED")}}},
			"where it may still run: api error ACCESS_DENIED",
		},
		"somebody stops it, and it ends well": {
			&fakeECS{states: []any{ended(types.TaskStopCodeUserInitiated, "Task stopped by jo", ran("migrate", 0))}},
			"the task 0a1b2c was stopped before its end: Task stopped by jo (container migrate: exit code 0)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			result, err := runner(test.fake, &fakeLogs{}).Run(t.Context(), migrate, Watcher{})
			require.ErrorContains(t, err, test.want)
			require.False(t, result.Succeeded())
		})
	}
}

func TestTheTaskIsStoppedWhenTheContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	fake := &fakeECS{states: []any{underWay("migrate"), underWay("migrate")}}
	logs := &fakeLogs{}
	looks := 0
	fake.onState = func(int) {
		if looks++; looks == 2 {
			cancel()
			logs.mutex.Lock()
			logs.events = append(logs.events, wrote("migrate", "interrupted, undone", 0))
			logs.mutex.Unlock()
		}
	}
	var lines []string
	stopping := false
	result, err := runner(fake, logs).Run(ctx, migrate, Watcher{
		Line:     func(_, text string) { lines = append(lines, text) },
		Stopping: func(why error) { stopping = errors.Is(why, context.Canceled) },
	})
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "the task 0a1b2c was stopped")
	require.Equal(t, testTask, *fake.stop.Task)
	require.True(t, stopping)
	require.Equal(t, 143, *result.ExitCode)
	require.Equal(t, []string{"interrupted, undone"}, lines, "what it wrote while it was stopped, too")
}

func TestAContextThatHasEndedStartsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	fake := &fakeECS{}
	_, err := runner(fake, &fakeLogs{}).Run(ctx, migrate, Watcher{})
	require.ErrorIs(t, err, context.Canceled)
	require.Nil(t, fake.asked)
}

func TestLastLines(t *testing.T) {
	logs := &fakeLogs{events: []logtypes.FilteredLogEvent{wrote("web", "1", 0), wrote("web", "2", 0), wrote("web", "3", 0),
		wrote("web", "4", 0)}}
	for n, want := range map[int][]string{1: {"4"}, 3: {"2", "3", "4"}, 9: {"1", "2", "3", "4"}} {
		lines, err := LastLines(t.Context(), logs, testLog, Stream("web", "0a1b2c"), n)
		require.NoError(t, err)
		require.Equal(t, want, lines)
	}
	lines, err := LastLines(t.Context(), &fakeLogs{err: &logtypes.ResourceNotFoundException{}}, testLog, "gone", 3)
	require.NoError(t, err)
	require.Empty(t, lines)
}

func TestWhyATaskStoppedNamesContainerAndExitCode(t *testing.T) {
	t.Parallel()
	require.Equal(t, "Essential container in task exited (container web: exit code 1)", Why(types.Task{
		StoppedReason: aws.String("Essential container in task exited"),
		Containers:    []types.Container{{Name: aws.String("web"), ExitCode: aws.Int32(1)}},
	}))
	require.Equal(t, "Task failed to start (container web: CannotPullContainerError: not found)", Why(types.Task{
		StoppedReason: aws.String("Task failed to start"),
		Containers: []types.Container{{Name: aws.String("web"),
			Reason: aws.String("CannotPullContainerError: not found")}},
	}))
}

func TestATaskThatGoesOnIsSaidWithItsLimitAndHowToStopIt(t *testing.T) {
	task := migrate
	const stop = ". Ctrl-C stops it now, as does `aws ecs stop-task --cluster shop-dev --task 0a1b2c`"
	arn := "arn:aws:ecs:eu-west-1:123456789012:task/shop-dev/0a1b2c"
	task.Timeout = 90 * time.Minute
	require.Equal(t, "has been running for 2m, and is stopped after 1h30m (tasks.migrate.timeout)"+stop,
		task.StillRunning(2*time.Minute, "tasks.migrate.timeout", arn))
	task.Timeout = 0
	require.Equal(t, "has been running for 2m, without an end (--timeout)"+stop,
		task.StillRunning(2*time.Minute, "--timeout", arn))
}
