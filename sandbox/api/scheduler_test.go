package api

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/iam"
	accountscheduler "slipway/sandbox/account/scheduler"
	"slipway/sandbox/account/vpc"
)

func TestSchedulesAsTheSDKSeesThem(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	const role = "arn:aws:iam::123456789012:role/nightly"
	require.NoError(t, s.CreateObject(iam.Role, "nightly", account.Object{"arn": role,
		"assumeRolePolicy": `"scheduler.amazonaws.com"`}, nil))
	cluster, definition := account.ARN(account.DefaultID, "ecs", testRegion, "cluster/shop-dev"),
		account.ARN(account.DefaultID, "ecs", testRegion, "task-definition/nightly:3")
	for name, region := range map[string]string{"shop-nightly": testRegion, "shop-weekly": testRegion, "other": testRegion,
		"shop-far": "us-east-1"} {
		require.NoError(t, s.CreateObject(accountscheduler.Schedule, "default/"+name,
			account.Object{"name": name, "groupName": "default", "state": "ENABLED",
				"arn":                        account.ARN(account.DefaultID, "scheduler", region, "schedule/default/"+name),
				"scheduleExpression":         "cron(0 3 * * ? *)",
				"scheduleExpressionTimezone": "Europe/Berlin", "flexibleTimeWindow": map[string]any{"mode": "OFF",
					"maximumWindowInMinutes": 0.0},
				"target": map[string]any{"arn": cluster, "roleArn": role, "input": `{}`,
					"retryPolicy":      map[string]any{"maximumEventAgeInSeconds": 3600.0, "maximumRetryAttempts": 3.0},
					"deadLetterConfig": map[string]any{"arn": account.ARN(account.DefaultID, "sqs", testRegion, "failed")},
					"ecsParameters": map[string]any{"taskDefinitionArn": definition, "launchType": "FARGATE", "taskCount": 1.0,
						"propagateTags":        "",
						"enableEcsManagedTags": true, "placementConstraints": []any{}, "tags": map[string]any{"Stage": "dev"},
						"networkConfiguration": map[string]any{"subnets": []any{vpc.Subnets[0].ID}, "assignPublicIp": true}}}}, nil))
	}
	client := scheduler.NewFromConfig(s.config)
	got, err := client.GetSchedule(t.Context(), &scheduler.GetScheduleInput{Name: aws.String("shop-nightly")})
	require.NoError(t, err)
	require.Equal(t, []string{"shop-nightly", "default", "cron(0 3 * * ? *)", "Europe/Berlin"},
		[]string{*got.Name, *got.GroupName, *got.ScheduleExpression, *got.ScheduleExpressionTimezone})
	require.Equal(t, types.ScheduleStateEnabled, got.State)
	require.WithinDuration(t, time.Now(), *got.CreationDate, time.Minute)
	require.Equal(t, &types.FlexibleTimeWindow{Mode: types.FlexibleTimeWindowModeOff}, got.FlexibleTimeWindow)
	require.Equal(t, &types.RetryPolicy{MaximumEventAgeInSeconds: aws.Int32(3600), MaximumRetryAttempts: aws.Int32(3)},
		got.Target.RetryPolicy)
	require.Equal(t, []string{cluster, role, "{}", account.ARN(account.DefaultID, "sqs", testRegion, "failed")},
		[]string{*got.Target.Arn, *got.Target.RoleArn, *got.Target.Input, *got.Target.DeadLetterConfig.Arn})
	require.Equal(t, &types.EcsParameters{TaskDefinitionArn: &definition, LaunchType: types.LaunchTypeFargate,
		TaskCount:            aws.Int32(1),
		EnableECSManagedTags: aws.Bool(true), Tags: []map[string]string{{"key": "Stage", "value": "dev"}},
		NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{
			Subnets: []string{vpc.Subnets[0].ID}, AssignPublicIp: types.AssignPublicIpEnabled}}}, got.Target.EcsParameters)
	for _, name := range []string{"gone", "shop-far"} {
		_, err = client.GetSchedule(t.Context(), &scheduler.GetScheduleInput{Name: &name})
		var missing *types.ResourceNotFoundException
		require.ErrorAs(t, err, &missing)
	}

	var names []string
	pages := scheduler.NewListSchedulesPaginator(client, &scheduler.ListSchedulesInput{NamePrefix: aws.String("shop-"),
		MaxResults: aws.Int32(1)})
	for pages.HasMorePages() {
		part, err := pages.NextPage(t.Context())
		require.NoError(t, err)
		require.Equal(t, cluster, *part.Schedules[0].Target.Arn)
		names = append(names, *part.Schedules[0].Name)
	}
	require.Equal(t, []string{"shop-nightly", "shop-weekly"}, names)
	_, err = client.DeleteSchedule(t.Context(), &scheduler.DeleteScheduleInput{Name: aws.String("shop-nightly")})
	require.ErrorContains(t, err, "The sandbox has no operation DELETE /schedules/shop-nightly of EventBridge Scheduler.")
}
