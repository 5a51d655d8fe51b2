package ecs

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/logs"
	"slipway/sandbox/account/vpc"
)

// request starts one task of the family web.
func request(change func(*RunTaskRequest)) RunTaskRequest {
	r := RunTaskRequest{Cluster: "shop-dev", TaskDefinition: "web", Count: 1, LaunchType: "FARGATE",
		Network: &Network{Subnets: []string{vpc.Subnets[0].ID}, AssignPublicIP: true}}
	if change != nil {
		change(&r)
	}
	return r
}

// one is the only standalone task, some steps later.
func (s *stage) one(steps int) *Task {
	s.t.Helper()
	s.clock = s.clock.Add(time.Duration(steps) * stepTime)
	tasks, err := Tasks(s.Account, "shop-dev")
	require.NoError(s.t, err)
	require.Len(s.t, tasks, 1)
	return tasks[0]
}

func (s *stage) logged() (lines []string) {
	s.t.Helper()
	events, err := logs.FindLogEvents(s.Account, "/shop/dev/web", "", 0, 1<<62)
	require.NoError(s.t, err)
	for _, e := range events {
		lines = append(lines, e.Stream+": "+e.Message)
	}
	return lines
}

func TestARecordedTaskRunsToItsEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		faults map[string]string
		code   int
		line   string
	}{
		"well": {nil, 0, "The sandbox has no Docker engine: this task is recorded as ended with exit code 0"},
		"failed": {map[string]string{account.FailingTasks: "web:1", account.FailingExitCode: "7"}, 7,
			"The sandbox has no Docker engine: this task is recorded as ended with exit code 7"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			require.NoError(t, s.SetFaults(c.faults))
			s.register(func(_ *TaskDefinition, c Container) {
				c["logConfiguration"].(map[string]any)["options"].(map[string]any)["awslogs-stream-prefix"] = "web"
			})
			started, err := RunTask(s.Account, request(nil))
			require.NoError(t, err)
			require.Equal(t, []string{"PENDING", "family:web", "", account.ARN(account.DefaultID, "ecs", testRegion,
				"cluster/shop-dev")},
				[]string{started[0].LastStatus, started[0].Group, started[0].StartedBy, started[0].ClusterARN()})
			require.EqualError(t, s.DeleteObject(Cluster, "shop-dev", false),
				"ClusterContainsTasksException: The Cluster cannot be deleted while Tasks are active.")
			if c.code == 0 {
				require.Equal(t, "RUNNING", s.one(1).LastStatus)
			}
			task := s.one(1)
			require.Equal(t, []string{"STOPPED", "EssentialContainerExited", "Essential container in task exited"},
				[]string{task.LastStatus, task.StopCode, task.StoppedReason})
			require.Equal(t, c.code, *task.ExitCode)
			require.Equal(t, []string{"web/web/" + task.ID() + ": " + c.line}, s.logged())
			s.one(30)
			require.NoError(t, s.DeleteObject(Cluster, "shop-dev", false))
			s.clock = s.clock.Add(time.Hour)
			tasks, err := Tasks(s.Account, "")
			require.NoError(t, err)
			require.Empty(t, tasks, "a stopped task is known for an hour")
		})
	}
}

func TestATaskThatCannotStartSaysWhyAndLogsNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.register(nil)
	_, err := RunTask(s.Account, request(func(r *RunTaskRequest) { r.Network.AssignPublicIP = false }))
	require.NoError(t, err)
	task := s.one(1)
	require.Equal(t, []string{"STOPPED", "TaskFailedToStart"}, []string{task.LastStatus, task.StopCode})
	require.Contains(t, task.StoppedReason, "Check your task network configuration.")
	require.Nil(t, task.ExitCode)
	require.Empty(t, s.logged())
}

func TestAnEngineRunsATaskWithItsOverrides(t *testing.T) {
	t.Parallel()
	s := newEngineStage(t)
	s.register(nil)
	_, err := RunTask(s.Account, request(func(r *RunTaskRequest) {
		r.StartedBy = "slipway"
		r.Overrides.Containers = []ContainerOverride{{Name: "web", Command: []string{"migrate"},
			Environment: []Variable{{"STAGE", "other"}, {"MORE", "1"}}}}
	}))
	require.NoError(t, err)
	s.clock = s.clock.Add(time.Second)
	w := s.work()[0]
	web := w.Definition.Containers[0]
	require.Equal(t, []any{"migrate"}, web["command"])
	require.Equal(t, map[string]string{"STAGE": "other", "MORE": "1"}, web.Environment())
	require.Equal(t, "slipway", w.Task.StartedBy)
	d, err := FindTaskDefinition(s.Account, "web")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"STAGE": "dev"}, d.Containers[0].Environment(), "the revision stays as it is")

	s.report(w, TaskStateChange{Containers: states("web", "RUNNING")})
	require.Equal(t, "RUNNING", s.one(100).LastStatus, "nothing but its containers ends it")
	s.report(w, TaskStateChange{Containers: states("web", "STOPPED")})
	task := s.one(0)
	require.Equal(t, []string{"STOPPED", "EssentialContainerExited"}, []string{task.LastStatus, task.StopCode})
	require.Equal(t, 3, *task.Containers[0].ExitCode)
	require.Empty(t, s.logged(), "the log is what the container writes")
	require.Empty(t, s.work())
}

