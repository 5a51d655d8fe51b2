package ecs

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecr"
)

func TestImmutableRepositoryRefusesATagTwice(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	require.EqualError(t, ecr.PutImage(s.Account, "shop-dev/web", "one", "sha256:"+strings.Repeat("1", 64), 1),
		"ImageTagAlreadyExistsException: The image tag 'one' already exists in the 'shop-dev/web' repository and cannot be "+
			"overwritten because the repository is immutable.")
	require.True(t, account.IsCode(ecr.PutImage(s.Account, "gone", "one", "sha256:1", 1), "RepositoryNotFoundException"))
	s.clock = s.clock.Add(1)
	require.NoError(t, ecr.PutImage(s.Account, "shop-dev/web", "a-later-one", "sha256:2", 1))
	require.NoError(t, ecr.CountBuild(s.Account, "shop-dev/web"))
	images, err := ecr.Images(s.Account)
	require.NoError(t, err)
	require.Equal(t, "one", images[0].Tag)
	require.Equal(t, "a-later-one", images[1].Tag)
	work, err := ecr.Builds(s.Account)
	require.NoError(t, err)
	require.Equal(t, map[string]ecr.BuildCounts{"shop-dev/web": {Builds: 1, Pushes: 2}}, work)

	require.EqualError(t, s.DeleteObject(ecr.Repository, "shop-dev/web", false),
		"RepositoryNotEmptyException: The repository with name "+
			"'shop-dev/web' in registry with id '123456789012' cannot be deleted because it still contains images")
	require.NoError(t, s.DeleteObject(ecr.Repository, "shop-dev/web", true))
	images, err = ecr.Images(s.Account)
	require.NoError(t, err)
	require.Empty(t, images)
}

func TestMutableTagMovesToTheNewImage(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.object(ecr.Repository, "loose", account.Object{"imageTagMutability": "MUTABLE"})
	require.NoError(t, ecr.PutImage(s.Account, "loose", "latest", "sha256:1", 1))
	require.NoError(t, ecr.PutImage(s.Account, "loose", "latest", "sha256:2", 1))
	now, err := ecr.FindImage(s.Account, "loose", "latest", "")
	require.NoError(t, err)
	require.Equal(t, "sha256:2", now.Digest)
	before, err := ecr.FindImage(s.Account, "loose", "", "sha256:1")
	require.NoError(t, err)
	require.Empty(t, before.Tag)
	_, err = ecr.FindImage(s.Account, "loose", "gone", "")
	require.EqualError(t, err,
		"ImageNotFoundException: The image with imageId {imageDigest:'null', imageTag:'gone'} does not exist "+
			"within the repository with name 'loose' in the registry with id '123456789012'")
}

func TestRevisionNumbersAreNeverReused(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.register(nil)
	second := s.register(nil)
	_, err := DeregisterTaskDefinition(s.Account, second)
	require.NoError(t, err)
	latest, err := FindTaskDefinition(s.Account, "web")
	require.NoError(t, err)
	require.Equal(t, 1, latest.Revision)
	require.Equal(t, account.ARN(account.DefaultID, "ecs", testRegion, "task-definition/web:3"), s.register(nil))
	_, err = CreateService(s.Account, "shop-dev", "web", "web:2", settings(1))
	require.EqualError(t, err, "ClientException: TaskDefinition is inactive")
	_, err = CreateService(s.Account, "shop-dev", "web", "web:9", settings(1))
	require.EqualError(t, err, "ClientException: Unable to describe task definition.")
	_, err = CreateService(s.Account, "elsewhere", "web", "web:1", settings(1))
	require.EqualError(t, err, "ClusterNotFoundException: Cluster not found.")
}

func TestTaskDefinitionsThatECSRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*TaskDefinition, Container)
		want   string
	}{
		"memory that the CPU does not allow": {
			func(d *TaskDefinition, _ Container) { d.Memory = "4096" }, "No Fargate configuration exists for given values."},
		"no memory": {
			func(d *TaskDefinition, _ Container) { d.Memory = "" }, "'cpu' and 'memory' be defined at the task level"},
		"bridge network": {
			func(d *TaskDefinition, _ Container) { d.NetworkMode = "bridge" }, "Fargate only supports network mode ‘awsvpc’."},
		"a family with a dot": {
			func(d *TaskDefinition, _ Container) { d.Family = "shop.web" }, "Family contains invalid characters."},
		"eleven containers": {
			func(d *TaskDefinition, _ Container) { d.Containers = make([]Container, 11) }, "at most 10"},
		"a variable that is a secret too": {
			func(_ *TaskDefinition, c Container) {
				c["secrets"] = []any{map[string]any{"name": "STAGE", "valueFrom": "x"}}
			},
			"The secret name must be unique and not shared with any new or existing environment variables set on the " +
				"container, such as 'STAGE'."},
		"another host port": {
			func(_ *TaskDefinition, c Container) {
				c["portMappings"] = []any{map[string]any{"hostPort": 80.0, "containerPort": 8080.0}}
			}, "the host ports and container ports in port mappings must match."},
		"logs without an execution role": {
			func(d *TaskDefinition, _ Container) { d.ExecutionRoleARN = "" },
			"execution role ARN to support log driver awslogs."},
		"no essential container": {
			func(_ *TaskDefinition, c Container) { c["essential"] = false }, "at least one essential container"},
		"a volume that is not there": {
			func(_ *TaskDefinition, c Container) {
				c["mountPoints"] = []any{map[string]any{"sourceVolume": "data", "containerPath": "/data"}}
			}, "Unknown volume 'data'."},
		"a mount without a path": {
			func(d *TaskDefinition, c Container) {
				d.Volumes = []Volume{{Name: "data"}}
				c["mountPoints"] = []any{map[string]any{"sourceVolume": "data"}}
			}, "Container path should not be null or empty."},
		"a volume twice": {
			func(d *TaskDefinition, _ Container) { d.Volumes = []Volume{{Name: "data"}, {Name: "data"}} },
			"Duplicate volume name 'data'."},
		"more CPU than the task has": {
			func(d *TaskDefinition, c Container) { c["cpu"] = 200.0; side(d, "cpu", 57.0) },
			"The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'."},
		"more memory than the task has": {
			func(d *TaskDefinition, _ Container) { side(d, "memory", 513.0) },
			"The 'memory' setting for container is greater than for the task."},
		"a dependency on nothing": {
			func(d *TaskDefinition, _ Container) { side(d, "dependsOn", after("db", "START")) },
			"Cannot depend on container + 'db' because it does not exist"},
		"a condition that ECS does not have": {
			func(d *TaskDefinition, _ Container) { side(d, "dependsOn", after("web", "READY")) },
			"Invalid container dependency condition 'READY'"},
		"waiting for an essential container's end": {
			func(d *TaskDefinition, _ Container) { side(d, "dependsOn", after("web", "SUCCESS")) },
			"A dependency container with SUCCESS or COMPLETE condition cannot be an essential container"},
		"waiting for the health of what checks none": {
			func(d *TaskDefinition, _ Container) { side(d, "dependsOn", after("web", "HEALTHY")) },
			"must have a health check: 'web'"},
		"a circle": {
			func(d *TaskDefinition, c Container) {
				side(d, "dependsOn", after("web", "START"))
				c["dependsOn"] = after("side", "COMPLETE")
			}, "Container dependencies cannot form a cycle: web -> side -> web"},
		"a limit that there is not": {
			func(_ *TaskDefinition, c Container) { c["ulimits"] = limit("files", 1, 2) }, "Invalid ulimit name 'files'."},
		"a soft limit above the hard one": {
			func(_ *TaskDefinition, c Container) { c["ulimits"] = limit("nofile", 3, 2) },
			"softLimit must not be greater than hardLimit."},
		"a user with a space": {
			func(_ *TaskDefinition, c Container) { c["user"] = "no body" }, "Invalid user 'no body' of container 'web'."},
		"a privileged container": {
			func(_ *TaskDefinition, c Container) { c["privileged"] = true },
			"Fargate compatible task definitions do not support privileged"},
		"shared memory": {
			func(_ *TaskDefinition, c Container) { c["linuxParameters"] = map[string]any{"sharedMemorySize": 64.0} },
			"Fargate compatible task definitions do not support sharedMemorySize"},
		"a file system in memory": {
			func(_ *TaskDefinition, c Container) {
				c["linuxParameters"] = map[string]any{"tmpfs": []any{map[string]any{"containerPath": "/run", "size": 64.0}}}
			}, "Fargate compatible task definitions do not support tmpfs"},
		"a capability of EC2": {
			func(_ *TaskDefinition, c Container) {
				c["linuxParameters"] = map[string]any{"capabilities": map[string]any{"add": []any{"NET_ADMIN"}}}
			}, "NET_ADMIN is not allowed on Fargate."},
		"a capability that there is not": {
			func(_ *TaskDefinition, c Container) {
				c["linuxParameters"] = map[string]any{"capabilities": map[string]any{"drop": []any{"CAP_NET_RAW"}}}
			}, "Invalid Linux capability 'CAP_NET_RAW'"},
		"communication of the machine": {
			func(d *TaskDefinition, _ Container) { d.IPCMode = "task" },
			"Tasks using the Fargate launch type do not support ipcMode."},
		"processes of the machine": {
			func(d *TaskDefinition, _ Container) { d.PIDMode = "host" },
			"do not support pidMode 'host'. The supported value for pidMode is 'task'."},
		"a disk that is too small": {
			func(d *TaskDefinition, _ Container) { d.EphemeralStorage = map[string]int{"sizeInGiB": 20} },
			"must be between 21 GiB and 200 GiB."},
		"a port of two containers": {
			func(d *TaskDefinition, c Container) {
				c["portMappings"] = ports(8080)
				side(d, "portMappings", ports(8080))
			}, "The containers 'web' and 'side' have the same container port: 8080/tcp."},
		"less memory than is kept": {
			func(d *TaskDefinition, _ Container) {
				side(d, "memory", 64.0)
				d.Containers[1]["memoryReservation"] = 65.0
			}, "'memory' must be greater than 'memoryReservation'."},
		"an option that awslogs lacks": {
			func(_ *TaskDefinition, c Container) { c["logConfiguration"] = logged("awslogs", "log_key") },
			"Log driver awslogs disallows options: log_key"},
		"awslogs to nowhere": {
			func(_ *TaskDefinition, c Container) { c["logConfiguration"] = logged("awslogs") },
			"Log driver awslogs requires options: awslogs-group, awslogs-region"},
		"Splunk without a token": {
			func(_ *TaskDefinition, c Container) { c["logConfiguration"] = logged("splunk", "splunk-url") },
			"Log driver splunk requires options: splunk-token"},
		"a driver of EC2": {
			func(_ *TaskDefinition, c Container) { c["logConfiguration"] = logged("fluentd") },
			"do not support the log driver fluentd"},
		"FireLens without a router": {
			func(_ *TaskDefinition, c Container) { c["logConfiguration"] = logged("awsfirelens") },
			"When awsfirelens log driver is specified in log configuration, a firelens configuration object must be configured"},
		"a router of nobody": {
			func(d *TaskDefinition, _ Container) {
				side(d, "firelensConfiguration", router)
				d.Containers[1]["user"] = "0"
			},
			"When a firelensConfiguration object is specified, at least one container has to be configured"},
		"a router that is not root": {
			func(d *TaskDefinition, c Container) {
				c["logConfiguration"] = logged("awsfirelens")
				side(d, "firelensConfiguration", router)
				d.Containers[1]["user"] = "1000"
			}, "If 'user' field is specified on firelens container, then 'UID' has to be '0'."},
		"a router of its own": {
			func(d *TaskDefinition, _ Container) {
				side(d, "firelensConfiguration", router)
				d.Containers[1]["user"], d.Containers[1]["logConfiguration"] = "0", logged("awsfirelens")
			}, "The firelens container 'side' cannot use the awsfirelens log driver."},
		"a GPU": {
			func(_ *TaskDefinition, c Container) {
				c["resourceRequirements"] = []any{map[string]any{"type": "GPU", "value": "1"}}
			}, "do not support GPU resource requirements."},
		"links": {
			func(_ *TaskDefinition, c Container) { c["links"] = []any{"side"} },
			"Links are not supported when networkMode=awsvpc."},
		"hosts of its own": {
			func(_ *TaskDefinition, c Container) {
				c["extraHosts"] = []any{map[string]any{"hostname": "db", "ipAddress": "10.0.0.1"}}
			}, "Extra hosts are not supported on container when networkMode=awsvpc."},
		"DNS servers of its own": {
			func(_ *TaskDefinition, c Container) { c["dnsServers"] = []any{"10.0.0.2"} },
			"DNS servers are not supported on container when networkMode=awsvpc."},
		"a kernel parameter of the machine": {
			func(_ *TaskDefinition, c Container) {
				c["systemControls"] = []any{map[string]any{"namespace": "vm.swappiness", "value": "1"}}
			}, "Invalid namespace 'vm.swappiness'"},
		"a working directory that is relative": {
			func(_ *TaskDefinition, c Container) { c["workingDirectory"] = "srv" }, "must be an absolute path: 'srv'"},
		"a start that takes too long": {
			func(_ *TaskDefinition, c Container) { c["startTimeout"] = 121.0 }, "startTimeout must be between 2 and 120"},
		"more than 64 KiB": {
			func(_ *TaskDefinition, c Container) { c["command"] = []any{strings.Repeat("x", 70_000)} },
			"Max allowed length is '65536' bytes."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := RegisterTaskDefinition(newStage(t).Account, testRegion, definition(c.change))
			require.ErrorContains(t, err, c.want)
			require.True(t, account.IsCode(err, "ClientException"))
		})
	}
}

