package aws

import (
	"maps"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
)

const serviceToken = "aws:ecs/service:Service"

// update changes a resource as the engine does: check, then the operation.
func (c *client) update(r *tracked, news values, ignored ...string) {
	c.t.Helper()
	inputs, failures := c.check(r.urn[len("urn:pulumi:dev::shop::"):len(r.urn)-len("::web")], "web", r.inputs, news)
	require.Empty(c.t, failures)
	updated, err := c.Update(c.t.Context(), &pulumirpc.UpdateRequest{Urn: r.urn, Id: r.id, Olds: c.structure(r.outputs),
		News: c.structure(inputs), IgnoreChanges: ignored})
	require.NoError(c.t, err)
	r.inputs, r.outputs = inputs, updated.GetProperties().AsMap()
}

// serviceOf creates the service that the inputs describe, with all that it needs.
func (c *client) serviceOf(change func(values)) (s *tracked, inputs values) {
	c.t.Helper()
	cluster := c.create("aws:ecs/cluster:Cluster", "shop", values{"name": "shop-dev"})
	definition := c.create("aws:ecs/taskDefinition:TaskDefinition", "web", taskDefinitionInputs(webImage))
	inputs = serviceInputs(cluster.id, definition.outputs["arn"])
	if change != nil {
		change(inputs)
	}
	return c.create(serviceToken, "web", inputs), inputs
}

func (c *client) scale(s *tracked, count int) {
	c.t.Helper()
	_, err := c.account.UpdateService("", s.id, "", false, func(settings *account.ServiceSettings) { settings.DesiredCount = count })
	require.NoError(c.t, err)
}

func TestCountThatAScalerHasSetStays(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	s, inputs := c.serviceOf(func(inputs values) { inputs["desiredCount"] = 2.0 })
	c.scale(s, 5)
	next := c.create("aws:ecs/taskDefinition:TaskDefinition", "web", taskDefinitionInputs(webImage))
	inputs["taskDefinition"] = next.outputs["arn"]
	c.update(s, inputs)
	require.Equal(t, next.outputs["arn"], s.outputs["taskDefinition"])
	require.Equal(t, 5.0, s.outputs["desiredCount"])
	require.Equal(t, []string{"desiredCount"}, c.diff(s, s.inputs).GetDiffs(), "the state now has what the account has")

	ignoring, err := c.Diff(t.Context(), &pulumirpc.DiffRequest{Urn: s.urn, Id: s.id, Olds: c.structure(s.outputs),
		News: c.structure(s.inputs), IgnoreChanges: []string{"desiredCount"}})
	require.NoError(t, err)
	require.Empty(t, ignoring.GetDiffs())
	inputs["enableExecuteCommand"] = true
	c.update(s, inputs, "desiredCount")
	require.Equal(t, 5.0, s.outputs["desiredCount"])

	inputs["desiredCount"] = 3.0
	c.update(s, inputs)
	require.Equal(t, 3.0, s.outputs["desiredCount"], "a count that the program changes is sent")
}

func TestServiceSettingsChangeInPlace(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	s, inputs := c.serviceOf(func(inputs values) {
		inputs["alarms"] = values{"alarmNames": []any{"b", "a"}, "enable": true, "rollback": true}
	})
	before, err := c.account.Service("", s.id)
	require.NoError(t, err)
	require.Equal(t, account.Alarms{Names: []string{"a", "b"}, Enable: true, Rollback: true}, before.Settings.Alarms)
	for name, change := range map[string]values{
		"alarms":        {"alarms": values{"alarmNames": []any{"c"}, "enable": true, "rollback": false}},
		"no alarms":     {"alarms": nil},
		"exec":          {"enableExecuteCommand": true},
		"percentages":   {"deploymentMinimumHealthyPercent": 50.0, "deploymentMaximumPercent": 150.0},
		"tags":          {"tags": values{"Stage": "dev"}, "propagateTags": "SERVICE"},
		"a grace":       {"healthCheckGracePeriodSeconds": 30.0},
		"no more grace": {"healthCheckGracePeriodSeconds": 0.0},
	} {
		news := maps.Clone(inputs)
		maps.Copy(news, change)
		maps.DeleteFunc(news, func(_ string, value any) bool { return value == nil })
		checked, failures := c.check(serviceToken, "web", s.inputs, news)
		require.Empty(t, failures, name)
		require.Empty(t, c.diff(s, checked).GetReplaces(), name)
		c.update(s, news)
		require.Empty(t, c.diff(s, s.inputs).GetDiffs(), name)
		c.refresh(s)
		require.Empty(t, c.diff(s, checked).GetDiffs(), name)
	}
	after, err := c.account.Service("", s.id)
	require.NoError(t, err)
	require.Equal(t, before.Deployments[0].ID, after.Deployments[0].ID, "none of it is a deployment")
}