func TestAnUnhealthyTaskThatNoServiceStandsBehindGoesOn(t *testing.T) {
	t.Parallel()
	s := newEngineStage(t)
	s.register(func(_ *TaskDefinition, c Container) {
		c["healthCheck"] = map[string]any{"command": []any{"CMD", "false"}}
	})
	_, err := RunTask(s.Account, request(nil))
	require.NoError(t, err)
	s.clock = s.clock.Add(time.Second)
	s.report(s.work()[0],
		TaskStateChange{Containers: []ContainerState{{Name: "web", RuntimeID: "1", LastStatus: "RUNNING",
			Health: "UNHEALTHY"}}})
	task := s.one(1)
	require.Equal(t, []string{"RUNNING", "RUNNING", "UNHEALTHY"},
		[]string{task.LastStatus, task.DesiredStatus, task.Health})
}

func TestATaskIsStopped(t *testing.T) {
	t.Parallel()
	s := newEngineStage(t)
	s.register(nil)
	started, err := RunTask(s.Account, request(nil))
	require.NoError(t, err)
	s.clock = s.clock.Add(time.Second)
	w := s.work()[0]
	s.report(w, TaskStateChange{Containers: states("web", "RUNNING")})
	stopped, err := StopTask(s.Account, "shop-dev", started[0].ID(), "enough")
	require.NoError(t, err)
	require.Equal(t, []string{"RUNNING", "STOPPED"}, []string{stopped.LastStatus, stopped.DesiredStatus})
	s.report(w, TaskStateChange{Containers: states("web", "STOPPED")})
	task := s.one(1)
	require.Equal(t, []string{"STOPPED", "UserInitiated", "enough"},
		[]string{task.LastStatus, task.StopCode, task.StoppedReason})
	_, err = StopTask(s.Account, "shop-dev", "gone", "")
	require.EqualError(t, err, "InvalidParameterException: The referenced task was not found.")
}

func TestAStoppedTaskOfAServiceIsReplaced(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.create(s.register(nil), 1)
	first := s.after(5).Tasks[0]
	_, err := StopTask(s.Account, "shop-dev", first.ARN, "")
	require.NoError(t, err)
	service := s.after(3)
	require.Equal(t, []string{"STOPPED", "UserInitiated", "Task stopped by user"},
		[]string{service.Tasks[0].LastStatus, service.Tasks[0].StopCode, service.Tasks[0].StoppedReason})
	require.Equal(t, "RUNNING", service.Tasks[1].LastStatus)
}

func TestRunTaskRefusesWhatECSRefuses(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*RunTaskRequest){
		"ClusterNotFoundException: Cluster not found.":                                                         func(r *RunTaskRequest) { r.Cluster = "gone" },
		"ClientException: TaskDefinition not found.":                                                           func(r *RunTaskRequest) { r.TaskDefinition = "gone" },
		"ClientException: TaskDefinition is inactive":                                                          func(r *RunTaskRequest) { r.TaskDefinition = "web:1" },
		"InvalidParameterException: count must be between 1 and 10.":                                           func(r *RunTaskRequest) { r.Count = 11 },
		"InvalidParameterException: No Container Instances were found in your cluster.":                        func(r *RunTaskRequest) { r.LaunchType = "" },
		"InvalidParameterException: Network Configuration must be provided when networkMode 'awsvpc'":          func(r *RunTaskRequest) { r.Network = nil },
		"InvalidParameterException: subnets can not be empty.":                                                 func(r *RunTaskRequest) { r.Network.Subnets = nil },
		"InvalidParameterException: Error retrieving subnet information for [subnet-1]":                        func(r *RunTaskRequest) { r.Network.Subnets = []string{"subnet-1"} },
		"InvalidParameterException: Error retrieving security group information for [sg-1]":                    func(r *RunTaskRequest) { r.Network.SecurityGroups = []string{"sg-1"} },
		"InvalidParameterException: Override for container named db is not a container in the TaskDefinition.": func(r *RunTaskRequest) { r.Overrides.Containers = []ContainerOverride{{Name: "db"}} },
		"InvalidParameterException: No Fargate configuration exists for given values.":                         func(r *RunTaskRequest) { r.Overrides.Memory = "100" },
		"ClientException: ECS was unable to assume the role 'arn:aws:iam::123456789012:role/gone' that was provided for " +
			"this task.": func(r *RunTaskRequest) { r.Overrides.TaskRoleARN = "arn:aws:iam::123456789012:role/gone" },
		"InvalidParameterException: startedBy must be 128 characters or less":                                    func(r *RunTaskRequest) { r.StartedBy = strings.Repeat("x", 129) },
		"InvalidParameterException: Invalid namespace for group.":                                                func(r *RunTaskRequest) { r.Group = "service:web" },
		"ConflictException: The RunTask request could not be processed due to conflicts. The provided clientTok": func(r *RunTaskRequest) { r.ClientToken, r.Count = "once", 2 },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.register(nil)
			_, err := DeregisterTaskDefinition(s.Account, "web:1")
			require.NoError(t, err)
			s.register(nil)
			once := request(func(r *RunTaskRequest) { r.ClientToken = "once" })
			one, err := RunTask(s.Account, once)
			require.NoError(t, err)
			again, err := RunTask(s.Account, once)
			require.NoError(t, err)
			require.Equal(t, one[0].ARN, again[0].ARN, "the same call")
			_, err = RunTask(s.Account, request(change))
			require.ErrorContains(t, err, want)
		})
	}
}
