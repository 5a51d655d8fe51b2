package components

import (
	"errors"
	"maps"
	"slices"
	"strconv"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/internal/awslimits"
	"slipway/internal/origins"
	"slipway/stage"
)

const taskDefinitionType = "slipway:components:TaskDefinition"

// taskDefinitionArgs says what a TaskDefinition is made from.
type taskDefinitionArgs struct {
	// Family that each change adds a revision to.
	Family string
	// Container is the name of the main container.
	Container string
	// Settings of the service or the task, from the stage file.
	Settings stage.TaskDefinition
	// Port is the TCP port that the main container listens on; 0 for none. PortName and AppProtocol are what Service
	// Connect knows of it, where it has a name.
	Port                  int
	PortName, AppProtocol string
	// NetworkMode is that of its tasks: awsvpc for a network of their own.
	NetworkMode string
	// OnInstances tells whether its tasks run on EC2 instances, and not on Fargate.
	OnInstances bool
	// Exec prepares the main container for sessions of ECS Exec.
	Exec bool
	// Images are the stage's, by name.
	Images stageImages
	// PullCredentials are the ARNs of the secrets with which images are pulled, by image as the settings name it.
	PullCredentials map[string]string
	// Region and LogGroup are where the containers' output goes.
	Region, LogGroup string
	// Secrets are where the values of secret variables come from, by variable.
	Secrets pulumi.StringMapOutput
	// Handovers are those that its containers use.
	Handovers Handovers
	// ExecutionRoleArn is the role with which ECS starts the task, TaskRoleArn the one that its code has.
	ExecutionRoleArn, TaskRoleArn pulumi.StringInput
	// Tags of the family's revisions. A revision's tags can change; that makes no new one.
	Tags map[string]string
}

// familyRevision is the newest revision of a family.
type familyRevision struct {
	pulumi.ResourceState

	// Arn of the newest revision.
	Arn pulumi.StringOutput `pulumi:"arn"`
	// Revision is its number.
	Revision pulumi.IntOutput `pulumi:"revision"`
}

// newTaskDefinition declares a task definition. Every change registers a new revision; the earlier ones stay
// ACTIVE, so that a service can go back to them.
func newTaskDefinition(ctx *pulumi.Context, name string, args *taskDefinitionArgs,
	opts ...pulumi.ResourceOption) (*familyRevision, error) {
	component := &familyRevision{}
	if err := ctx.RegisterComponentResource(taskDefinitionType, name, component, opts...); err != nil {
		return nil, err
	}
	architecture, err := cpuArchitecture(args.Images[args.Settings.Image].Platform)
	if err != nil {
		return nil, err
	}
	definition, err := ecs.NewTaskDefinition(ctx, name, &ecs.TaskDefinitionArgs{
		Family: pulumi.String(args.Family),
		ContainerDefinitions: pulumi.All(args.references(), args.Secrets, args.Handovers.environment(),
			args.Handovers.secrets()).ApplyT(func(known []any) (string, error) {
			return args.containerDefinitions(resolved{known[0].(map[string]string), known[1].(map[string]string),
				known[2].(map[string]map[string]string), known[3].(map[string]map[string]string)})
		}).(pulumi.StringOutput),
		Cpu:                     pulumi.String(strconv.Itoa(args.Settings.CPU)),
		Memory:                  pulumi.String(strconv.Itoa(args.Settings.Memory)),
		NetworkMode:             pulumi.String(args.NetworkMode),
		RequiresCompatibilities: pulumi.ToStringArray([]string{compatibility(args.OnInstances)}),
		RuntimePlatform: &ecs.TaskDefinitionRuntimePlatformArgs{
			CpuArchitecture:       pulumi.String(architecture),
			OperatingSystemFamily: pulumi.String("LINUX"),
		},
		ExecutionRoleArn: args.ExecutionRoleArn.ToStringOutput(),
		TaskRoleArn:      args.TaskRoleArn.ToStringOutput(),
		Volumes:          volumes(args.Settings),
		EphemeralStorage: ephemeralStorage(args.Settings.EphemeralStorage),
		PidMode:          optionalString(args.Settings.PIDMode),
		SkipDestroy:      pulumi.Bool(true),
		Tags:             pulumi.ToStringMap(args.Tags),
	}, pulumi.Parent(component))
	if err != nil {
		return nil, err
	}
	component.Arn = definition.Arn
	component.Revision = definition.Revision
	return component, ctx.RegisterResourceOutputs(component, pulumi.Map{"arn": component.Arn,
		"revision": component.Revision})
}

// compatibility is what tasks run on.
func compatibility(onInstances bool) string {
	if onInstances {
		return awslimits.EC2
	}
	return awslimits.Fargate
}

// references are what the containers' images are called in container definitions, by the image's name in the stage
// file.
func (args *taskDefinitionArgs) references() pulumi.StringMapOutput {
	references := pulumi.StringMap{}
	for _, image := range args.Settings.AllImages() {
		reference, _ := byDigest(image)
		references[image] = pulumi.String(reference)
		if own := args.Images[image]; own != nil {
			references[image] = own.Reference
		}
	}
	return references.ToStringMapOutput()
}

// resolved is what is known of a task's containers only once other resources are there.
type resolved struct {
	// images are the references of images by name, secrets those of secrets by variable.
	images, secrets map[string]string
	// environment and handedSecrets are what is handed over, by the hand-over's name and variable.
	environment, handedSecrets map[string]map[string]string
}

