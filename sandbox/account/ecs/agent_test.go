package ecs

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/elb"
	"slipway/sandbox/account/iam"
	"slipway/sandbox/account/secrets"
)

// newEngineStage is a stage whose tasks an engine runs.
func newEngineStage(t *testing.T) *stage {
	t.Helper()
	s := newStage(t)
	require.NoError(t, SetAgentConnected(s.Account, true))
	return s
}

func (s *stage) work() []AgentTask {
	s.t.Helper()
	work, err := Agent{s.Account}.AgentTasks()
	require.NoError(s.t, err)
	return work
}

// states are those of the containers, given as name, status, name, status …
func states(status ...string) (all []ContainerState) {
	for i := 0; i < len(status); i += 2 {
		state := ContainerState{Name: status[i], RuntimeID: "id of " + status[i], LastStatus: status[i+1]}
		if state.LastStatus == taskStopped {
			code := 3
			state.ExitCode = &code
		}
		all = append(all, state)
	}
	return all
}

func (s *stage) report(w AgentTask, r TaskStateChange) {
	s.t.Helper()
	require.NoError(s.t, Agent{s.Account}.SubmitTaskStateChange(w.Task.ARN, r))
}

// runAll reports that every task's only container runs.
func (s *stage) runAll() {
	s.t.Helper()
	for _, w := range s.work() {
		s.report(w, TaskStateChange{Containers: states("web", "RUNNING")})
	}
}

func TestAnEngineIsGivenTasksAndSaysHowTheyDo(t *testing.T) {
	t.Parallel()
	s := newEngineStage(t)
	s.create(s.register(nil), 2)
	require.Empty(t, s.work())
	require.Equal(t, "PENDING", s.after(1).Tasks[0].LastStatus)
	require.Empty(t, s.work(), "not before the account has found nothing that keeps them from running")
	s.after(10)
	work := s.work()
	require.Len(t, work, 2)
	require.Equal(t, []any{"RUNNING", testRegion, testImage}, []any{work[0].Task.DesiredStatus, work[0].Region,
		work[0].Definition.Containers[0].Image()})
	require.Equal(t, "PENDING", s.after(100).Tasks[0].LastStatus, "only the engine says that a task runs")

	s.runAll()
	service := s.after(1)
	require.Equal(t, "RUNNING", service.Tasks[0].LastStatus)
	require.Contains(t, messages(service), "(service web) has started 1 tasks: (task "+service.Tasks[0].ID()+")")
	require.Equal(t, InProgress, s.after(8).Deployments[0].RolloutState,
		"a task without a health check counts only after a while")
	require.Equal(t, Completed, s.after(2).Deployments[0].RolloutState)
	require.Len(t, s.work(), 2)

	require.NoError(t, Agent{s.Account}.SubmitTaskStateChange(work[0].Task.ARN, TaskStateChange{Containers: states("web",
		"STOPPED")}))
	service = s.after(1)
	task := service.Tasks[0]
	require.Equal(t, []string{"STOPPED", "EssentialContainerExited", "Essential container in task exited"},
		[]string{task.LastStatus, task.StopCode, task.StoppedReason})
	require.Equal(t, 3, *task.Containers[0].ExitCode)
	require.Len(t, service.Tasks, 3, "the scheduler starts another in its place")
	require.NoError(t, Agent{s.Account}.SubmitTaskStateChange(account.ARN(account.DefaultID, "ecs", testRegion,
		"task/shop-dev/gone"),
		TaskStateChange{}),
		"a forgotten task")
}

func TestAReadLongAfterwardsFindsTheTaskSettled(t *testing.T) {
	t.Parallel()
	s := newEngineStage(t)
	s.create(s.register(nil), 1)
	s.after(2)
	s.runAll()
	services, err := AllServices(s.Account, "") // which does not keep how far it has looked
	require.NoError(t, err)
	require.Equal(t, InProgress, services[0].Deployments[0].RolloutState)
	s.clock = s.clock.Add(time.Hour)
	services, err = AllServices(s.Account, "")
	require.NoError(t, err)
	require.Equal(t, Completed, services[0].Deployments[0].RolloutState)
}

