package ecs

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
)

func TestAlarmFailsADeployment(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		alarms Alarms
		fault  string
		want   string
	}{
		"and it rolls back":              {Alarms{[]string{"web-5xx", "web-cpu"}, true, true}, "web-5xx", Completed},
		"and it stays where it is":       {Alarms{[]string{"web-5xx"}, true, false}, "web-5xx", Failed},
		"unless it is another's":         {Alarms{[]string{"web-5xx"}, true, true}, "api-5xx", ""},
		"unless nobody listens to it":    {Alarms{[]string{"web-5xx"}, false, true}, "web-5xx", ""},
		"even where breakers cannot see": {Alarms{[]string{"web-5xx"}, true, true}, "web-*", Completed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			with := settings(1)
			with.Alarms = c.alarms
			first := s.register(nil)
			_, err := CreateService(s.Account, "shop-dev", "web", first, with)
			require.NoError(t, err)
			completed := s.after(5).Deployments[0]
			require.Equal(t, Completed, completed.RolloutState)
			require.NoError(t, s.SetFaults(map[string]string{account.Alarm: c.fault}))
			s.update(s.register(nil))
			failing := s.after(0).Deployments[0]
			if c.want == "" {
				require.Equal(t, Completed, s.after(8).Deployments[0].RolloutState)
				s.serves(2, 1)
				return
			}
			service := s.after(1)
			if c.want == Failed {
				require.Equal(t, "ECS deployment failed: alarm detected.", service.Deployments[0].RolloutStateReason)
			} else {
				require.Equal(t, "ECS deployment failed: alarm detected.", service.Deployments[1].RolloutStateReason)
				require.Equal(t, "ECS deployment failed: rolling back to deploymentId "+completed.ID+".",
					service.Deployments[0].RolloutStateReason)
			}
			require.Contains(t, messages(service),
				"(service web) (deployment "+failing.ID+") deployment failed: alarm detected.")
			service = s.after(10)
			require.Equal(t, c.want, service.Deployments[0].RolloutState)
			s.serves(1, 1)
		})
	}
}

func TestDeploymentWithAlarmsBakesForOneStepMore(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	with := settings(1)
	with.Alarms = Alarms{[]string{"web-5xx"}, true, true}
	_, err := CreateService(s.Account, "shop-dev", "web", s.register(nil), with)
	require.NoError(t, err)
	require.Equal(t, InProgress, s.after(2).Deployments[0].RolloutState)
	require.Equal(t, Completed, s.after(1).Deployments[0].RolloutState)
}

func TestPercentagesThatCanNeverRollAreRefused(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	with := settings(1)
	with.MaximumPercent = 100
	arn := s.register(nil)
	_, err := CreateService(s.Account, "shop-dev", "web", arn, with)
	require.EqualError(t, err,
		"InvalidParameterException: Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block "+
			"deployments.")
	with.MinimumHealthyPercent = 50
	_, err = CreateService(s.Account, "shop-dev", "web", arn, with)
	require.NoError(t, err)
	_, err = UpdateService(s.Account, "shop-dev", "web", "", false,
		func(with *ServiceSettings) { with.MinimumHealthyPercent = 100 })
	require.ErrorContains(t, err, "as this will block deployments.")
}

// checked gives a container a health check.
func checked(_ *TaskDefinition, c Container) {
	c["healthCheck"] = map[string]any{"command": []any{"CMD-SHELL", "true"}}
}

