package ecs

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/elb"
	"slipway/sandbox/account/vpc"
)

func elbARN(resource string) string {
	return account.ARN(account.DefaultID, "elasticloadbalancing", testRegion,
		resource)
}

var (
	webGroup      = elbARN("targetgroup/web/b60b03723de28181")
	otherGroup    = elbARN("targetgroup/other/b60b03723de28182")
	instanceGroup = elbARN("targetgroup/ec2/b60b03723de28183")
	testBalancer  = elbARN("loadbalancer/app/shop/5f199ffa0882b300")
)

// balance gives the stage a load balancer in sg-lb, with a target group for tasks in sg-web; nothing is let through
// yet.
func (s *stage) balance() {
	s.t.Helper()
	for _, id := range []string{"sg-lb", "sg-web"} {
		s.object(vpc.SecurityGroup, id, account.Object{"arn": "security-group/" + id, "vpcId": vpc.DefaultVPC})
	}
	s.object(elb.LoadBalancer, "5f199ffa0882b300", account.Object{"arn": testBalancer, "name": "shop",
		"securityGroups": []any{"sg-lb"},
		"subnets":        []any{vpc.Subnets[0].ID, vpc.Subnets[1].ID}})
	for arn, kind := range map[string]string{webGroup: "ip", otherGroup: "ip", instanceGroup: "instance"} {
		s.object(elb.TargetGroup, account.AfterSlash(arn), account.Object{"arn": arn, "name": arn, "targetType": kind,
			"vpcId": vpc.DefaultVPC})
	}
	s.object(elb.Listener, "0a5f2c8f15614b89",
		account.Object{"arn": elbARN("listener/app/shop/5f199ffa0882b300/0a5f2c8f15614b89"),
			"port":     80.0,
			"protocol": "HTTP", "loadBalancerArn": testBalancer, "defaultActions": []any{
				map[string]any{"type": "forward", "targetGroupArn": webGroup}}})
}

func (s *stage) rule(id, group, direction string, more account.Object) {
	s.t.Helper()
	o := account.Object{"securityGroupId": group, "type": direction, "protocol": "tcp", "fromPort": 8000.0,
		"toPort":              8080.0,
		"securityGroupRuleId": strings.Replace(id, "sgrule-", "sgr-", 1)}
	for key, value := range more {
		o[key] = value
	}
	s.object(vpc.SecurityGroupRule, id, o)
}

// letThrough has the load balancer reach the service's tasks.
func (s *stage) letThrough() {
	s.t.Helper()
	s.rule("sgrule-out", "sg-lb", "egress", account.Object{"cidrBlocks": []any{"0.0.0.0/0"}})
	s.rule("sgrule-in", "sg-web", "ingress", account.Object{"sourceSecurityGroupId": "sg-lb"})
}

func balanced(desired int) ServiceSettings {
	settings := settings(desired)
	settings.SecurityGroups = []string{"sg-web"}
	settings.LoadBalancers = []ServiceLoadBalancer{{TargetGroupARN: webGroup, ContainerName: "web", ContainerPort: 8080}}
	return settings
}

func TestServiceBehindALoadBalancerComesToServe(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.balance()
	s.letThrough()
	_, err := CreateService(s.Account, "shop-dev", "web", s.register(nil), balanced(1))
	require.NoError(t, err)
	service := s.after(2)
	require.Equal(t, []string{"RUNNING", "initial"}, []string{service.Tasks[0].LastStatus, service.Tasks[0].TargetHealth})
	require.Equal(t, InProgress, service.Deployments[0].RolloutState,
		"a task that no load balancer has found healthy is not enough")
	service = s.after(1)
	require.Equal(t, "healthy", service.Tasks[0].TargetHealth)
	require.Equal(t, Completed, s.after(1).Deployments[0].RolloutState)
	require.Contains(t, messages(service), "(service web) registered 1 targets in (target-group "+webGroup+").")
	require.ErrorContains(t, s.DeleteObject(vpc.SecurityGroup, "sg-web", false),
		"DependencyViolation: resource sg-web has a dependent object")

	changed := balanced(1)
	changed.HealthCheckGracePeriod = 60
	set := func(settings ServiceSettings) *Service {
		service, err := UpdateService(s.Account, "shop-dev", "web", "", false, func(old *ServiceSettings) { *old = settings })
		require.NoError(t, err)
		return service
	}
	require.Len(t, set(changed).Deployments, 1, "a grace period needs no deployment")
	kept := settings(1)
	kept.HealthCheckGracePeriod = 60 // which ECS takes only where a load balancer is
	require.Len(t, set(kept).Deployments, 2, "leaving the load balancer does")
}

