package stage

import (
	"maps"
	"path"
	"regexp"
	"slices"

	"slipway/internal/origins"
)

// Container is what any container of a task may have.
//
// Rule: [ECS ContainerDefinition](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html)
type Container struct {
	// EntryPoint replaces the image's `ENTRYPOINT`.
	//
	// Default: none; the image's own
	// Allowed: no empty element
	// Example: entryPoint: ["/app"]
	EntryPoint []string `json:"entryPoint" braces:"shell"`

	// Command replaces the image's `CMD`.
	//
	// Default: none; the image's own
	// Allowed: no empty element
	// Example: command: ["serve", "--verbose"]
	Command []string `json:"command" braces:"shell"`

	// WorkingDirectory replaces the image's `WORKDIR`.
	//
	// Default: none; the image's own
	// Allowed: an absolute path, in its shortest form
	// Example: workingDirectory: /srv
	WorkingDirectory string `json:"workingDirectory"`

	// Environment holds the container's own variables, over those of the stage. Once loaded it has those of the stage
	// merged in.
	//
	// Allowed: as in `environment` of the stage; no name that the container's `secrets` have
	// Example: environment: {GREETING: "hello"}
	Environment map[string]string `json:"environment" outputs:"text"`

	// SecretNames names the secrets that the container is given, as variables of the same names.
	//
	// Allowed: names in `secrets`, each once; none that is a variable of the container or the stage
	// Example: secrets: [DATABASE_URL]
	// Rule: [ECS Secret](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Secret.html)
	SecretNames []string `json:"secrets"`

	// Secrets are those that SecretNames names, by the variable's name.
	//
	// Example: Secrets["DATABASE_URL"].ARN is where it is kept
	Secrets map[string]Secret

	// Origins say which of the variables, secret ones among them, the stage file has no values of.
	//
	// Example: Origins["DATABASE_HOST"] is "output databaseHost of network/dev"
	Origins origins.Origins `json:"-"`

	// Uses names what the team's own program hands over to the container: variables, secrets and permissions of a
	// queue, a database or any other resource that stands beside the stage
	// ([how](operations.md#-use-a-queue-or-a-database-of-my-own)).
	//
	// Default: none
	// Allowed: names of the program's hand-overs, each once. No two may set one variable, nor one that the container or
	// the stage has
	// Example: uses: [queue, database]
	Uses []string `json:"uses"`

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
	StopTimeout int `json:"stopTimeout" default:"20" min:"2" max:"120" unit:"seconds"`

	// StartTimeout is how long others that wait for the container by `dependsOn` do so, before ECS gives up and stops the
	// task.
	//
	// Default: none; 3 minutes
	// Example: startTimeout: 60
	StartTimeout int `json:"startTimeout" min:"2" max:"120" unit:"seconds"`

	// DependsOn has the container wait for others of its task, by their names: until they have been started (`START`), are
	// healthy (`HEALTHY`), have ended (`COMPLETE`) or have ended with exit code 0 (`SUCCESS`). After 3 minutes, or the
	// `startTimeout` of what it waits for, ECS gives up, and the task stops.
	//
	// Default: none; it starts at once
	// Allowed: `START`; `HEALTHY`, where the other has a `healthCheck`; `COMPLETE` and `SUCCESS`, where it is not
	// `essential`. No circle of containers that wait for each other
	// Example: dependsOn: {prepare: SUCCESS}
	// Rule: [ECS ContainerDependency](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDependency.html)
	DependsOn map[string]string `json:"dependsOn"`

	// Ports are those that the container listens on, beside the service's `port`: for metrics, or of a container beside
	// the main one. No load balancer sends requests there, and nobody reaches them but the task's own containers, until
	// their `allowFrom` says who does.
	//
	// Default: none
	// Example: ports: [{port: 9090, allowFrom: ["10.0.0.0/8"]}, {port: 8125, protocol: udp}]
	Ports []Port `json:"ports"`

	// Mounts are the task's volumes that the container sees, by the volume's name. A volume is there for as long as its
	// task, unless `volumes` says otherwise, and is shared by the containers that mount it. It is empty at first, whatever
	// the image has there; only where the Dockerfile says VOLUME at that very path, it begins with what the image has.
	//
	// Allowed: names of letters, digits, `-` and `_`; each at a path of its own
	// Example: mounts: {data: {path: /var/data}}
	// Rule: [Bind mounts](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/bind-mounts.html)
	Mounts map[string]Mount `json:"mounts"`

	// ReadonlyRootFilesystem lets the container write to its mounts only.
	//
	// Allowed: `true`, `false`; not `true` for a service's main container with `exec`, whose sessions write files
	// Example: readonlyRootFilesystem: true
	ReadonlyRootFilesystem bool `json:"readonlyRootFilesystem" default:"false"`

	// User is who the container's process runs as.
	//
	// Default: none; the image's `USER`
	// Allowed: `user`, `user:group`, `uid`, `uid:gid`, `user:gid`, `uid:group`
	// Example: user: "65532:65532"
	User string `json:"user"`

	// Init runs an init process in the container, which passes signals on and reaps what others leave behind.
	//
	// Example: init: true
	// Rule: [ECS LinuxParameters](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LinuxParameters.html)
	Init bool `json:"init" default:"false"`

	// Ulimits are limits of the container's processes, by name.
	//
	// Default: none; those of Fargate
	// Allowed: `core`, `cpu`, `data`, `fsize`, `locks`, `memlock`, `msgqueue`, `nice`, `nofile`, `nproc`, `rss`,
	// `rtprio`, `rttime`, `sigpending`, `stack`
	// Example: ulimits: {nofile: {soft: 65535, hard: 65535}}
	// Rule: [ECS Ulimit](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Ulimit.html)
	Ulimits map[string]Ulimit `json:"ulimits"`

	// Capabilities are the Linux capabilities that the container's processes have more, or less, than Docker gives them.
	//
	// Default: none; those of Docker
	// Example: capabilities: {drop: [ALL]}
	Capabilities *Capabilities `json:"capabilities"`

	// Logs are where the container's output goes, each container's by itself. The log group costs about 0.50 $ for each
	// GB that is written to it; what another place costs, its owner says. Not needed for the log group, which each
	// container has without it.
	//
	// Default: none; the log group of the service or the task
	// Example: logs: {options: {mode: non-blocking, max-buffer-size: 25m}}
	// Rule: [ECS LogConfiguration](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LogConfiguration.html)
	Logs *Logs `json:"logs"`

	// SystemControls are kernel parameters (`sysctl`), by name. Those of `net.` are the task's, whose containers share one
	// network: one container sets them for all. Some that ECS takes do not exist on Fargate (`net.core.rmem_max`): then
	// the container does not start.
	//
	// Default: none; those of Fargate
	// Allowed: `net.*` and `fs.mqueue.*`, `kernel.msgmax`, `kernel.msgmnb`, `kernel.msgmni`, `kernel.sem`,
	// `kernel.shmall`, `kernel.shmmax`, `kernel.shmmni`, `kernel.shm_rmid_forced`; not two values of one of `net.*` in a
	// task
	// Example: systemControls: {net.core.somaxconn: "1024"}
	// Rule: [ECS SystemControl](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_SystemControl.html)
	SystemControls map[string]string `json:"systemControls"`

	// DockerLabels are labels of the container, by name, for tools that look for their own: an agent that collects logs or
	// metrics. Tags (`tags`) are what AWS's own tools go by.
	//
	// Default: none
	// Allowed: names that begin with neither `slipway.` nor `com.amazonaws.ecs.`
	// Example: dockerLabels: {com.datadoghq.tags.service: shop}
	DockerLabels map[string]string `json:"dockerLabels" outputs:"text"`
}