func TestWhatTheEngineReportsDecidesATask(t *testing.T) {
	t.Parallel()
	const checked, plain = true, false
	for name, c := range map[string]struct {
		check      bool
		reports    []TaskStateChange
		status     string // the last one and the desired one
		code       string
		reason     string
		health     string
		failed     int
		containers int
	}{
		"a container that is not made yet": {plain, []TaskStateChange{{Containers: states("web", "RUNNING", "side",
			"PENDING")}},
			"PENDING RUNNING", "", "", "", 0, 2},
		"an init container that has ended": {plain, []TaskStateChange{{Containers: states("web", "RUNNING", "side",
			"STOPPED")}},
			"RUNNING RUNNING", "", "", "", 0, 2},
		"an essential container that has ended": {plain, []TaskStateChange{{Containers: states("web", "STOPPED", "side",
			"RUNNING")}},
			"RUNNING STOPPED", "EssentialContainerExited", "Essential container in task exited", "", 1, 2},
		"and the others after it": {plain, []TaskStateChange{{Containers: states("web", "STOPPED", "side", "RUNNING")},
			{Containers: states("web", "STOPPED", "side", "STOPPED")}}, "STOPPED STOPPED", "EssentialContainerExited",
			"Essential container in task exited", "", 1, 2},
		"an image that cannot be pulled": {plain,
			[]TaskStateChange{{StopCode: "TaskFailedToStart", StoppedReason: "CannotPullContainerError: no"}},
			"STOPPED STOPPED", "TaskFailedToStart", "CannotPullContainerError: no", "", 1, 2},
		"a health check that has passed": {checked, []TaskStateChange{{Containers: []ContainerState{
			{Name: "web", RuntimeID: "1", LastStatus: "RUNNING", Health: "HEALTHY"},
			{Name: "side", RuntimeID: "2", LastStatus: "RUNNING"}}}},
			"RUNNING RUNNING", "", "", "HEALTHY", 0, 2},
		"a health check that is open": {checked, []TaskStateChange{{Containers: states("web", "RUNNING", "side", "RUNNING")}},
			"RUNNING RUNNING", "", "", "UNKNOWN", 0, 2},
		"a health check that fails": {checked, []TaskStateChange{{Containers: []ContainerState{
			{Name: "web", RuntimeID: "1", LastStatus: "RUNNING", Health: "UNHEALTHY"},
			{Name: "side", RuntimeID: "2", LastStatus: "RUNNING"}}}},
			"RUNNING STOPPED", "ServiceSchedulerInitiated", "Task failed container health checks", "UNHEALTHY", 1, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newEngineStage(t)
			s.create(s.register(func(d *TaskDefinition, web Container) {
				if c.check {
					web["healthCheck"] = map[string]any{"command": []any{"CMD", "true"}}
				}
				d.Containers = append(d.Containers, Container{"name": "side", "image": "busybox", "essential": false})
			}), 1)
			s.after(2)
			w := s.work()[0]
			for _, r := range c.reports {
				s.report(w, r)
			}
			service := s.after(0)
			task := service.Tasks[0]
			require.Equal(t, []string{c.status, c.code, c.reason, c.health},
				[]string{task.LastStatus + " " + task.DesiredStatus, task.StopCode, task.StoppedReason, task.Health})
			require.Equal(t, c.failed, service.Deployments[0].FailedTasks)
			require.Len(t, task.Containers, c.containers)
		})
	}
}

func TestATaskOfAnEngineStopsWhenTheEngineSaysSo(t *testing.T) {
	t.Parallel()
	s := newEngineStage(t)
	s.create(s.register(nil), 1)
	s.after(2)
	s.runAll()
	s.after(15)
	require.NoError(t, DeleteService(s.Account, "shop-dev", "web"))
	service := s.after(50)
	require.Equal(t, []string{"DRAINING", "RUNNING", "STOPPED"},
		[]string{service.Status, service.Tasks[0].LastStatus, service.Tasks[0].DesiredStatus})
	work := s.work()
	require.Equal(t, "STOPPED", work[0].Task.DesiredStatus, "the engine is told")
	s.report(work[0], TaskStateChange{Containers: states("web", "STOPPED")})
	require.Equal(t, "INACTIVE", s.after(2).Status)
	require.Equal(t, "Task stopped by service deletion", s.after(0).Tasks[0].StoppedReason)
	require.Empty(t, s.work())
}

func TestTasksGoOnAsRecordedOnesWhereNoEngineIsLeft(t *testing.T) {
	t.Parallel()
	s := newEngineStage(t)
	s.create(s.register(nil), 2)
	s.after(2)
	s.report(s.work()[0], TaskStateChange{Containers: states("web", "RUNNING")})
	require.NoError(t, SetAgentConnected(s.Account, false))
	require.Empty(t, s.work())
	service := s.after(3)
	require.Equal(t, Completed, service.Deployments[0].RolloutState)
	require.Equal(t, "RUNNING", service.Tasks[1].Containers[0].LastStatus)
	require.NoError(t, DeleteService(s.Account, "shop-dev", "web"))
	require.Equal(t, "INACTIVE", s.after(3).Status)
}

func TestWhatAWSRefusesNeverReachesTheEngine(t *testing.T) {
	t.Parallel()
	s := newEngineStage(t)
	require.NoError(t, s.SetFaults(map[string]string{account.FailingTasks: "web:1"}))
	s.create(s.register(nil), 1)
	service := s.after(5)
	require.Empty(t, s.work())
	require.Equal(t, "Essential container in task exited", service.Tasks[0].StoppedReason)
	require.Equal(t, Failed, s.after(10).Deployments[0].RolloutState)
}

