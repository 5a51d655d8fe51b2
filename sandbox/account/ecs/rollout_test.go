package ecs

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecr"
	"slipway/sandbox/account/iam"
	"slipway/sandbox/account/logs"
	"slipway/sandbox/account/vpc"
)

const (
	testRegion = "eu-central-1"
	testImage  = account.DefaultID + ".dkr.ecr.eu-central-1.amazonaws.com/shop-dev/web:one"
)

// stage is an account with all that a service needs, and a clock that the test moves.
type stage struct {
	*account.Account
	t     *testing.T
	clock time.Time
}

func newStage(t *testing.T) *stage {
	t.Helper()
	a, err := account.Open(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	s := &stage{Account: a, t: t, clock: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)}
	a.SetClock(func() time.Time { return s.clock })
	s.object(Cluster, "shop-dev", account.Object{"arn": account.ARN(account.DefaultID, "ecs", testRegion,
		"cluster/shop-dev")})
	s.object(ecr.Repository, "shop-dev/web", account.Object{"imageTagMutability": "IMMUTABLE"})
	s.object(logs.LogGroup, "/shop/dev/web", account.Object{})
	s.object(iam.Role, "web-execution", account.Object{"assumeRolePolicy": `{"Principal":{"Service":"ecs-tasks.amazonaws.com"}}`})
	s.object(iam.RolePolicy, "web-execution:pull", account.Object{"role": "web-execution", "policy": `{"Statement": [
		{"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
		{"Effect": "Allow", "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
		 "Resource": "arn:aws:ecr:eu-central-1:123456789012:repository/shop-dev/web"},
		{"Effect": "Allow", "Action": "logs:*", "Resource": "arn:aws:logs:eu-central-1:123456789012:log-group:/shop/dev/web:*"}]}`})
	require.NoError(t, ecr.PutImage(a, "shop-dev/web", "one", "sha256:"+strings.Repeat("1", 64), 5<<20))
	return s
}

func (s *stage) object(kind, id string, o account.Object) {
	s.t.Helper()
	require.NoError(s.t, s.CreateObject(kind, id, o, fmt.Errorf("%s %s exists", kind, id)))
}

// definition is a task definition that registers and runs.
func definition(change func(*TaskDefinition, Container)) TaskDefinition {
	d := TaskDefinition{Family: "web", CPU: "256", Memory: "512", NetworkMode: "awsvpc",
		RequiresCompatibilities: []string{"FARGATE"}, ExecutionRoleARN: "arn:aws:iam::123456789012:role/web-execution"}
	containers, err := ParseContainers(`[{"name": "web", "image": "` + testImage + `",
		"portMappings": [{"containerPort": 8080}], "environment": [{"name": "STAGE", "value": "dev"}],
		"logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/shop/dev/web", "awslogs-region": "r"}}}]`)
	if err != nil {
		panic(err)
	}
	d.Containers = containers
	if change != nil {
		change(&d, containers[0])
	}
	return d
}

func (s *stage) register(change func(*TaskDefinition, Container)) string {
	s.t.Helper()
	d, err := RegisterTaskDefinition(s.Account, testRegion, definition(change))
	require.NoError(s.t, err)
	return d.ARN
}

func settings(desired int) ServiceSettings {
	return ServiceSettings{DesiredCount: desired, MinimumHealthyPercent: 100, MaximumPercent: 200, CircuitBreaker: true,
		Rollback: true, Subnets: []string{vpc.Subnets[0].ID}, AssignPublicIP: true}
}

func (s *stage) create(arn string, desired int) {
	s.t.Helper()
	_, err := CreateService(s.Account, "shop-dev", "web", arn, settings(desired))
	require.NoError(s.t, err)
}

func (s *stage) update(arn string) {
	s.t.Helper()
	_, err := UpdateService(s.Account, "shop-dev", "web", arn, false, func(*ServiceSettings) {})
	require.NoError(s.t, err)
}

// after lets steps of a rollout pass, and returns the service.
func (s *stage) after(steps int) *Service {
	s.t.Helper()
	s.clock = s.clock.Add(time.Duration(steps) * stepTime)
	service, err := FindService(s.Account, "shop-dev", "web")
	require.NoError(s.t, err)
	return service
}

func messages(s *Service) string {
	var lines []string
	for _, e := range s.Events {
		lines = append(lines, e.Message)
	}
	return strings.Join(lines, "\n")
}

func (s *stage) serves(revision, running int) {
	s.t.Helper()
	views, err := ServiceViews(s.Account)
	require.NoError(s.t, err)
	require.Len(s.t, views, 1)
	require.Equal(s.t, [2]int{revision, running}, [2]int{views[0].Revision, views[0].Running})
}