func TestTasksThatTheLoadBalancerCannotReachAreStopped(t *testing.T) {
	t.Parallel()
	in := func(s *stage, more account.Object) { s.rule("sgrule-in", "sg-web", "ingress", more) }
	out := func(s *stage, more account.Object) { s.rule("sgrule-out", "sg-lb", "egress", more) }
	everywhere, inside := account.Object{"cidrBlocks": []any{"0.0.0.0/0"}},
		account.Object{"cidrBlocks": []any{vpc.DefaultVPCRange}}
	for name, c := range map[string]struct {
		prepare func(*stage)
		reason  string
	}{
		"by address": {func(s *stage) { in(s, inside); out(s, inside) }, ""},
		"by group": {func(s *stage) {
			in(s, account.Object{"sourceSecurityGroupId": "sg-lb"})
			out(s, account.Object{"sourceSecurityGroupId": "sg-web"})
		}, ""},
		"nothing let in":  {func(s *stage) { out(s, everywhere) }, "Request timed out"},
		"nothing let out": {func(s *stage) { in(s, everywhere) }, "Request timed out"},
		"only some addresses": {func(s *stage) {
			in(s, account.Object{"cidrBlocks": []any{"172.31.0.0/20"}})
			out(s,
				everywhere)
		},
			"Request timed out"},
		"another group let in": {func(s *stage) { in(s, account.Object{"self": true}); out(s, everywhere) },
			"Request timed out"},
		"another port": {func(s *stage) {
			in(s, account.Object{"cidrBlocks": []any{"0.0.0.0/0"}, "toPort": 8079.0})
			out(s,
				everywhere)
		}, "Request timed out"},
		"UDP": {func(s *stage) {
			in(s, account.Object{"cidrBlocks": []any{"0.0.0.0/0"}, "protocol": "udp"})
			out(s,
				everywhere)
		}, "Request timed out"},
		"a rule of the group": {func(s *stage) {
			require.NoError(s.t, s.UpdateObject(vpc.SecurityGroup, "sg-web", account.Object{"ingress": []any{
				map[string]any{"protocol": "-1", "securityGroups": []any{"sg-lb"}}}}))
			out(s, everywhere)
		}, ""},
		"a fault": {func(s *stage) {
			s.letThrough()
			require.NoError(s.t, s.SetFaults(map[string]string{account.UnhealthyTargets: "web:*"}))
		}, "Health checks failed with these codes: [503]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.balance()
			c.prepare(s)
			_, err := CreateService(s.Account, "shop-dev", "web", s.register(nil), balanced(1))
			require.NoError(t, err)
			service := s.after(30)
			if c.reason == "" {
				require.Equal(t, Completed, service.Deployments[0].RolloutState)
				return
			}
			require.Equal(t, Failed, service.Deployments[0].RolloutState)
			require.Equal(t, 3, service.Deployments[0].FailedTasks)
			require.Contains(t, messages(service),
				"(service web) (port 8080) is unhealthy in (target-group "+webGroup+") due to (reason "+c.reason+").")
			task := service.Tasks[0]
			require.Equal(t, []string{"STOPPED", "ServiceSchedulerInitiated",
				"Task failed ELB health checks in (target-group " + webGroup + ")"},
				[]string{task.LastStatus, task.StopCode, task.StoppedReason})
			require.Equal(t, 0, *task.ExitCode)
		})
	}
}

