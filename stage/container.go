package stage

// Container is what any container of a task may have.
type Container struct {
	// EntryPoint replaces the image's `ENTRYPOINT`.
	//
	// Default: none; the image's own
	// Allowed: no empty element
	// Example: entryPoint: ["/app"]
	// Rule: [ECS ContainerDefinition](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html)
	EntryPoint []string `json:"entryPoint"`

	// Command replaces the image's `CMD`.
	//
	// Default: none; the image's own
	// Allowed: no empty element
	// Example: command: ["serve", "--verbose"]
	// Rule: [ECS ContainerDefinition](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html)
	Command []string `json:"command"`

	// Environment holds the container's own variables, over those of the stage. Once loaded it has those of the stage
	// merged in.
	//
	// Allowed: as in `environment` of the stage; no name that the container's `secrets` have
	// Example: environment: {GREETING: "hello"}
	// Rule: [ECS ContainerDefinition](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html)
	Environment map[string]string `json:"environment"`

	// SecretNames names the secrets that the container is given, as variables of the same names.
	//
	// Default: none
	// Allowed: names in `secrets`, each once; none that is a variable of the container or the stage
	// Example: secrets: [DATABASE_URL]
	// Rule: [ECS Secret](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Secret.html)
	SecretNames []string `json:"secrets"`

	// Secrets are those that SecretNames names, by the variable's name.
	Secrets map[string]Secret

	// HealthCheck is a command by which ECS tells whether the container is healthy. A service without a `route` is
	// then known to be up as soon as the command succeeds; without either, ECS waits 40 seconds.
	//
	// Default: none; a container that runs is healthy
	// Example: healthCheck: {command: ["CMD", "/app", "-healthcheck"]}
	// Rule: [ECS HealthCheck](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html)
	HealthCheck *HealthCheck `json:"healthCheck"`

	// StopTimeout is how long the container may take to end after SIGTERM, before it is killed.
	//
	// Example: stopTimeout: 60
	// Rule: [ECS ContainerDefinition](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html)
	StopTimeout int `json:"stopTimeout" default:"20" min:"2" max:"120" unit:"seconds"`

	// DependsOn has the container wait for others of its task, by their names: until they have been started (`START`),
	// are healthy (`HEALTHY`), have ended (`COMPLETE`) or have ended with exit code 0 (`SUCCESS`).
	//
	// Default: none; it starts at once
	// Allowed: `START`, `HEALTHY`, `COMPLETE` or `SUCCESS`
	// Example: dependsOn: {prepare: SUCCESS}
	// Rule: [ECS ContainerDependency](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDependency.html)
	DependsOn map[string]string `json:"dependsOn"`

	// Mounts are the task's volumes that the container sees, by the volume's name. A volume is there for as long as its
	// task, and is shared by the containers that mount it.
	//
	// Default: none
	// Allowed: names as those of containers
	// Example: mounts: {data: {path: /var/data}}
	// Rule: [Bind mounts](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/bind-mounts.html)
	Mounts map[string]Mount `json:"mounts"`

	// ReadonlyRootFilesystem lets the container write to its mounts only.
	//
	// Example: readonlyRootFilesystem: true
	// Rule: [ECS ContainerDefinition](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html)
	ReadonlyRootFilesystem bool `json:"readonlyRootFilesystem" default:"false"`

	// User is who the container's process runs as.
	//
	// Default: none; the image's `USER`
	// Allowed: `user`, `user:group`, `uid`, `uid:gid`, `user:gid`, `uid:group`
	// Example: user: "65532:65532"
	// Rule: [ECS ContainerDefinition](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html)
	User string `json:"user"`

	// Init runs an init process in the container, which passes signals on and reaps what others leave behind.
	//
	// Example: init: true
	// Rule: [ECS LinuxParameters](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LinuxParameters.html)
	Init bool `json:"init" default:"false"`

	// Ulimits are limits of the container's processes, by name.
	//
	// Default: none; those of Fargate
	// Example: ulimits: {nofile: {soft: 65535, hard: 65535}}
	// Rule: [ECS Ulimit](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Ulimit.html)
	Ulimits map[string]Ulimit `json:"ulimits"`
}

// Mount is a volume of the task in one of its containers.
type Mount struct {
	// Path is where the container sees the volume.
	//
	// Default: none; required
	// Allowed: an absolute path
	// Example: path: /var/data
	// Rule: [ECS MountPoint](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_MountPoint.html)
	Path string `json:"path"`

	// ReadOnly keeps the container from writing to the volume.
	//
	// Example: readOnly: true
	// Rule: [ECS MountPoint](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_MountPoint.html)
	ReadOnly bool `json:"readOnly" default:"false"`
}

// Ulimit is one limit of a container's processes.
type Ulimit struct {
	// Soft is the limit that a process starts with, and may raise up to `hard`.
	//
	// Default: none; required
	// Example: soft: 65535
	// Rule: [ECS Ulimit](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Ulimit.html)
	Soft int `json:"soft"`

	// Hard is the limit that no process can raise.
	//
	// Default: none; required
	// Example: hard: 65535
	// Rule: [ECS Ulimit](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Ulimit.html)
	Hard int `json:"hard"`
}

// Sidecar is a container beside a task's main one.
type Sidecar struct {
	// Image is what the container runs: an image of the stage by its name, or any other by its reference.
	//
	// Default: none; required
	// Allowed: a name in `images`, or a reference with a tag or a digest
	// Example: image: public.ecr.aws/docker/library/busybox:1.37
	// Rule: [ECS ContainerDefinition](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html)
	Image string `json:"image"`

	// CPU is the container's share of the task's CPU. The main container has the rest.
	//
	// Example: cpu: 64
	// Rule: [ECS ContainerDefinition](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html)
	CPU int `json:"cpu" default:"32" min:"1" max:"16384" unit:"CPU units"`

	// Memory is the most that the container may use, before it is killed.
	//
	// Default: none; what the task has
	// Example: memory: 128
	// Rule: [ECS ContainerDefinition](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html)
	Memory int `json:"memory" min:"6" max:"122880" unit:"MiB"`

	// Essential ends the task when the container ends. One that others wait for to end is none.
	//
	// Example: essential: false
	// Rule: [ECS ContainerDefinition](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html)
	Essential bool `json:"essential" default:"true"`

	Container
}
