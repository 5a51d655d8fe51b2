package aws

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/vpc"
)

const scheduleToken = "aws:scheduler/schedule:Schedule"

// nightly is inputs for a schedule that starts the task nightly, with these changed.
func nightly(more values) values {
	inputs := values{"name": "nightly", "scheduleExpression": "cron(0 3 * * ? *)",
		"flexibleTimeWindow": values{"mode": "OFF"}, "target": scheduleTarget(nil)}
	maps.Copy(inputs, more)
	return inputs
}

func scheduleTarget(more values) values {
	target := values{"arn": account.ARN(account.DefaultID, "ecs", testRegion, "cluster/shop-dev"),
		"roleArn": "arn:aws:iam::123456789012:role/nightly",
		"ecsParameters": values{"taskDefinitionArn": account.ARN(account.DefaultID, "ecs", testRegion,
			"task-definition/shop-nightly:1"),
			"launchType": "FARGATE",
			"networkConfiguration": values{"subnets": []any{vpc.Subnets[1].ID, vpc.Subnets[0].ID},
				"assignPublicIp": true},
			"tags": values{"Stage": "dev"}}}
	maps.Copy(target, more)
	return target
}

func (c *client) scheduleRole(service string) {
	c.create("aws:iam/role:Role", "nightly", values{"name": "nightly",
		"assumeRolePolicy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"` + service + `"}}]}`})
}

func TestScheduleIsMadeChangedAndRemoved(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.scheduleRole("scheduler.amazonaws.com")
	s := c.create(scheduleToken, "nightly", nightly(nil))
	require.Equal(t, "default/nightly", s.id)
	require.Equal(t, "arn:aws:scheduler:ap-northeast-2:123456789012:schedule/default/nightly", s.outputs["arn"])
	require.Equal(t, []any{"default", "ENABLED", "UTC", ""},
		[]any{s.outputs["groupName"], s.outputs["state"], s.outputs["scheduleExpressionTimezone"], s.outputs["namePrefix"]})
	target := s.outputs["target"].(values)
	require.Equal(t, values{"maximumEventAgeInSeconds": 86400.0, "maximumRetryAttempts": 185.0}, target["retryPolicy"],
		"as AWS fills it in")
	require.Equal(t, 1.0, target["ecsParameters"].(values)["taskCount"])

	_, err := c.tryCreate(scheduleToken, "again", nightly(nil))
	require.ErrorContains(t, err,
		"creating EventBridge Scheduler Schedule (nightly): ConflictException: Schedule default/nightly already exists.")
	swapped := scheduleTarget(nil)
	swapped["ecsParameters"].(values)["networkConfiguration"] = values{"subnets": []any{vpc.Subnets[0].ID,
		vpc.Subnets[1].ID},
		"assignPublicIp": true}
	inputs, failures := c.check(scheduleToken, "nightly", s.inputs, nightly(values{"target": swapped}))
	require.Empty(t, failures)
	require.Empty(t, c.diff(s, inputs).GetDiffs(), "the order of subnets means nothing")

	retried := values{"retryPolicy": values{"maximumRetryAttempts": 0.0},
		"deadLetterConfig": values{"arn": account.ARN(account.DefaultID, "sqs", testRegion, "failed")},
		"input":            `{"containerOverrides":[{"name":"main","command":["x"]}]}`}
	inputs, failures = c.check(scheduleToken, "nightly", s.inputs,
		nightly(values{"state": "DISABLED", "target": scheduleTarget(retried)}))
	require.Empty(t, failures)
	difference := c.diff(s, inputs)
	require.Equal(t, []string{"state", "target"}, difference.GetDiffs())
	require.Empty(t, difference.GetReplaces())
	c.update(s, nightly(values{"state": "DISABLED", "target": scheduleTarget(retried)}))
	c.refresh(s)
	require.Empty(t, c.diff(s, s.inputs).GetDiffs())
	require.Equal(t, 0.0, s.outputs["target"].(values)["retryPolicy"].(values)["maximumRetryAttempts"])

	inputs, _ = c.check(scheduleToken, "nightly", s.inputs, nightly(values{"name": "other"}))
	require.Equal(t, []string{"name"}, c.diff(s, inputs).GetReplaces())
	require.NoError(t, c.remove(s))
	require.NoError(t, c.remove(s), "gone already")
}

func TestScheduleThatTheProviderOrAWSRefuses(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]values{
		"The name must consist of alphanumerics, hyphens, and underscores.":                                           {"name": "every night"},
		"expected state to be one of [\"ENABLED\" \"DISABLED\"], got ON":                                              {"state": "ON"},
		"expected maximum_retry_attempts to be in the range (0 - 185), got 186":                                       {"target": scheduleTarget(values{"retryPolicy": values{"maximumRetryAttempts": 186.0}})},
		`"role_arn" (nightly) is an invalid ARN`:                                                                      {"target": scheduleTarget(values{"roleArn": "nightly"})},
		"The sandbox does not support this property. Examine values at 'nightly.target.sqsParameters'.":               {"target": scheduleTarget(values{"sqsParameters": values{}})},
		"ValidationException: Invalid Schedule Expression cron(0 3 * * *).":                                           {"scheduleExpression": "cron(0 3 * * *)"},
		"ValidationException: Invalid Schedule Expression Timezone Europe/Nowhere.":                                   {"scheduleExpressionTimezone": "Europe/Nowhere"},
		"ResourceNotFoundException: Schedule group jobs does not exist.":                                              {"groupName": "jobs"},
		"ValidationException: MaximumWindowInMinutes must be provided":                                                {"flexibleTimeWindow": values{"mode": "FLEXIBLE"}},
		"ValidationException: MaximumWindowInMinutes must not be provided":                                            {"flexibleTimeWindow": values{"mode": "OFF", "maximumWindowInMinutes": 5.0}},
		"ValidationException: Provided Arn is not in correct format.":                                                 {"target": scheduleTarget(values{"arn": account.ARN(account.DefaultID, "lambda", testRegion, "function:x")})},
		"ValidationException: The execution role you provide must allow AWS EventBridge Scheduler to assume the role": {"target": scheduleTarget(values{"roleArn": "arn:aws:iam::123456789012:role/gone"})},
		"ValidationException: EcsParameters must be provided":                                                         {"target": scheduleTarget(values{"ecsParameters": nil})},
		"ValidationException: Provided dead-letter queue Arn is not in correct format.":                               {"target": scheduleTarget(values{"deadLetterConfig": values{"arn": account.ARN(account.DefaultID, "sns", testRegion, "x")}})},
		"ValidationException: Invalid RequestJson provided.":                                                          {"target": scheduleTarget(values{"input": "{"})},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			c := newClient(t)
			c.scheduleRole("scheduler.amazonaws.com")
			if _, failures := c.check(scheduleToken, "nightly", nil, nightly(change)); len(failures) > 0 {
				require.Contains(t, failures[0], want)
				return
			}
			_, err := c.tryCreate(scheduleToken, "nightly", nightly(change))
			require.ErrorContains(t, err, want)
		})
	}
	c := newClient(t)
	c.scheduleRole("ecs-tasks.amazonaws.com")
	_, err := c.tryCreate(scheduleToken, "nightly", nightly(nil))
	require.ErrorContains(t, err, "must allow AWS EventBridge Scheduler to assume the role", "a role that trusts others")
}