func TestUnhealthyRevisionIsRolledBackAndNeverServes(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.balance()
	s.letThrough()
	_, err := CreateService(s.Account, "shop-dev", "web", s.register(nil), balanced(2))
	require.NoError(t, err)
	require.Equal(t, Completed, s.after(5).Deployments[0].RolloutState)
	require.NoError(t, s.SetFaults(map[string]string{account.UnhealthyTargets: "web:2"}))
	s.update(s.register(nil))
	for range 30 {
		s.after(1)
		s.serves(1, 2)
	}
	service := s.after(0)
	require.True(t, service.Deployments[0].IsRollback)
	require.Equal(t, Completed, service.Deployments[0].RolloutState)
}

func TestLoadBalancersThatAServiceCannotHave(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.balance()
	arn := s.register(nil)
	for name, c := range map[string]struct {
		change func(*ServiceSettings)
		want   string
	}{
		"no target group": {func(s *ServiceSettings) { s.LoadBalancers[0].TargetGroupARN += "0" },
			"InvalidParameterException: The target group '" + webGroup + "0' does not exist"},
		"one without a load balancer": {func(s *ServiceSettings) { s.LoadBalancers[0].TargetGroupARN = otherGroup },
			"The target group with targetGroupArn " + otherGroup + " does not have an associated load balancer."},
		"one of instances": {func(s *ServiceSettings) { s.LoadBalancers[0].TargetGroupARN = instanceGroup },
			"The provided target group " + instanceGroup +
				" has target type instance, which is incompatible with the awsvpc network mode"},
		"no such container": {func(s *ServiceSettings) { s.LoadBalancers[0].ContainerName = "api" },
			"The container api does not exist in the task definition."},
		"no such port": {func(s *ServiceSettings) { s.LoadBalancers[0].ContainerPort = 80 },
			"The container web did not have a container port 80 defined."},
		"a grace period for nothing": {func(s *ServiceSettings) { s.LoadBalancers, s.HealthCheckGracePeriod = nil, 30 },
			"Health check grace period is only valid for services configured to use load balancers"},
	} {
		settings := balanced(1)
		c.change(&settings)
		_, err := CreateService(s.Account, "shop-dev", "web", arn, settings)
		require.ErrorContains(t, err, c.want, name)
	}
}

// A provider that a program gives no grace period any more sends 0.
func TestTheGracePeriodStaysWhereTheLoadBalancerGoes(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.balance()
	s.letThrough()
	settings := balanced(1)
	settings.HealthCheckGracePeriod = 60
	_, err := CreateService(s.Account, "shop-dev", "web", s.register(nil), settings)
	require.NoError(t, err)
	_, err = UpdateService(s.Account, "shop-dev", "web", "", false, func(s *ServiceSettings) {
		s.LoadBalancers,
			s.HealthCheckGracePeriod = nil, 0
	})
	require.ErrorContains(t, err, "Health check grace period is only valid for services configured to use load balancers")
	_, err = UpdateService(s.Account, "shop-dev", "web", "", false, func(s *ServiceSettings) { s.LoadBalancers = nil })
	require.NoError(t, err)
	_, err = UpdateService(s.Account, "shop-dev", "web", "", false,
		func(s *ServiceSettings) { s.HealthCheckGracePeriod = 30 })
	require.ErrorContains(t, err, "Health check grace period is only valid for services configured to use load balancers")
}

func TestSecurityGroupGoesWithItsOwnRules(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.balance()
	s.letThrough()
	require.NoError(t, s.DeleteObject(elb.LoadBalancer, "5f199ffa0882b300", false))
	require.ErrorContains(t, s.DeleteObject(vpc.SecurityGroup, "sg-lb", false),
		"DependencyViolation: resource sg-lb has a dependent object",
		"a rule of sg-web names it")
	require.NoError(t, s.DeleteObject(vpc.SecurityGroup, "sg-web", false))
	require.NoError(t, s.DeleteObject(vpc.SecurityGroup, "sg-lb", false))
	rules, err := s.Objects(vpc.SecurityGroupRule)
	require.NoError(t, err)
	require.Empty(t, rules)
}
