package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/scheduler"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/internal/awslimits"
	"slipway/internal/policies"
)

const scheduleType = "slipway:components:Schedule"

// scheduleGroup is the one that every account has, and that schedules are in that name none.
const scheduleGroup = "default"

// taskSchedule has EventBridge Scheduler start a task again and again.
type taskSchedule struct {
	pulumi.ResourceState

	// Arn of the schedule.
	Arn pulumi.StringOutput `pulumi:"arn"`
	// Name of the schedule, in the schedule group `default`.
	Name pulumi.StringOutput `pulumi:"name"`
}

// newSchedule declares the schedule of a task, and the role with which it starts it. A new revision of the task changes
// the schedule.
func newSchedule(ctx *pulumi.Context, w *Workload) (*taskSchedule, error) {
	name, component := w.name, &taskSchedule{}
	if err := ctx.RegisterComponentResource(scheduleType, name, component, pulumi.Parent(w)); err != nil {
		return nil, err
	}
	parent := pulumi.Parent(component)
	settings, network := w.Stage.Tasks[name].Schedule, w.Preflight.Network
	role, permissions, err := scheduleRole(ctx, roles{w, parent})
	if err != nil {
		return nil, err
	}
	target := &scheduler.ScheduleTargetArgs{
		Arn:     w.Cluster.Arn,
		RoleArn: role.Arn,
		EcsParameters: &scheduler.ScheduleTargetEcsParametersArgs{
			TaskDefinitionArn: w.targetRevision,
			TaskCount:         pulumi.Int(1),
			LaunchType:        pulumi.String(awslimits.Fargate),
			PropagateTags:     pulumi.String("TASK_DEFINITION"),
			NetworkConfiguration: &scheduler.ScheduleTargetEcsParametersNetworkConfigurationArgs{
				Subnets:        network.subnets(),
				SecurityGroups: w.securityGroups(),
				AssignPublicIp: pulumi.Bool(network.AssignPublicIP),
			},
		},
		RetryPolicy: &scheduler.ScheduleTargetRetryPolicyArgs{
			MaximumRetryAttempts:     pulumi.Int(settings.Retries),
			MaximumEventAgeInSeconds: pulumi.Int(settings.MaxAge),
		},
	}
	if settings.DeadLetterQueue != "" {
		target.DeadLetterConfig = &scheduler.ScheduleTargetDeadLetterConfigArgs{Arn: pulumi.String(settings.DeadLetterQueue)}
	}
	state := "ENABLED"
	if !settings.Enabled {
		state = "DISABLED"
	}
	schedule, err := scheduler.NewSchedule(ctx, name, &scheduler.ScheduleArgs{
		Name:                       pulumi.String(w.Stage.ScheduleName(name)),
		Description:                pulumi.String("runs the task " + w.Stage.Family(name)),
		FlexibleTimeWindow:         &scheduler.ScheduleFlexibleTimeWindowArgs{Mode: pulumi.String("OFF")},
		ScheduleExpression:         pulumi.String(settings.When),
		ScheduleExpressionTimezone: pulumi.String(settings.TimeZone),
		State:                      pulumi.String(state),
		Target:                     target,
	}, parent, pulumi.DependsOn(append([]pulumi.Resource{permissions}, w.ready...)),
		pulumi.DeleteBeforeReplace(true)) // its name is taken until it is gone
	if err != nil {
		return nil, err
	}
	component.Arn, component.Name = schedule.Arn, schedule.Name
	return component, ctx.RegisterResourceOutputs(component, pulumi.Map{"arn": component.Arn, "name": component.Name})
}

// scheduleRole declares the role with which EventBridge Scheduler starts tasks of this one family, in the stage's
// cluster and with the two roles of the task. It may start every revision, as the schedule and the policy do not change
// at one time (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/CWE_IAM_role.html).
func scheduleRole(ctx *pulumi.Context, w roles) (*iam.Role, pulumi.Resource, error) {
	name, account := w.name, w.Preflight.account
	// The source is the schedule group: AWS says not to name a schedule
	// (https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html).
	role, err := w.newRole(ctx, name+"-schedule", w.Stage.ScheduleRole(name), "scheduler.amazonaws.com",
		account.ARN("scheduler", "schedule-group/"+scheduleGroup))
	if err != nil {
		return nil, nil, err
	}
	queue := w.Stage.Tasks[name].Schedule.DeadLetterQueue
	permissions := pulumi.All(w.executionRole.Arn, w.taskRole.Arn).ApplyT(func(roles []any) (string, error) {
		cluster := w.Stage.Cluster()
		statements := []statement{
			{Sid: "Run", Effect: "Allow", Action: []string{"ecs:RunTask"},
				Resource:  []string{account.ARN("ecs", "task-definition/"+w.Stage.Family(name)+":*")},
				Condition: map[string]map[string][]string{"ArnEquals": {"ecs:cluster": {account.ARN("ecs", "cluster/"+cluster)}}}},
			// The task is given the tags of its task definition.
			{Sid: "Tag", Effect: "Allow", Action: []string{"ecs:TagResource"},
				Resource:  []string{account.ARN("ecs", "task/"+cluster+"/*")},
				Condition: map[string]map[string][]string{"StringEquals": {"ecs:CreateAction": {"RunTask"}}}},
			{Sid: "Pass", Effect: "Allow", Action: []string{"iam:PassRole"},
				Resource:  []string{roles[0].(string), roles[1].(string)},
				Condition: map[string]map[string][]string{"StringEquals": {"iam:PassedToService": {"ecs-tasks.amazonaws.com"}}}},
		}
		if queue != "" {
			statements = append(statements, statement{Sid: "GiveUp", Effect: "Allow", Action: []string{"sqs:SendMessage"},
				Resource: []string{queue}})
		}
		return policies.Text(statements...)
	}).(pulumi.StringOutput)
	attached, err := w.attach(ctx, "schedule", role, queue, permissions)
	return role, attached, err
}
