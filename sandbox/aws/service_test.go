package aws

import (
	"maps"
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/ecs"
)

const serviceToken = "aws:ecs/service:Service"

// tryUpdate changes a resource as the engine does: check, then the operation. Nothing differs after it.
func (c *client) tryUpdate(r *tracked, news values, ignored ...string) error {
	c.t.Helper()
	parts := strings.Split(r.urn, "::")
	inputs, failures := c.check(parts[2], parts[3], r.inputs, news)
	require.Empty(c.t, failures)
	updated, err := c.Update(c.t.Context(), &pulumirpc.UpdateRequest{Urn: r.urn, Id: r.id, Olds: c.structure(r.outputs),
		News: c.structure(inputs), IgnoreChanges: ignored})
	if err != nil {
		return err
	}
	r.inputs, r.outputs = inputs, updated.GetProperties().AsMap()
	if len(ignored) == 0 {
		require.Empty(c.t, c.diff(r, inputs).GetDiffs())
	}
	return nil
}

func (c *client) update(r *tracked, news values, ignored ...string) {
	c.t.Helper()
	require.NoError(c.t, c.tryUpdate(r, news, ignored...))
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
	_, err := ecs.UpdateService(c.account, "", s.id, "", false,
		func(settings *ecs.ServiceSettings) { settings.DesiredCount = count })
	require.NoError(c.t, err)
}

func TestCountThatAScalerHasSetStays(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	s, inputs := c.serviceOf(func(inputs values) { inputs["desiredCount"] = 2.0 })
	c.scale(s, 5)
	next := c.create("aws:ecs/taskDefinition:TaskDefinition", "web", taskDefinitionInputs(webImage))
	inputs["taskDefinition"] = next.outputs["arn"]
	c.update(s, inputs, "desiredCount")
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
	before, err := ecs.FindService(c.account, "", s.id)
	require.NoError(t, err)
	require.Equal(t, ecs.Alarms{Names: []string{"a", "b"}, Enable: true, Rollback: true}, before.Settings.Alarms)
	for name, change := range map[string]values{
		"alarms":      {"alarms": values{"alarmNames": []any{"c"}, "enable": true, "rollback": false}},
		"no alarms":   {"alarms": values{"alarmNames": []any{"c"}, "enable": false, "rollback": false}},
		"exec":        {"enableExecuteCommand": true},
		"percentages": {"deploymentMinimumHealthyPercent": 50.0, "deploymentMaximumPercent": 150.0},
		"tags":        {"tags": values{"Stage": "dev"}, "propagateTags": "SERVICE"},
	} {
		news := maps.Clone(inputs)
		maps.Copy(news, change)
		checked, failures := c.check(serviceToken, "web", s.inputs, news)
		require.Empty(t, failures, name)
		require.Empty(t, c.diff(s, checked).GetReplaces(), name)
		c.update(s, news)
		require.Empty(t, c.diff(s, s.inputs).GetDiffs(), name)
		c.refresh(s)
		require.Empty(t, c.diff(s, checked).GetDiffs(), name)
	}
	after, err := ecs.FindService(c.account, "", s.id)
	require.NoError(t, err)
	require.Equal(t, before.Deployments[0].ID, after.Deployments[0].ID, "none of it is a deployment")
}

func TestAlarmsThatAreLeftOutStay(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	s, inputs := c.serviceOf(func(inputs values) {
		inputs["alarms"] = values{"alarmNames": []any{"a"}, "enable": true, "rollback": true}
	})
	delete(inputs, "alarms")
	c.update(s, inputs, "alarms")
	found, err := ecs.FindService(c.account, "", s.id)
	require.NoError(t, err)
	require.Equal(t, ecs.Alarms{Names: []string{"a"}, Enable: true, Rollback: true}, found.Settings.Alarms)
	require.Equal(t, []string{"alarms"}, c.diff(s, s.inputs).GetDiffs(), "so a difference stays, too")
}

func TestNoListOfAlarmsIsSentEmpty(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	s, inputs := c.serviceOf(nil)
	inputs["alarms"] = values{"alarmNames": []any{}, "enable": false, "rollback": false}
	require.ErrorContains(t, c.tryUpdate(s, inputs), "missing required field, DeploymentConfiguration.Alarms.AlarmNames")
}
