package stage

import (
	"fmt"
	"maps"
	"slices"

	"slipway/internal/awslimits"
)

// TaskDefinition is what the tasks of a service, and a task that runs once, are made from: a main container, named
// after the service or the task, and containers beside it.
type TaskDefinition struct {
	// Image is the image that the main container runs.
	//
	// Default: none; required
	// Allowed: a name in `images`; several services may run the same
	// Example: image: web
	// Rule: [ECS ContainerDefinition](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html)
	Image string `json:"image"`

	// CPU is each task's share of CPU. 1024 CPU units are one vCPU.
	//
	// Allowed: the sizes [below](#task-sizes)
	// Example: cpu: 512
	// Rule: [Fargate task sizes](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html)
	CPU int `json:"cpu" default:"256" unit:"CPU units"`

	// Memory is each task's memory.
	//
	// Allowed: what goes with `cpu`, [below](#task-sizes)
	// Example: memory: 1024
	// Rule: [Fargate task sizes](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html)
	Memory int `json:"memory" default:"512" unit:"MiB"`

	// EphemeralStorage is the disk that a task has for its containers' images, files and volumes, as long as it is there.
	// AWS charges what is more than the 20 GiB that each task has: about 0.08 $ a month for each GiB of a task that always
	// runs. Not for files that must outlive the task: those go into `volumes` or a bucket.
	//
	// Default: none; the 20 GiB of each task
	// Example: ephemeralStorage: 50
	// Rule: [Fargate ephemeral storage](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-storage.html)
	EphemeralStorage int `json:"ephemeralStorage" min:"21" max:"200" unit:"GiB"`

	// PIDMode has the containers of a task see each other's processes. An agent beside the application needs it where it
	// watches that from outside; it can also end its processes and read its memory and variables.
	//
	// Default: none; each container sees its own processes
	// Example: pidMode: task
	// Rule: [ECS TaskDefinition](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskDefinition.html)
	PIDMode string `json:"pidMode" enum:"task"`

	Container

	// Containers are those beside the main one, by name. They start and stop with it, and share its network: they reach
	// each other on localhost.
	//
	// Allowed: at most 9; names of letters, digits, `-` and `_`, and not the main container's
	// Example: containers: {prepare: {image: web, command: ["-prepare"], essential: false}}
	// Rule: [ECS TaskDefinition](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskDefinition.html)
	Containers map[string]Sidecar `json:"containers"`

	// Volumes say what those of the task's volumes are whose files outlive it, by name. Containers mount them with
	// `mounts`.
	//
	// Default: none; each volume that a container mounts is the task's own
	// Allowed: volumes that a container mounts
	// Example: volumes: {data: {efs: {id: fs-0123456789abcdef0}}}
	// Rule: [ECS Volume](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Volume.html)
	Volumes map[string]Volume `json:"volumes"`

	// LogRetention is how long the containers' log is kept.
	//
	// Example: logRetention: 90
	// Rule: [CloudWatch Logs PutRetentionPolicy](https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html)
	LogRetention int `json:"logRetention" default:"30" enum:"1,3,5,7,14,30,60,90,120,150,180,365,400,545,731,1096,1827,2192,2557,2922,3288,3653" unit:"days"`

	// Permissions are what the containers' own code may do in AWS: the statements of the task role.
	//
	// Default: none; nothing
	// Example: permissions: [{actions: ["s3:GetObject"], resources: ["arn:aws:s3:::shop-uploads/*"]}]
	// Rule: [Task role](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html)
	Permissions []Permission `json:"permissions"`
}

// checkTaskDefinition checks what services and tasks have in common.
func (c *checker) checkTaskDefinition(here place, name string, definition TaskDefinition) {
	c.checkName(here, name)
	c.checkMainImage(here.at("image"), definition.Image)
	if c.document.Services[name].Daemon && !here.at("daemon").bad {
		checkDaemonSize(here, definition.CPU, definition.Memory)
	} else {
		checkSize(here, definition.CPU, definition.Memory)
	}
	c.checkContainer(here, definition.Container)
	c.checkContainers(here, name, definition)
	c.checkDependencies(here, name, definition)
	c.checkFireLens(here, name, definition)
	checkVolumes(here.at("volumes"), definition)
	checkSharedControls(here, name, definition.AllContainers(name))
	c.checkSecretSize(here, definition)
	c.checkPermissions(here.at("permissions"), name, definition.Permissions)
}