// side adds a container that is not essential, with this field.
func side(d *TaskDefinition, key string, value any) {
	d.Containers = append(d.Containers, Container{"name": "side", "image": "busybox", "essential": false, key: value})
}

func after(container, condition string) any {
	return []any{map[string]any{"containerName": container, "condition": condition}}
}

var router = map[string]any{"type": "fluentbit"}

func logged(driver string, options ...string) any {
	given := map[string]any{}
	for _, option := range options {
		given[option] = "x"
	}
	return map[string]any{"logDriver": driver, "options": given}
}

func ports(number float64) any {
	return []any{map[string]any{"containerPort": number, "hostPort": number, "protocol": "tcp"}}
}

func limit(name string, soft, hard float64) any {
	return []any{map[string]any{"name": name, "softLimit": soft, "hardLimit": hard}}
}

func TestSeveralContainersThatECSTakes(t *testing.T) {
	t.Parallel()
	d := definition(func(d *TaskDefinition, c Container) {
		d.Volumes = []Volume{{Name: "data"}}
		side(d, "mountPoints", []any{map[string]any{"sourceVolume": "data", "containerPath": "/data", "readOnly": true}})
		d.Containers[1]["cpu"], c["cpu"] = 56.0, 200.0
		d.EphemeralStorage, d.PIDMode = map[string]int{"sizeInGiB": 200}, "task"
		c["dependsOn"], c["user"], c["ulimits"] = after("side", "SUCCESS"), "65532:65532", limit("nofile", 1024, -1)
		c["workingDirectory"], c["startTimeout"], c["dockerLabels"] = "/srv", 120.0, map[string]any{"team": "shop"}
		c["systemControls"] = []any{map[string]any{"namespace": "net.core.somaxconn", "value": "1024"}}
		c["linuxParameters"] = map[string]any{"initProcessEnabled": true,
			"capabilities": map[string]any{"add": []any{"SYS_PTRACE"}, "drop": []any{"ALL"}}}
		c["privileged"], c["links"], c["dnsServers"] = false, []any{}, []any{} // as ECS describes what has none
	})
	registered, err := RegisterTaskDefinition(newStage(t).Account, testRegion, d)
	require.NoError(t, err)
	require.Equal(t, []Volume{{Name: "data"}}, registered.Volumes)
}

func TestALogRouterIsRoot(t *testing.T) {
	t.Parallel()
	containers, err := ParseContainers(`[{"name": "web", "image": "web", "logConfiguration": {"logDriver": "awsfirelens"}},
		{"name": "router", "image": "fluent", "firelensConfiguration": {"type": "fluentbit"}}]`)
	require.NoError(t, err)
	require.NotContains(t, containers[0], "user")
	require.Equal(t, "0", containers[1]["user"], "as ECS writes it")
	d := definition(func(d *TaskDefinition, _ Container) { d.Containers = containers })
	registered, err := RegisterTaskDefinition(newStage(t).Account, testRegion, d)
	require.NoError(t, err)
	require.Empty(t, registered.Containers[0].LogGroup())
}