// userForm is a user, and a group, by name or by number.
var userForm = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$`)

// checkContainer checks what any container of a task may have.
func (c *checker) checkContainer(here place, container Container) {
	checkArguments(here.at("entryPoint"), container.EntryPoint)
	checkArguments(here.at("command"), container.Command)
	checkDirectory(here.at("workingDirectory"), container.WorkingDirectory)
	checkVariableNames(here.at("environment"), slices.Sorted(maps.Keys(container.Environment)))
	c.checkSecretNames(here, container)
	checkUses(here.at("uses"), container.Uses)
	checkHealthCheck(here.at("healthCheck"), container.HealthCheck)
	checkMounts(here.at("mounts"), container.Mounts)
	here.at("user").expect(userForm.MatchString(container.User), container.User,
		`"user", "uid", "user:group" or "uid:gid", as in "65532:65532"`)
	checkUlimits(here.at("ulimits"), container.Ulimits)
	checkCapabilities(here.at("capabilities"), container.Capabilities)
	c.checkLogs(here, container.Logs)
	checkSystemControls(here.at("systemControls"), container.SystemControls)
	checkDockerLabels(here.at("dockerLabels"), container.DockerLabels)
}

func checkDirectory(here place, directory string) {
	switch {
	case !here.present:
	case !path.IsAbs(directory):
		here.fail("is %q; write an absolute path, as in /srv", shorten(directory))
	case path.Clean(directory) != directory:
		here.fail("is %q; write it as %s", shorten(directory), path.Clean(directory))
	}
}

func checkArguments(here place, arguments []string) {
	for i, argument := range arguments {
		if argument == "" {
			here.at(i).fail("is empty; write an argument, or remove it")
		}
	}
}
