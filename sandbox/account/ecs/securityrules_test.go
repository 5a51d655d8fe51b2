package ecs

import (
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/elb"
	"slipway/sandbox/account/vpc"
)

func TestASecurityGroupIsThereForAllOrForNone(t *testing.T) {
	t.Parallel()
	a, err := account.Open(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	group := func(id string, peers ...any) error {
		return a.CreateObject(vpc.SecurityGroup, id, account.Object{"arn": "security-group/" + id, "name": id,
			"vpcId":   vpc.DefaultVPC,
			"ingress": []any{map[string]any{"protocol": "-1", "securityGroups": peers}}}, nil)
	}
	rule := func(id, group, peer string, port float64) error {
		return a.CreateObject(vpc.SecurityGroupRule, id, account.Object{"securityGroupRuleId": "sgr-" + id,
			"securityGroupId": group,
			"type":            "ingress",
			"protocol":        "tcp", "fromPort": port, "toPort": port, "sourceSecurityGroupId": peer}, nil)
	}
	balancer := func(name, group string) error {
		return a.CreateObject(elb.LoadBalancer, name, account.Object{"arn": "loadbalancer/app/" + name, "name": name,
			"securityGroups": []any{group},
			"subnets":        []any{vpc.Subnets[0].ID, vpc.Subnets[1].ID}}, nil)
	}
	network := func(group string) error {
		return a.Transact(func(t *account.Tx) error {
			return checkNetwork(t, Network{Subnets: []string{vpc.Subnets[0].ID}, SecurityGroups: []string{group}})
		})
	}
	require.NoError(t, group("sg-1"))
	for _, there := range []string{"sg-1", vpc.DefaultSecurityGroup} {
		require.NoError(t, group("sg-2"+there, there))
		require.NoError(t, rule("1"+there, there, "sg-1", 80))
		require.NoError(t, rule("2"+there, "sg-1", there, 81))
		require.NoError(t, balancer("lb"+there, there))
		require.NoError(t, network(there))
	}
	const gone = "The security group 'sg-0123abcd' does not exist"
	require.ErrorContains(t, group("sg-3", "sg-1", "sg-0123abcd"), gone)
	require.ErrorContains(t, rule("3", "sg-0123abcd", "sg-1", 80), gone)
	require.ErrorContains(t, rule("4", "sg-1", "sg-0123abcd", 80), gone)
	require.ErrorContains(t, balancer("lb", "sg-0123abcd"), gone)
	require.ErrorContains(t, network("sg-0123abcd"), "The security group 'sg-0123abcd' does not exist")
	require.ErrorContains(t, a.UpdateObject(vpc.SecurityGroup, "sg-1",
		account.Object{"ingress": []any{map[string]any{"securityGroups": []any{"sg-0123abcd"}}}}), gone)

	require.True(t, account.IsCode(rule("5", "sg-1", "sg-1", 80), "InvalidPermission.Duplicate"), "the same rule twice")
	require.NoError(t, rule("6", "sg-1", "sg-1", 82))
}
