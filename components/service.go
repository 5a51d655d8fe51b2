package components

import (
	"net/netip"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/stage"
)

const serviceType = "slipway:components:Service"

// logRetentionDays is how long a service's log is kept.
const logRetentionDays = 30

// ServiceArgs says what a Service is made from.
type ServiceArgs struct {
	// Account that everything is made in.
	Account *Account
	// Stage that the service belongs to, with its settings and the names of everything.
	Stage *stage.Stage
	// Cluster that the service belongs to.
	Cluster *Cluster
	// Network that its tasks run in.
	Network *Network
	// Image of its main container.
	Image *Image
	// PinnedArn is the revision that the service is pinned to; empty to follow the newest.
	PinnedArn string
	// Rollouts watches the deployment.
	Rollouts *Rollouts
}

// Service keeps a number of replicas of one task definition running.
type Service struct {
	pulumi.ResourceState

	// Arn of the ECS service.
	Arn pulumi.StringOutput `pulumi:"arn"`
	// TaskDefinition is the ARN of the revision that serves. In an update it is known only once the service is
	// steady on it.
	TaskDefinition pulumi.StringOutput `pulumi:"taskDefinition"`
	// Summary is what the stack's outputs say of the service: family, revision, taskDefinition (ARN of the
	// revision), replicas, logGroup, service (ARN), and whether it is pinned to an earlier revision.
	Summary pulumi.Map
}

// NewService declares a replica service with everything that is its alone: log group, roles, security group and
// task definition.
func NewService(ctx *pulumi.Context, name string, args *ServiceArgs, opts ...pulumi.ResourceOption) (*Service, error) {
	component := &Service{}
	if err := ctx.RegisterComponentResource(serviceType, name, component, opts...); err != nil {
		return nil, err
	}
	parent := pulumi.Parent(component)
	settings, family, logGroupName := args.Stage.Services[name], args.Stage.Family(name), args.Stage.LogGroup(name)

	logGroup, err := cloudwatch.NewLogGroup(ctx, name, &cloudwatch.LogGroupArgs{
		Name:            pulumi.String(logGroupName),
		RetentionInDays: pulumi.Int(logRetentionDays),
	}, parent)
	if err != nil {
		return nil, err
	}
	executionRole, err := newTaskRole(ctx, name+"-execution", args.Stage.ExecutionRole(name), args.Account, parent)
	if err != nil {
		return nil, err
	}
	permissions, err := executionPolicy(args.Account, args.Image.RepositoryArn, logGroupName, settings.Secrets)
	if err != nil {
		return nil, err
	}
	executionRolePolicy, err := iam.NewRolePolicy(ctx, name+"-execution", &iam.RolePolicyArgs{
		Name:   pulumi.String("execution"),
		Role:   executionRole.Name,
		Policy: pulumi.String(permissions),
	}, parent)
	if err != nil {
		return nil, err
	}
	taskRole, err := newTaskRole(ctx, name+"-task", args.Stage.TaskRole(name), args.Account, parent)
	if err != nil {
		return nil, err
	}
	definition, err := NewTaskDefinition(ctx, name, &TaskDefinitionArgs{
		Family:           family,
		Container:        name,
		Settings:         settings,
		Image:            args.Image,
		Region:           args.Account.Region,
		LogGroup:         logGroupName,
		ExecutionRoleArn: executionRole.Arn,
		TaskRoleArn:      taskRole.Arn,
	}, parent)
	if err != nil {
		return nil, err
	}
	wanted, revision := definition.Arn, definition.Revision
	if args.PinnedArn != "" {
		wanted = pulumi.String(args.PinnedArn).ToStringOutput()
		revision = pulumi.Int(settings.Revision).ToIntOutput()
	}
	securityGroup, rules, err := newSecurityGroup(ctx, name, "tasks of "+family, args.Network,
		settings.Port, settings.AllowFrom, parent)
	if err != nil {
		return nil, err
	}

	key := "services." + name
	hooks, err := args.Rollouts.Hooks(key, args.Account.ARN("ecs", "service/"+args.Stage.Cluster()+"/"+name), component)
	if err != nil {
		return nil, err
	}
	service, err := ecs.NewService(ctx, name, &ecs.ServiceArgs{
		Name:               pulumi.String(name),
		Cluster:            args.Cluster.Arn,
		TaskDefinition:     wanted,
		DesiredCount:       pulumi.Int(settings.Replicas),
		LaunchType:         pulumi.String("FARGATE"),
		SchedulingStrategy: pulumi.String("REPLICA"),
		NetworkConfiguration: &ecs.ServiceNetworkConfigurationArgs{
			Subnets:        pulumi.ToStringArray(args.Network.Subnets),
			SecurityGroups: pulumi.StringArray{securityGroup.ID().ToStringOutput()},
			AssignPublicIp: pulumi.Bool(args.Network.AssignPublicIP),
		},
		DeploymentCircuitBreaker: &ecs.ServiceDeploymentCircuitBreakerArgs{
			Enable:   pulumi.Bool(true),
			Rollback: pulumi.Bool(true),
		},
		DeploymentMinimumHealthyPercent: pulumi.Int(100),
		DeploymentMaximumPercent:        pulumi.Int(200),
		PropagateTags:                   pulumi.String("SERVICE"),
		EnableExecuteCommand:            pulumi.Bool(false),
		// The provider calls a rolled-back deployment a success, and waits long for a failed one: see Rollouts.
		WaitForSteadyState: pulumi.Bool(false),
	}, parent, pulumi.ResourceHooks(hooks),
		// Its name is taken until it is gone. The provider says so for a changed input, but not where a user asks for
		// a replacement: then ECS would answer the creation with the service that is deleted next.
		pulumi.DeleteBeforeReplace(true),
		// Without them the first tasks cannot start, and a first deployment has nothing to roll back to.
		pulumi.DependsOn(append(rules, logGroup, executionRolePolicy)))
	if err != nil {
		return nil, err
	}

	component.Arn = service.ID().ToStringOutput()
	component.TaskDefinition = args.Rollouts.Watch(key, service, wanted, logGroupName)
	component.Summary = pulumi.Map{
		"family":         pulumi.String(family),
		"revision":       revision,
		"taskDefinition": component.TaskDefinition,
		"replicas":       pulumi.Int(settings.Replicas),
		"logGroup":       pulumi.String(logGroupName),
		"service":        component.Arn,
		"pinned":         pulumi.Bool(args.PinnedArn != ""),
	}
	return component, ctx.RegisterResourceOutputs(component, pulumi.Map{
		"arn": component.Arn, "taskDefinition": component.TaskDefinition,
	})
}

func isIPv6(prefix string) bool {
	parsed, err := netip.ParsePrefix(prefix)
	return err == nil && parsed.Addr().Is6()
}
