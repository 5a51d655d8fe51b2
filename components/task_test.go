package components

import (
	"encoding/json"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
)

// withTasks is a stage whose task migrate uses all that there is.
var withTasks = map[string]string{
	"secrets":  `{"PASSWORD": "hunter2"}`,
	"services": `{"web": {"image": "web", "port": 8080}, "api": {"image": "web"}, "queue": {"image": "web"}}`,
	"tasks": `{
		"migrate": {
			"image": "web", "command": ["migrate"], "secrets": ["PASSWORD"], "before": ["web", "api"],
			"permissions": [{"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::uploads/*"]}],
			"schedule": {"when": "cron(0 6 ? * MON-FRI *)", "timeZone": "Asia/Seoul", "retries": 3, "maxAge": 3600, "enabled": false,
				"deadLetterQueue": "arn:aws:sqs:ap-northeast-2:123456789012:failed"}
		},
		"report": {"image": "web", "schedule": {"when": "rate(1 day)"}},
		"warm": {"image": "web", "before": ["web"]}
	}`,
	"roles": `{"path": "/shop/", "permissionsBoundary": "arn:aws:iam::123456789012:policy/boundary"}`,
}

func TestATaskHasWhatAServiceHasToStart(t *testing.T) {
	t.Parallel()
	recorded := declareStage(t, withTasks, nil)
	definition := recorded.named(t, "aws:ecs/taskDefinition:TaskDefinition", "migrate").Inputs
	require.Equal(t, "shop-dev-migrate", definition["family"].StringValue())
	require.True(t, definition["skipDestroy"].BoolValue(), "earlier revisions stay ACTIVE")
	require.Contains(t, definition["containerDefinitions"].StringValue(), `"command":["migrate"]`)
	require.Contains(t, definition["containerDefinitions"].StringValue(), `"portMappings":[]`)
	require.Equal(t, "/shop/dev/migrate", recorded.named(t, "aws:cloudwatch/logGroup:LogGroup",
		"migrate").Inputs["name"].StringValue())
	require.Equal(t, "shop-dev-migrate-execution", recorded.named(t, "aws:iam/role:Role",
		"migrate-execution").Inputs["name"].StringValue())
	require.Len(t, statements(t, recorded, "migrate-task"), 1)
	group := recorded.named(t, "aws:ec2/securityGroup:SecurityGroup", "migrate")
	require.Len(t, group.Inputs["egress"].ArrayValue(), 1)
	require.Equal(t, "migrate", group.Inputs["tags"].ObjectValue()["task"].StringValue())
	require.NotContains(t, group.Inputs["tags"].ObjectValue(), resource.PropertyKey("service"))
	require.Len(t, recorded.all("aws:ecs/service:Service"), 3, "a task is no service")
	require.JSONEq(t, `{"PASSWORD": "hunter2"}`,
		plain(recorded.named(t, "aws:secretsmanager/secretVersion:SecretVersion",
			"shop-dev-migrate").Inputs["secretString"]).StringValue())
}

func TestTheOutputsOfATaskSayHowToRunIt(t *testing.T) {
	t.Parallel()
	recorded := declareStage(t, withTasks, nil)
	summary := recorded.summaries["migrate"]
	require.Equal(t, "aws ecs run-task --region ap-northeast-2 --cluster shop-dev --launch-type FARGATE "+
		"--task-definition shop-dev-migrate:7 --network-configuration "+
		"'awsvpcConfiguration={subnets=[subnet-1],securityGroups=[migrate-id],assignPublicIp=DISABLED}' "+
		"--propagate-tags TASK_DEFINITION", summary["run"])
	require.Equal(t, map[string]any{
		"family": "shop-dev-migrate", "revision": 7, "taskDefinition": "arn:migrate", "container": "migrate",
		"cluster":  "shop-dev",
		"logGroup": "/shop/dev/migrate", "subnets": []string{"subnet-1"}, "securityGroups": []string{"migrate-id"},
		"assignPublicIp": false,
		"schedule":       "shop-dev-migrate", "run": summary["run"], "taskRole": "shop-dev-migrate-task",
	}, summary)
	require.NotContains(t, recorded.summaries["warm"], "schedule")
}

func TestAScheduleStartsTheRevisionOfItsTask(t *testing.T) {
	t.Parallel()
	recorded := declareStage(t, withTasks, nil)
	schedule := recorded.named(t, "aws:scheduler/schedule:Schedule", "migrate")
	require.Equal(t, map[string]any{
		"name": "shop-dev-migrate", "description": "runs the task shop-dev-migrate",
		"flexibleTimeWindow": map[string]any{"mode": "OFF"},
		"scheduleExpression": "cron(0 6 ? * MON-FRI *)", "scheduleExpressionTimezone": "Asia/Seoul", "state": "DISABLED",
		"target": map[string]any{
			"arn": "arn:dev", "roleArn": "arn:migrate-schedule",
			"ecsParameters": map[string]any{
				"taskDefinitionArn": "arn:migrate", "taskCount": 1.0, "launchType": "FARGATE", "propagateTags": "TASK_DEFINITION",
				"networkConfiguration": map[string]any{"subnets": []any{"subnet-1"}, "securityGroups": []any{"migrate-id"},
					"assignPublicIp": false},
			},
			"retryPolicy":      map[string]any{"maximumRetryAttempts": 3.0, "maximumEventAgeInSeconds": 3600.0},
			"deadLetterConfig": map[string]any{"arn": "arn:aws:sqs:ap-northeast-2:123456789012:failed"},
		},
	}, schedule.Inputs.Mappable())
	require.True(t, dependsOn(schedule, "aws:iam/rolePolicy:RolePolicy", "migrate-schedule"))
	require.True(t, dependsOn(schedule, "aws:iam/rolePolicy:RolePolicy", "migrate-execution"))

	report := recorded.named(t, "aws:scheduler/schedule:Schedule", "report").Inputs
	require.Equal(t, "ENABLED", report["state"].StringValue())
	require.Equal(t, "UTC", report["scheduleExpressionTimezone"].StringValue())
	require.NotContains(t, report["target"].ObjectValue(), resource.PropertyKey("deadLetterConfig"))
	require.Len(t, recorded.all("aws:scheduler/schedule:Schedule"), 2)
}

