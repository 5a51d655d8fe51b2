package ecs

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/elb"
	"slipway/sandbox/alb"
)

// targets are those of the only listener's target group.
func (s *stage) targets() []alb.Target {
	s.t.Helper()
	live, err := Agent{s.Account}.Listeners()
	require.NoError(s.t, err)
	require.Len(s.t, live, 1)
	return live[0].Settings.TargetGroups[webGroup].Targets
}

func TestTasksTakeRequestsWhileTheyAreHealthyAndNotToStop(t *testing.T) {
	t.Parallel()
	s := newEngineStage(t)
	s.balance()
	s.letThrough()
	require.NoError(t, s.UpdateObject(elb.TargetGroup, account.AfterSlash(webGroup),
		account.Object{"deregistrationDelay": 20.0}))
	_, err := CreateService(s.Account, "shop-dev", "web", s.register(nil), balanced(1))
	require.NoError(t, err)
	s.after(2)
	s.runAll()
	s.after(1)
	require.Empty(t, s.targets(), "it runs, and its health is not known")
	old := s.work()[0]
	require.Equal(t, 20*time.Second, old.DeregistrationDelay)
	healthy := TaskStateChange{Containers: states("web", "RUNNING"), Targets: map[string]string{webGroup: ""}}
	s.report(old, healthy)
	require.Equal(t, []alb.Target{{Task: old.Task.ARN, Port: 8080}}, s.targets())

	// Where the service moves to another port, each task is asked at its own.
	_, err = UpdateService(s.Account, "shop-dev", "web", s.register(func(_ *TaskDefinition, c Container) {
		c["portMappings"] = []any{map[string]any{"containerPort": 9090.0, "hostPort": 9090.0, "protocol": "tcp"}}
	}), false, func(settings *ServiceSettings) {
		settings.LoadBalancers = []ServiceLoadBalancer{{TargetGroupARN: webGroup, ContainerName: "web", ContainerPort: 9090}}
	})
	require.NoError(t, err)
	s.rule("sgrule-in-9090", "sg-web", "ingress", account.Object{"sourceSecurityGroupId": "sg-lb", "fromPort": 9090.0,
		"toPort": 9090.0})
	s.rule("sgrule-out-9090", "sg-lb", "egress", account.Object{"cidrBlocks": []any{"0.0.0.0/0"}, "fromPort": 9090.0,
		"toPort": 9090.0})
	s.after(2)
	require.Equal(t, []alb.Target{{Task: old.Task.ARN, Port: 8080}}, s.targets())
	current := s.work()[1]
	s.report(current, healthy)
	require.Equal(t, []alb.Target{{Task: old.Task.ARN, Port: 8080}, {Task: current.Task.ARN, Port: 9090}}, s.targets())
	service := s.after(1)
	require.Equal(t, "STOPPED", service.Tasks[0].DesiredStatus)
	require.Contains(t, messages(service), "(service web) has begun draining connections on 1 tasks.")
	require.Contains(t, messages(service), "(service web) deregistered 1 targets in (target-group "+webGroup+").")
	require.Equal(t, "RUNNING", s.after(1).Tasks[0].LastStatus)
	require.Equal(t, []alb.Target{{Task: current.Task.ARN, Port: 9090}}, s.targets(),
		"one that is to stop gets no request")

	require.NoError(t, SetAgentConnected(s.Account, false))
	live, err := Agent{s.Account}.Listeners()
	require.NoError(t, err)
	require.Empty(t, live, "without an engine nothing listens")
}

func TestWhatAListenerIsToDo(t *testing.T) {
	t.Parallel()
	s := newEngineStage(t)
	s.balance()
	listenerARN := elbARN("listener/app/shop/5f199ffa0882b300/0a5f2c8f15614b89")
	for id, priority := range map[string]float64{"a": 20, "b": 3} {
		s.object(elb.ListenerRule, id, account.Object{"arn": "rule/" + id, "listenerArn": listenerARN, "priority": priority,
			"conditions": []any{map[string]any{"hostHeader": map[string]any{"values": []any{id + ".example.com"}}}},
			"actions":    []any{map[string]any{"type": "forward", "targetGroupArn": webGroup}}})
	}
	require.NoError(t, s.UpdateObject(elb.LoadBalancer, "5f199ffa0882b300", account.Object{"idleTimeout": 30.0}))
	listener := func() elb.LiveListener {
		live, err := Agent{s.Account}.Listeners()
		require.NoError(t, err)
		require.Len(t, live, 1)
		return live[0]
	}
	l := listener()
	require.Equal(t, []any{listenerARN, "shop", 80, "HTTP", 30, 0}, []any{l.ARN, l.LoadBalancer, l.Settings.Port,
		l.Settings.Protocol, l.Settings.IdleTimeout, l.LocalPort()})
	require.Equal(t, []string{"b.example.com", "a.example.com"}, l.Settings.Hosts, "in the order of the rules' priorities")
	require.Equal(t, webGroup, l.Settings.Rules[0].Actions[0].TargetGroupARN)
	require.Contains(t, l.Settings.TargetGroups, webGroup)

	// The address is that of the name and the port, whatever stands behind them.
	require.NoError(t, Agent{s.Account}.KeepLocalPort(l, 20080))
	require.NoError(t, s.DeleteObject(elb.Listener, account.AfterSlash(listenerARN), false))
	s.object(elb.Listener, "other", account.Object{"arn": elbARN("listener/app/shop/5f199ffa0882b300/other"), "port": 80.0,
		"protocol": "HTTP", "loadBalancerArn": testBalancer, "defaultActions": []any{
			map[string]any{"type": "forward", "targetGroupArn": webGroup}}})
	require.Equal(t, 20080, listener().LocalPort())

	first, err := Agent{s.Account}.Authority()
	require.NoError(t, err)
	again, err := Agent{s.Account}.Authority()
	require.NoError(t, err)
	require.Equal(t, first, again)
}