func TestTasksThatKeepEndingAreStartedLessAndLessOften(t *testing.T) {
	t.Parallel()
	s := newEngineStage(t)
	with := settings(1)
	with.CircuitBreaker = false
	_, err := CreateService(s.Account, "shop-dev", "web", s.register(nil), with)
	require.NoError(t, err)
	started := func(seconds int) int {
		for range seconds * 5 {
			for _, w := range s.work() {
				s.report(w, TaskStateChange{Containers: states("web", "STOPPED")})
			}
			s.after(1)
		}
		return len(s.after(0).Tasks)
	}
	first := started(20)
	require.Greater(t, first, 5)
	require.Less(t, first, 12)
	require.Less(t, started(60)-first, 4)
	s.clock = s.clock.Add(2 * time.Minute)
	require.Len(t, s.after(2).Tasks, len(s.after(0).Tasks))
	require.Len(t, s.work(), 1, "and once it was waited for, the next is there at once")
}

func TestTargetGroupsOfAnEnginesTasks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		unreachable bool
		faults      map[string]string
		found       map[string]string
		health      string
		reason      string
	}{
		"not decided yet": {health: "initial"},
		"healthy":         {found: map[string]string{webGroup: ""}, health: "healthy"},
		"unhealthy": {found: map[string]string{webGroup: "Health checks failed with these codes: [503]"}, health: "unhealthy",
			reason: "Health checks failed with these codes: [503]"},
		"behind a security group that lets nothing through": {unreachable: true, found: map[string]string{webGroup: ""},
			health: "unhealthy",
			reason: "Request timed out"},
		"with a fault": {faults: map[string]string{account.UnhealthyTargets: "web:*"}, found: map[string]string{webGroup: ""},
			health: "unhealthy",
			reason: "Health checks failed with these codes: [503]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newEngineStage(t)
			s.balance()
			require.NoError(t, s.UpdateObject(elb.TargetGroup, account.AfterSlash(webGroup),
				account.Object{"healthCheck": map[string]any{"path": "/health",
					"matcher": "200-299", "interval": 10.0, "timeout": 4.0, "healthyThreshold": 2.0, "unhealthyThreshold": 3.0}}))
			if !c.unreachable {
				s.letThrough()
			}
			require.NoError(t, s.SetFaults(c.faults))
			with := balanced(1)
			with.HealthCheckGracePeriod = 60
			_, err := CreateService(s.Account, "shop-dev", "web", s.register(nil), with)
			require.NoError(t, err)
			s.after(2)
			w := s.work()[0]
			require.Equal(t, []HealthCheck{{TargetGroupARN: webGroup, ContainerPort: 8080, Path: "/health", Matcher: "200-299",
				Interval: 10 * time.Second, Timeout: 4 * time.Second, Healthy: 2, Unhealthy: 3, GracePeriod: time.Minute}},
				w.HealthChecks)
			s.report(w, TaskStateChange{Containers: states("web", "RUNNING"), Targets: c.found})
			service := s.after(0)
			require.Equal(t, c.health, service.Tasks[0].TargetHealth)
			if c.reason == "" {
				require.Equal(t, "RUNNING", service.Tasks[0].DesiredStatus)
				return
			}
			require.Equal(t, "Task failed ELB health checks in (target-group "+webGroup+")", service.Tasks[0].StoppedReason)
			require.Contains(t, messages(service), "is unhealthy in (target-group "+webGroup+") due to (reason "+c.reason+").")
		})
	}
}

func TestAnEngineIsGivenTheValuesOfSecrets(t *testing.T) {
	t.Parallel()
	s := newEngineStage(t)
	arn, err := secrets.CreateSecret(s.Account, testRegion, account.Object{"name": "shop"})
	require.NoError(t, err)
	_, err = secrets.PutSecretValue(s.Account, arn, `{"KEY": "hunter2"}`, "")
	require.NoError(t, err)
	s.object(iam.RolePolicy, "web-execution:secrets", account.Object{"role": "web-execution",
		"policy": `{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`})
	token := account.ARN("222222222222", "ssm", testRegion, "parameter/token")
	require.NoError(t, s.In("222222222222").CreateObject(secrets.Parameter, token, account.Object{"value": "of another"},
		nil))
	s.create(s.register(func(_ *TaskDefinition, c Container) {
		c["secrets"] = []any{map[string]any{"name": "KEY", "valueFrom": arn + ":KEY::"},
			map[string]any{"name": "TOKEN", "valueFrom": token}}
	}), 1)
	s.after(2)
	require.Equal(t, map[string]map[string]string{"web": {"KEY": "hunter2", "TOKEN": "of another"}}, s.work()[0].Secrets)
}
