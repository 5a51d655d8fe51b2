package components

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/stage"
)

const taskType = "slipway:components:Task"

// TaskArgs says what a Task is made from.
type TaskArgs struct {
	// Preflight found what it is made in.
	Preflight *Preflight
	// Stage that the task belongs to, with its settings and the names of everything.
	Stage *stage.Stage
	// Cluster that it runs in.
	Cluster *Cluster
	// Images of the stage, which its containers run.
	Images Images
	// Retention keeps the images of its revisions.
	Retention *Retention
	// Services of the stage by name, none deployed yet: those that the task runs before wait for it.
	Services map[string]*Service
}

// Task is what can run once: by hand, on its schedule, or before a deployment.
type Task struct {
	pulumi.ResourceState

	// TaskDefinition is the ARN of the revision to run.
	TaskDefinition pulumi.StringOutput `pulumi:"taskDefinition"`
	// Summary is what the stack's outputs say of the task: family, revision, taskDefinition (ARN of the revision), container
	// (the main one's name), cluster, logGroup, subnets, securityGroups, assignPublicIp, run (the command of the AWS CLI that
	// runs it), and where it has one its schedule's name.
	Summary pulumi.Map
}

// NewTask declares a task with everything that is its alone. It starts nothing but what runs before a deployment.
func NewTask(ctx *pulumi.Context, name string, args *TaskArgs, opts ...pulumi.ResourceOption) (*Task, error) {
	component := &Task{}
	if err := ctx.RegisterComponentResource(taskType, name, component, opts...); err != nil {
		return nil, err
	}
	parent := pulumi.Parent(component)
	settings, account, network := args.Stage.Tasks[name], args.Preflight.Account, args.Preflight.Network
	workload, err := newWorkload(ctx, name, &workloadArgs{
		preflight: args.Preflight, stage: args.Stage, images: args.Images, retention: args.Retention,
	}, parent)
	if err != nil {
		return nil, err
	}
	securityGroups := pulumi.StringArray{workload.group.ID().ToStringOutput()}
	component.TaskDefinition = workload.targetRevision
	component.Summary = pulumi.Map{
		"family":         pulumi.String(args.Stage.Family(name)),
		"revision":       workload.revision,
		"taskDefinition": workload.targetRevision,
		"container":      pulumi.String(name),
		"cluster":        args.Cluster.Name,
		"logGroup":       pulumi.String(args.Stage.LogGroup(name)),
		"subnets":        pulumi.ToStringArray(network.Subnets),
		"securityGroups": securityGroups,
		"assignPublicIp": pulumi.Bool(network.AssignPublicIP),
		"run": pulumi.All(args.Cluster.Name, workload.revision, securityGroups).ApplyT(func(known []any) string {
			revision := fmt.Sprintf("%s:%d", args.Stage.Family(name), known[1])
			return runCommand(account.Region, known[0].(string), revision, network, known[2].([]string))
		}),
	}
	if settings.Schedule != nil {
		schedule, err := NewSchedule(ctx, name, &ScheduleArgs{
			Account: account, Stage: args.Stage, Cluster: args.Cluster, Network: network, workload: workload,
		}, parent)
		if err != nil {
			return nil, err
		}
		component.Summary["schedule"] = schedule.Name
	}
	if len(settings.Before) > 0 {
		predeploy := &predeploy{ctx: ctx, account: account, component: component, key: args.Stage.Key(name), services: settings.Before,
			timeout: settings.TimeLimit()}
		if err := predeploy.declare(name, component.Summary, workload.ready, args.Services, parent); err != nil {
			return nil, err
		}
	}
	return component, ctx.RegisterResourceOutputs(component, pulumi.Map{"taskDefinition": component.TaskDefinition})
}

// runCommand is the command of the AWS CLI that runs a revision once. Only its network has what a shell would read: the
// rest is made of letters, digits, - _ and :
func runCommand(region, cluster, revision string, network *Network, securityGroups []string) string {
	address := "DISABLED"
	if network.AssignPublicIP {
		address = "ENABLED"
	}
	return fmt.Sprintf("aws ecs run-task --region %s --cluster %s --launch-type FARGATE --task-definition %s "+
		"--network-configuration 'awsvpcConfiguration={subnets=[%s],securityGroups=[%s],assignPublicIp=%s}' --propagate-tags TASK_DEFINITION",
		region, cluster, revision, strings.Join(network.Subnets, ","), strings.Join(securityGroups, ","), address)
}