func (c *checker) checkMainImage(here place, image string) {
	images := c.at("images")
	declared := slices.Sorted(maps.Keys(c.document.Images))
	switch {
	case images.bad || slices.Contains(declared, image):
	case len(declared) == 0:
		if !here.bad {
			images.fail("no image is declared yet; %s", c.firstImage())
		}
	case !here.present:
		here.fail("is missing; name one of the declared images: %s", enumerate(declared))
	default:
		here.fail("names %q, which is not declared; declare images.%s, or name one of: %s",
			image, image, enumerate(declared))
	}
}

// firstImage says how a stage without images comes by one. It is the same for every service, and so told once.
func (c *checker) firstImage() string {
	from, hint := "FROM", ", where FROM is the stage whose images it should run"
	switch stages := stagesThatBuild(c.in); len(stages) {
	case 0:
	case 1:
		from, hint = stages[0], ""
	default:
		hint = ", where FROM is one of: " + enumerate(stages)
	}
	return fmt.Sprintf(`run "slipway promote %s %s" to pin the images that another stage runs%s, `+
		"or build them here: write images.<name>.build.context", from, c.in.Stage, hint)
}

func checkSize(here place, cpu, memory int) {
	cpuAt, memoryAt := here.at("cpu"), here.at("memory")
	if cpuAt.bad || memoryAt.bad {
		return
	}
	size := awslimits.FindTaskSize(cpu)
	switch {
	case size == nil:
		cpuAt.fail("%d CPU units are not a size of Fargate; allowed: %s (1024 are one vCPU)", cpu, awslimits.CPUInWords())
	case slices.Contains(size.Memory, memory):
	case memoryAt.present && (cpuAt.inherited() || !memoryAt.inherited()):
		memoryAt.fail("%d MiB does not go with cpu %d; allowed: %s", memory, cpu, size.MemoryInWords())
	default:
		cpuAt.fail("%d does not go with the default memory of %d MiB; write memory, allowed: %s",
			cpu, memory, size.MemoryInWords())
	}
}

// AllContainers are the containers of a task by name, with the main one under the name given.
//
// Example: AllContainers("web") has the keys web and proxy where containers has proxy
func (d TaskDefinition) AllContainers(main string) map[string]Container {
	containers := map[string]Container{main: d.Container}
	for name, sidecar := range d.Containers {
		containers[name] = sidecar.Container
	}
	return containers
}

// AllImages are what the containers of a task run, the main one first: names in the stage's images, or references.
//
// Example: AllImages() is [web nginx:1.29@sha256:…]
func (d TaskDefinition) AllImages() []string {
	images := []string{d.Image}
	for _, name := range slices.Sorted(maps.Keys(d.Containers)) {
		images = append(images, d.Containers[name].Image)
	}
	return images
}

// AllSecrets are the secrets that any container of a task is given, by variable, and those of their logs, by
// name.
//
// Example: AllSecrets() has the key DATABASE_URL where a container names that secret
func (d TaskDefinition) AllSecrets() map[string]Secret {
	secrets := map[string]Secret{}
	for _, container := range d.AllContainers("") {
		maps.Copy(secrets, container.Secrets)
		if logs := container.Logs; logs != nil {
			for option, name := range logs.SecretNames {
				secrets[name] = logs.Secrets[option]
			}
		}
	}
	return secrets
}

// MainCPU is the main container's share of the task's CPU: what the others leave.
//
// Example: MainCPU() is 192 where the task has cpu: 256, and containers has one with cpu: 64
func (d TaskDefinition) MainCPU() int {
	left := d.CPU
	for _, sidecar := range d.Containers {
		left -= sidecar.CPU
	}
	return left
}

// MountedVolumes are the names of the volumes that containers of a task mount, sorted.
//
// Example: MountedVolumes() is [data] where a container has mounts: {data: {path: /data}}
func (d TaskDefinition) MountedVolumes() []string {
	volumes := map[string]bool{}
	for _, container := range d.AllContainers("") {
		for volume := range container.Mounts {
			volumes[volume] = true
		}
	}
	return slices.Sorted(maps.Keys(volumes))
}