func TestTaskCountsWhenItsHealthChecksHavePassed(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.create(s.register(checked), 1)
	service := s.after(2)
	require.Equal(t, [2]string{"RUNNING", "UNKNOWN"}, [2]string{service.Tasks[0].LastStatus, service.Tasks[0].Health})
	require.Equal(t, InProgress, service.Deployments[0].RolloutState)
	service = s.after(1)
	require.Equal(t, "HEALTHY", service.Tasks[0].Health)
	require.Equal(t, Completed, service.Deployments[0].RolloutState)

	require.NoError(t, s.SetFaults(map[string]string{account.UnhealthyTasks: "web:2"}))
	s.update(s.register(checked))
	service = s.after(15)
	require.Equal(t, Completed, service.Deployments[0].RolloutState)
	require.True(t, service.Deployments[0].IsRollback)
	s.serves(1, 1)
	require.Contains(t, messages(service), ") failed container health checks.")
	failed := 0
	for _, task := range service.Tasks {
		if task.StoppedReason == "Task failed container health checks" {
			require.Equal(t, "UNHEALTHY", task.Health)
			failed++
		}
	}
	require.Equal(t, 3, failed)

	s.update(s.register(nil))
	require.NoError(t, s.SetFaults(map[string]string{account.UnhealthyTasks: "web:*"}))
	require.Equal(t, Completed, s.after(5).Deployments[0].RolloutState, "without a check nothing is unhealthy")
	s.serves(3, 1)
}

func TestContainerSettingsThatAreRefused(t *testing.T) {
	t.Parallel()
	check := func(more map[string]any) map[string]any {
		all := map[string]any{"command": []any{"CMD", "true"}}
		maps.Copy(all, more)
		return map[string]any{"healthCheck": all}
	}
	parameters := func(key string, value any) map[string]any {
		return map[string]any{"linuxParameters": map[string]any{key: value}}
	}
	for name, c := range map[string]struct {
		fields map[string]any
		want   string
	}{
		"a health check": {check(nil), ""},
		"a check's interval": {check(map[string]any{"interval": 4.0}),
			"Container healthCheck interval must be between 5 and 300"},
		"its timeout": {check(map[string]any{"timeout": 61.0}),
			"Container healthCheck timeout must be between 2 and 60"},
		"its retries": {check(map[string]any{"retries": 0.0}),
			"Container healthCheck retries must be between 1 and 10"},
		"its start period": {check(map[string]any{"startPeriod": 301.0}),
			"Container healthCheck startPeriod must be between 0 and 300"},
		"its command": {check(map[string]any{"command": []any{"curl"}}),
			"Container healthCheck command must start with CMD, CMD-SHELL or NONE"},
		"a stop timeout": {map[string]any{"stopTimeout": 121.0},
			"Container stopTimeout must be between 2 and 120"},
		"an init process": {parameters("initProcessEnabled", true), ""},
		"devices": {parameters("devices", []any{map[string]any{}}),
			"Fargate compatible task definitions do not support devices"},
		"no devices": {parameters("devices", []any{}), ""},
		"memory shared between processes": {parameters("sharedMemorySize", 64.0),
			"Fargate compatible task definitions do not support sharedMemorySize"},
		"swap": {parameters("maxSwap", 64.0),
			"Fargate compatible task definitions do not support maxSwap"},
		"a file system in memory": {parameters("tmpfs", []any{map[string]any{}}),
			"Fargate compatible task definitions do not support tmpfs"},
		"a willingness to be swapped": {parameters("swappiness", 60.0),
			"Fargate compatible task definitions do not support swappiness"},
		"the shortest and the longest stop": {map[string]any{"stopTimeout": 2.0}, ""},
	} {
		s := newStage(t)
		_, err := RegisterTaskDefinition(s.Account, testRegion,
			definition(func(_ *TaskDefinition, container Container) { maps.Copy(container, c.fields) }))
		if c.want == "" {
			require.NoError(t, err, name)
		} else {
			require.EqualError(t, err, "ClientException: "+c.want, name)
		}
	}
	filled, err := ParseContainers(`[{"name": "web", "image": "x", "healthCheck": {"command": ["CMD", "true"]}}]`)
	require.NoError(t, err)
	require.Equal(t, map[string]any{"command": []any{"CMD", "true"}, "interval": 30.0, "timeout": 5.0, "retries": 3.0},
		filled[0]["healthCheck"])
	require.True(t, SameContainers(`[{"name": "web", "image": "x", "healthCheck": {"command": ["CMD", "true"]}}]`,
		`[{"name": "web", "image": "x", "healthCheck": {"command": ["CMD", "true"], "interval": 30, "timeout": 5, `+
			`"retries": 3}}]`))
}