func TestRolloutGoesFromPendingToRunningToSteady(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.create(s.register(nil), 2)
	require.Empty(t, s.after(0).Tasks)
	require.Equal(t, "PENDING", s.after(1).Tasks[1].LastStatus)
	service := s.after(1)
	require.Equal(t, "RUNNING", service.Tasks[1].LastStatus)
	require.Equal(t, Completed, service.Deployments[0].RolloutState)
	require.Equal(t, "ECS deployment "+service.Deployments[0].ID+" completed.", service.Deployments[0].RolloutStateReason)
	require.Contains(t, messages(service), "(service web) has started 2 tasks: (task ")
	require.Equal(t, "(service web) has reached a steady state.", service.Events[0].Message)

	again := s.after(1000)
	require.Equal(t, service.Events, again.Events, "a steady service stays as it is")
	views, err := ServiceViews(s.Account)
	require.NoError(t, err)
	require.Equal(t, []ServiceView{{Cluster: "shop-dev", Service: "web", Family: "web", Revision: 1, Desired: 2,
		Running: 2,
		Image:   testImage, Environment: map[string]string{"STAGE": "dev"}}}, views)
}

func TestRollingUpdateKeepsTheDesiredCountRunning(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.create(s.register(nil), 3)
	s.after(5)
	s.update(s.register(nil))
	for range 10 {
		service := s.after(1)
		running, live := 0, 0
		for _, task := range service.Tasks {
			if task.LastStatus == "RUNNING" {
				running++
			}
			if task.LastStatus != "STOPPED" {
				live++
			}
		}
		require.GreaterOrEqual(t, running, 3)
		require.LessOrEqual(t, live, 6)
	}
	service := s.after(1)
	require.Len(t, service.Deployments, 1)
	require.Equal(t, Completed, service.Deployments[0].RolloutState)
	s.serves(2, 3)
	require.Contains(t, messages(service), "(service web) has stopped 3 running tasks: ")

	_, err := UpdateService(s.Account, "shop-dev", "web", "web:2", false, func(*ServiceSettings) {})
	require.NoError(t, err)
	require.Equal(t, service.Deployments, s.after(1).Deployments, "nothing changed, so no deployment")
	_, err = UpdateService(s.Account, "shop-dev", "web", "", false, func(c *ServiceSettings) { c.DesiredCount = 1 })
	require.NoError(t, err)
	require.Equal(t, service.Deployments[0].ID, s.after(5).Deployments[0].ID, "a count alone makes no deployment")
	s.serves(2, 1)
	_, err = UpdateService(s.Account, "shop-dev", "web", "", true, func(*ServiceSettings) {})
	require.NoError(t, err)
	require.NotEqual(t, service.Deployments[0].ID, s.after(5).Deployments[0].ID)
}

func TestFailingDeploymentRollsBackToTheLastCompletedOne(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	first := s.register(nil)
	s.create(first, 2)
	completed := s.after(5).Deployments[0]
	require.NoError(t, s.SetFaults(map[string]string{account.FailingTasks: "web:2", account.FailingExitCode: "137",
		account.FailingReason: "OutOfMemoryError"}))
	s.update(s.register(nil))
	failed := s.after(0).Deployments[0]
	service := s.after(3)
	require.Equal(t, Failed, service.Deployments[1].RolloutState)
	require.Equal(t, "ECS deployment circuit breaker: tasks failed to start.", service.Deployments[1].RolloutStateReason)
	back := service.Deployments[0]
	require.Equal(t, first, back.TaskDefinition)
	require.Equal(t, "ECS deployment circuit breaker: rolling back to deploymentId "+completed.ID+".",
		back.RolloutStateReason)

	service = s.after(10)
	require.Equal(t, first, service.TaskDefinition)
	require.Len(t, service.Deployments, 1)
	require.Equal(t, Completed, service.Deployments[0].RolloutState)
	s.serves(1, 2)
	events := messages(service)
	require.Contains(t, events, "(service web) (deployment "+failed.ID+") deployment failed: tasks failed to start.")
	require.Contains(t, events, "(service web) rolling back to deployment "+back.ID+".")
	for _, task := range service.Tasks {
		if task.StartedBy == failed.ID {
			require.Equal(t, "Essential container in task exited", task.StoppedReason)
			require.Equal(t, "EssentialContainerExited", task.StopCode)
			require.Equal(t, 137, *task.ExitCode)
			require.Equal(t, "OutOfMemoryError", task.ContainerReason)
		}
	}
}

func TestFailingDeploymentWithNothingToGoBackTo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		desired, steps int
		breaker        bool
		want           string
	}{
		"three failures are needed for one task": {1, 3, true, InProgress},
		"and then it is given up":                {1, 4, true, Failed},
		"half of the desired count for more":     {8, 2, true, Failed},
		"without a circuit breaker it keeps on":  {2, 500, false, InProgress},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			require.NoError(t, s.SetFaults(map[string]string{account.FailingTasks: "*shop-dev/web:one"}))
			with := settings(c.desired)
			with.CircuitBreaker = c.breaker
			_, err := CreateService(s.Account, "shop-dev", "web", s.register(nil), with)
			require.NoError(t, err)
			require.Equal(t, c.want, s.after(c.steps).Deployments[0].RolloutState)
			s.serves(1, 0)
			if !c.breaker {
				require.Contains(t, messages(s.after(0)), "(service web) is unable to consistently start tasks successfully.")
				require.NoError(t, s.SetFaults(nil))
				require.Equal(t, Completed, s.after(5).Deployments[0].RolloutState)
			}
		})
	}
}