// containerDefinitions is the JSON of the task's containers, given what is known only once it is there.
func (args *taskDefinitionArgs) containerDefinitions(values resolved) (string, error) {
	main := args.container(args.Container, args.Settings.Image, args.Settings.Container, values)
	main.CPU, main.Essential = args.Settings.MainCPU(), true
	// Sessions of ECS Exec leave processes behind, which an init process reaps.
	main.LinuxParameters = newLinuxParameters(args.Settings.Container, args.Settings.Init || args.Exec)
	if args.Port != 0 {
		port := newPortMapping(args.Port, "tcp")
		port.Name, port.AppProtocol = args.PortName, args.AppProtocol
		main.PortMappings = slices.Concat([]portMapping{port}, main.PortMappings)
	}
	containers := []containerDefinition{main}
	for name, sidecar := range args.Settings.Containers {
		beside := args.container(name, sidecar.Image, sidecar.Container, values)
		beside.CPU, beside.Memory, beside.Essential = sidecar.CPU, sidecar.Memory, sidecar.Essential
		beside.MemoryReserved = sidecar.MemoryReservation
		beside.setFireLens(sidecar.FireLens)
		containers = append(containers, beside)
	}
	return encodeContainers(containers)
}

// container is what any container of the task has.
func (args *taskDefinitionArgs) container(name, image string, settings stage.Container,
	values resolved) containerDefinition {
	environment, secrets, from := values.variables(settings)
	container := containerDefinition{
		Name:       name,
		Image:      values.images[image],
		EntryPoint: settings.EntryPoint,
		Command:    settings.Command,
		DependsOn: inOrder(settings.DependsOn, func(name, condition string) dependency {
			return dependency{condition, name}
		}),
		Environment: inOrder(environment, func(name, value string) keyValue { return keyValue{name, value} }),
		Secrets:     inOrder(secrets, func(name, reference string) secret { return secret{name, reference} }),
		MountPoints: inOrder(settings.Mounts, func(volume string, m stage.Mount) mountPoint {
			return mountPoint{m.Path, m.ReadOnly, volume}
		}),
		PortMappings: furtherPorts(settings),
		ReadonlyRoot: settings.ReadonlyRootFilesystem,
		User:         settings.User,
		Ulimits: inOrder(settings.Ulimits, func(name string, u stage.Ulimit) ulimit {
			return ulimit{u.Hard, name, u.Soft}
		}),
		LogConfiguration: args.logConfiguration(name, settings, values.secrets),
		StartTimeout:     settings.StartTimeout,
		StopTimeout:      settings.StopTimeout,
		SystemControls: inOrder(settings.SystemControls,
			func(name, value string) systemControl { return systemControl{name, value} }),
		WorkingDir:      settings.WorkingDirectory,
		LinuxParameters: newLinuxParameters(settings, settings.Init),
	}
	if own := args.Images[image]; own != nil {
		container.DockerLabels = own.Labels
	} else {
		_, container.DockerLabels = byDigest(image)
	}
	container.DockerLabels = labelsOf(settings, from.LabelsWith(container.DockerLabels))
	if secret := args.PullCredentials[image]; secret != "" {
		container.PullCredentials = &repositoryCredentials{secret}
	}
	if check := settings.HealthCheck; check != nil {
		container.HealthCheck = &healthCheck{check.Command, check.Interval, check.Retries, check.StartPeriod, check.Timeout}
	}
	return container
}

func newPortMapping(port int, protocol string) portMapping {
	return portMapping{ContainerPort: port, HostPort: port, Protocol: protocol}
}

// furtherPorts are those of a container beside the service's.
func furtherPorts(settings stage.Container) (mappings []portMapping) {
	for _, port := range settings.SortedPorts() {
		mappings = append(mappings, newPortMapping(port.Port, port.Protocol))
	}
	return mappings
}

// newLinuxParameters are those of a container, nil for none.
func newLinuxParameters(settings stage.Container, init bool) *linuxParameters {
	parameters := &linuxParameters{InitProcessEnabled: init}
	if c := settings.Capabilities; c != nil && len(c.Add)+len(c.Drop) > 0 {
		parameters.Capabilities = &capabilities{Add: c.Add, Drop: c.Drop}
	}
	if *parameters == (linuxParameters{}) {
		return nil
	}
	return parameters
}

// labelsOf are a container's docker labels: those of the stage file, and those that say what it runs.
func labelsOf(settings stage.Container, own map[string]string) map[string]string {
	if len(settings.DockerLabels) == 0 {
		return own
	}
	labels := maps.Clone(settings.DockerLabels)
	maps.Copy(labels, own)
	return labels
}

// variables are a container's plain variables with their values, its secret ones with their references, and where those
// come from that the stage file does not have.
func (r resolved) variables(settings stage.Container) (environment, secrets map[string]string, from origins.Origins) {
	environment, secrets, from = map[string]string{}, map[string]string{}, origins.Origins{}
	maps.Copy(environment, settings.Environment)
	maps.Copy(from, settings.Origins)
	for name := range settings.Secrets {
		secrets[name] = r.secrets[name]
	}
	for _, used := range settings.Uses {
		for variable, value := range r.environment[used] {
			environment[variable], from[variable] = value, origins.HandOver(used)
		}
		for variable, reference := range r.handedSecrets[used] {
			secrets[variable], from[variable] = reference, origins.HandOver(used)
		}
	}
	return environment, secrets, from
}

// ephemeralStorage is the disk of a task; nil for what each has.
func ephemeralStorage(gib int) ecs.TaskDefinitionEphemeralStoragePtrInput {
	if gib == 0 {
		return nil
	}
	return &ecs.TaskDefinitionEphemeralStorageArgs{SizeInGib: pulumi.Int(gib)}
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
