package components

import (
	"errors"
	"strconv"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/stage"
)

const taskDefinitionType = "slipway:components:TaskDefinition"

// TaskDefinitionArgs says what a TaskDefinition is made from.
type TaskDefinitionArgs struct {
	// Family that each change adds a revision to.
	Family string
	// Container is the name of the main container.
	Container string
	// Settings of the service, from the stage file.
	Settings stage.Service
	// Image that the container runs.
	Image *Image
	// Region and LogGroup are where the container's output goes.
	Region, LogGroup string
	// Secrets are where the values of secret variables come from, by variable.
	Secrets pulumi.StringMapOutput
	// ExecutionRoleArn is the role with which ECS starts the task, TaskRoleArn the one that its code has.
	ExecutionRoleArn, TaskRoleArn pulumi.StringInput
	// Tags of the family's revisions. A revision's tags can change; that makes no new one.
	Tags map[string]string
}

// TaskDefinition is the newest revision of a family.
type TaskDefinition struct {
	pulumi.ResourceState

	// Arn of the newest revision.
	Arn pulumi.StringOutput `pulumi:"arn"`
	// Revision is its number.
	Revision pulumi.IntOutput `pulumi:"revision"`
}

// NewTaskDefinition declares a task definition. Every change registers a new revision; the earlier ones stay
// ACTIVE, so that a service can go back to them.
func NewTaskDefinition(ctx *pulumi.Context, name string, args *TaskDefinitionArgs, opts ...pulumi.ResourceOption) (*TaskDefinition, error) {
	component := &TaskDefinition{}
	if err := ctx.RegisterComponentResource(taskDefinitionType, name, component, opts...); err != nil {
		return nil, err
	}
	architecture, err := cpuArchitecture(args.Image.Platform)
	if err != nil {
		return nil, err
	}
	definition, err := ecs.NewTaskDefinition(ctx, name, &ecs.TaskDefinitionArgs{
		Family:                  pulumi.String(args.Family),
		ContainerDefinitions:    pulumi.All(args.Image.Reference, args.Secrets).ApplyT(args.containerDefinitions).(pulumi.StringOutput),
		Cpu:                     pulumi.String(strconv.Itoa(args.Settings.CPU)),
		Memory:                  pulumi.String(strconv.Itoa(args.Settings.Memory)),
		NetworkMode:             pulumi.String("awsvpc"),
		RequiresCompatibilities: pulumi.ToStringArray([]string{"FARGATE"}),
		RuntimePlatform: &ecs.TaskDefinitionRuntimePlatformArgs{
			CpuArchitecture:       pulumi.String(architecture),
			OperatingSystemFamily: pulumi.String("LINUX"),
		},
		ExecutionRoleArn: args.ExecutionRoleArn.ToStringOutput(),
		TaskRoleArn:      args.TaskRoleArn.ToStringOutput(),
		SkipDestroy:      pulumi.Bool(true),
		Tags:             pulumi.ToStringMap(args.Tags),
	}, pulumi.Parent(component))
	if err != nil {
		return nil, err
	}
	component.Arn = definition.Arn
	component.Revision = definition.Revision
	return component, ctx.RegisterResourceOutputs(component, pulumi.Map{"arn": component.Arn, "revision": component.Revision})
}

// containerDefinitions is the JSON of the task's containers, given what is known only once it is there: the image,
// and the references of secrets.
func (args *TaskDefinitionArgs) containerDefinitions(known []any) (string, error) {
	image, secrets := known[0].(string), known[1].(map[string]string)
	main := containerDefinition{
		Name:         args.Container,
		Image:        image,
		CPU:          args.Settings.CPU, // all that the task has
		Essential:    true,
		Command:      args.Settings.Command,
		DockerLabels: args.Image.Labels,
		Environment:  sortedVariables(args.Settings.Environment),
		Secrets:      sortedSecrets(secrets),
		LogConfiguration: logConfiguration{LogDriver: "awslogs", Options: map[string]string{
			"awslogs-group":         args.LogGroup,
			"awslogs-region":        args.Region,
			"awslogs-stream-prefix": args.Container,
		}},
		StopTimeout: args.Settings.StopTimeout,
	}
	if check := args.Settings.HealthCheck; check != nil {
		main.HealthCheck = &healthCheck{check.Command, check.Interval, check.Retries, check.StartPeriod, check.Timeout}
	}
	if args.Settings.Exec { // its sessions leave processes behind, which an init process reaps
		main.LinuxParameters = &linuxParameters{InitProcessEnabled: true}
	}
	if port := args.Settings.Port; port != 0 {
		main.PortMappings = []portMapping{{ContainerPort: port, HostPort: port, Protocol: "tcp"}}
	}
	return encodeContainers([]containerDefinition{main})
}

// cpuArchitecture is what ECS calls an image's platform.
func cpuArchitecture(platform string) (string, error) {
	switch platform {
	case "linux/amd64":
		return "X86_64", nil
	case "linux/arm64":
		return "ARM64", nil
	}
	return "", errors.New("platform: " + platform + " does not run on Fargate: use linux/amd64 or linux/arm64")
}
