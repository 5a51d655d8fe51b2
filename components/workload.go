package components

import (
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/stage"
)

// workloadArgs says what a workload is made from.
type workloadArgs struct {
	preflight *Preflight
	stage     *stage.Stage
	images    Images
	retention *Retention
	// port that the main container listens on, 0 for none; exec lets people open a shell in it.
	port int
	exec bool
}

// workload is what a service and a task have in common, and what their tasks need to start.
type workload struct {
	executionRole, taskRole *iam.Role
	// targetRevision is the ARN of the revision to run, the pinned one or else the newest, and revision its number. It is known once
	// its images are protected.
	targetRevision pulumi.StringOutput
	revision       pulumi.IntOutput
	// group lets everything out and nothing in.
	group *securityGroup
	// ready are those without which a task cannot start.
	ready []pulumi.Resource
}

// newWorkload declares what a service or a task has by its name, in the order in which AWS needs it.
func newWorkload(ctx *pulumi.Context, name string, args *workloadArgs, parent pulumi.ResourceOption) (*workload, error) {
	settings, family, logGroupName := args.stage.TaskDefinition(name), args.stage.Family(name), args.stage.LogGroup(name)
	tags, account := args.stage.TagsOf(name), args.preflight.Account

	logGroup, err := cloudwatch.NewLogGroup(ctx, name, &cloudwatch.LogGroupArgs{
		Name:            pulumi.String(logGroupName),
		RetentionInDays: pulumi.Int(settings.LogRetention),
		Tags:            pulumi.ToStringMap(tags),
	}, parent)
	if err != nil {
		return nil, err
	}
	secrets, ownSecret, err := newSecretsOf(ctx, name, args.stage, parent)
	if err != nil {
		return nil, err
	}
	own := roles{account, args.stage, name}
	executionRole, executionPolicies, err := own.execution(ctx, ownSecret, parent)
	if err != nil {
		return nil, err
	}
	taskRole, taskPolicies, err := own.task(ctx, parent)
	if err != nil {
		return nil, err
	}
	definition, err := NewTaskDefinition(ctx, name, &TaskDefinitionArgs{
		Family:           family,
		Container:        name,
		Settings:         settings,
		Port:             args.port,
		Exec:             args.exec,
		Images:           args.images,
		Region:           account.Region,
		LogGroup:         logGroupName,
		Secrets:          secrets,
		ExecutionRoleArn: executionRole.Arn,
		TaskRoleArn:      taskRole.Arn,
		Tags:             tags,
	}, parent)
	if err != nil {
		return nil, err
	}
	made := &workload{
		executionRole: executionRole, taskRole: taskRole, revision: definition.Revision,
		ready: slices.Concat([]pulumi.Resource{logGroup}, executionPolicies, taskPolicies),
	}
	pinned := args.preflight.Revisions[name]
	if pinned != "" {
		made.revision = pulumi.Int(args.stage.Services[name].Revision).ToIntOutput()
	}
	made.targetRevision = args.retention.Protect(name, definition, args.images.refs(settings), pinned)
	made.group, err = newSecurityGroup(ctx, name, "tasks of "+family, args.preflight.Network, tags, everywhere, parent)
	return made, err
}