func TestTheRoleOfAScheduleStartsThisTaskAndNothingElse(t *testing.T) {
	t.Parallel()
	recorded := declareStage(t, withTasks, nil)
	require.Equal(t, []statement{
		{Sid: "Run", Effect: "Allow", Action: []string{"ecs:RunTask"},
			Resource: []string{"arn:aws:ecs:ap-northeast-2:123456789012:task-definition/shop-dev-migrate:*"},
			Condition: map[string]map[string][]string{
				"ArnEquals": {"ecs:cluster": {"arn:aws:ecs:ap-northeast-2:123456789012:cluster/shop-dev"}}}},
		{Sid: "Tag", Effect: "Allow", Action: []string{"ecs:TagResource"},
			Resource:  []string{"arn:aws:ecs:ap-northeast-2:123456789012:task/shop-dev/*"},
			Condition: map[string]map[string][]string{"StringEquals": {"ecs:CreateAction": {"RunTask"}}}},
		{Sid: "Pass", Effect: "Allow", Action: []string{"iam:PassRole"},
			Resource:  []string{"arn:migrate-execution", "arn:migrate-task"},
			Condition: map[string]map[string][]string{"StringEquals": {"iam:PassedToService": {"ecs-tasks.amazonaws.com"}}}},
		{Sid: "GiveUp", Effect: "Allow", Action: []string{"sqs:SendMessage"},
			Resource: []string{"arn:aws:sqs:ap-northeast-2:123456789012:failed"}},
	}, statements(t, recorded, "migrate-schedule"))
	require.Len(t, statements(t, recorded, "report-schedule"), 3, "no queue")

	role := recorded.named(t, "aws:iam/role:Role", "migrate-schedule").Inputs
	require.Equal(t, "shop-dev-migrate-schedule", role["name"].StringValue())
	require.Equal(t, "/shop/", role["path"].StringValue())
	require.Equal(t, "arn:aws:iam::123456789012:policy/boundary", role["permissionsBoundary"].StringValue())
	var trust struct{ Statement []statement }
	require.NoError(t, json.Unmarshal([]byte(role["assumeRolePolicy"].StringValue()), &trust))
	require.Equal(t, []statement{{
		Effect: "Allow", Principal: map[string]string{"Service": "scheduler.amazonaws.com"},
		Action: []string{"sts:AssumeRole"},
		Condition: map[string]map[string][]string{
			"StringEquals": {"aws:SourceAccount": {"123456789012"}},
			"ArnLike":      {"aws:SourceArn": {"arn:aws:scheduler:ap-northeast-2:123456789012:schedule-group/default"}},
		},
	}}, trust.Statement)
}

func TestServicesWaitForWhatRunsBeforeThem(t *testing.T) {
	t.Parallel()
	const stash = "pulumi:index:Stash"
	recorded := declareStage(t, withTasks, func(preflight *Preflight) {
		preflight.revisions["api"] = "arn:api:3"
	})
	migrate, warm := recorded.named(t, stash, "migrate"), recorded.named(t, stash, "warm")
	require.Equal(t, "arn:migrate", migrate.Inputs["input"].StringValue(), "a preview shows it all, and twice")
	require.Equal(t, map[string]any{"web": "arn:web", "api": "arn:api:3"},
		migrate.RegisterRPC.GetReplacementTrigger().AsInterface(), "the pinned revision")
	require.Equal(t, []string{"input"}, migrate.RegisterRPC.GetIgnoreChanges())
	require.Equal(t, []string{"tasks.migrate"}, migrate.RegisterRPC.GetHooks().GetBeforeCreate())
	require.Len(t, recorded.all(stash), 2, "a task that runs before nothing has none")

	require.True(t, dependsOn(migrate, "aws:cloudwatch/logGroup:LogGroup", "migrate"))
	require.True(t, dependsOn(migrate, "aws:iam/rolePolicy:RolePolicy", "migrate-execution"))
	require.True(t, dependsOn(migrate, "aws:iam/rolePolicy:RolePolicy", "migrate-task"))
	require.True(t, dependsOn(warm, stash, "migrate"), "one after the other, as they share a service")
	require.False(t, dependsOn(migrate, stash, "warm"))
	for service, waits := range map[string][]bool{"web": {true, true}, "api": {true, false}, "queue": {false, false}} {
		declared := recorded.named(t, "aws:ecs/service:Service", service)
		require.Equal(t, waits, []bool{dependsOn(declared, stash, "migrate"), dependsOn(declared, stash, "warm")}, service)
		require.False(t, dependsOn(migrate, "aws:ecs/service:Service", service))
	}
}