func TestRolloutWithoutRollbackKeepsWhatServes(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	with := settings(1)
	with.Rollback = false
	_, err := CreateService(s.Account, "shop-dev", "web", s.register(nil), with)
	require.NoError(t, err)
	s.after(5)
	require.NoError(t, s.SetFaults(map[string]string{account.FailingTasks: "web:2"}))
	second := s.register(nil)
	s.update(second)
	service := s.after(20)
	require.Equal(t, Failed, service.Deployments[0].RolloutState)
	require.Equal(t, second, service.TaskDefinition)
	s.serves(1, 1)
}

func TestTaskThatCannotRunSaysWhy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		break_ func(*stage)
		change func(*TaskDefinition, Container)
		want   string
	}{
		"a tag that nobody pushed": {
			change: func(_ *TaskDefinition, c Container) { c["image"] = strings.Replace(testImage, ":one", ":two", 1) },
			want: "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref " +
				strings.Replace(testImage, ":one", ":two", 1),
		},
		"a role that is not there": {
			change: func(d *TaskDefinition, _ Container) { d.TaskRoleARN = "arn:aws:iam::123456789012:role/gone" },
			want:   "ECS was unable to assume the role 'arn:aws:iam::123456789012:role/gone' that was provided for this task.",
		},
		"a role that IAM has not spread yet": {
			break_: func(s *stage) { require.NoError(s.t, s.SetFaults(map[string]string{account.IAMDelay: "5s"})) },
			want:   "ECS was unable to assume the role 'arn:aws:iam::123456789012:role/web-execution'",
		},
		"a role without a policy": {
			break_: func(s *stage) { require.NoError(s.t, s.DeleteObject(iam.RolePolicy, "web-execution:pull", false)) },
			want:   "is not authorized to perform: ecr:GetAuthorizationToken on resource: * because",
		},
		"a secret that the policy leaves out": {
			change: func(_ *TaskDefinition, c Container) {
				c["secrets"] = []any{map[string]any{"name": "KEY",
					"valueFrom": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop-AbCdEf:KEY::"}}
			},
			want: "secretsmanager:GetSecretValue on resource: " +
				"arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop-AbCdEf because",
		},
		"a log group that is missing": {
			break_: func(s *stage) { require.NoError(s.t, s.DeleteObject(logs.LogGroup, "/shop/dev/web", false)) },
			want: "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: " +
				"failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			if c.break_ != nil {
				c.break_(s)
			}
			s.create(s.register(c.change), 1)
			task := s.after(2).Tasks[0]
			require.Equal(t, "STOPPED", task.LastStatus)
			require.Equal(t, "TaskFailedToStart", task.StopCode)
			require.Contains(t, task.StoppedReason, c.want)
		})
	}
}

func TestTaskWithoutAPublicAddressCannotPull(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	with := settings(1)
	with.AssignPublicIP = false
	_, err := CreateService(s.Account, "shop-dev", "web", s.register(nil), with)
	require.NoError(t, err)
	require.Contains(t, s.after(2).Tasks[0].StoppedReason, "Check your task network configuration.")
}

func TestDeletedServiceDrainsAndMayBeCreatedAgain(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	arn := s.register(nil)
	s.create(arn, 1)
	s.after(5)
	s.create(arn, 1) // identical: returned as it is
	_, err := CreateService(s.Account, "shop-dev", "web", arn, settings(2))
	require.EqualError(t, err, "InvalidParameterException: Creation of service was not idempotent.")
	require.EqualError(t, s.DeleteObject(Cluster, "shop-dev", false),
		"ClusterContainsServicesException: The Cluster cannot be deleted while Services are active.")
	require.NoError(t, DeleteService(s.Account, "shop-dev", "web"))
	_, err = CreateService(s.Account, "shop-dev", "web", arn, settings(2))
	require.EqualError(t, err, "InvalidParameterException: Unable to Start a service that is still Draining.")
	require.Equal(t, "INACTIVE", s.after(3).Status)
	views, err := ServiceViews(s.Account)
	require.NoError(t, err)
	require.Empty(t, views)
	s.create(arn, 2)
	s.after(3)
	s.serves(1, 2)
	require.NoError(t, DeleteService(s.Account, "shop-dev", "web"))
	s.after(3)
	require.NoError(t, DeleteService(s.Account, "shop-dev", "web"))
	require.NoError(t, s.DeleteObject(Cluster, "shop-dev", false))
}
