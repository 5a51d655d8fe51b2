package stage

import (
	"maps"
	"path"
	"slices"
	"strings"

	"slipway/internal/awslimits"
)

// FireLens makes a container the log router of its task.
//
// Rule: [FireLens](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_firelens.html)
type FireLens struct {
	// Type is the router that the image holds.
	//
	// Example: type: fluentd
	Type string `json:"type" default:"fluentbit" enum:"fluentbit,fluentd"`

	// ConfigFile is a file in the container with more of the router's configuration: filters, parsers and outputs.
	//
	// Default: none; the `options` of `logs` alone
	// Allowed: an absolute path, of a file that the image has. Fargate takes none from S3
	// Example: configFile: /fluent-bit/configs/parse-json.conf
	ConfigFile string `json:"configFile"`

	// ECSLogMetadata adds the cluster, the task and its definition to each line that is sent on.
	//
	// Example: ecsLogMetadata: false
	ECSLogMetadata bool `json:"ecsLogMetadata" default:"true"`
}

// checkFireLens checks the log router of the service or task here, and whose output it sends on.
func (c *checker) checkFireLens(here place, main string, definition TaskDefinition) {
	var routers, users []string
	containers := definition.AllContainers(main)
	for _, name := range slices.Sorted(maps.Keys(containers)) {
		own := ofContainer(here, main, name)
		if own.bad || own.at("logs").bad || own.at("logs", "driver").bad || own.at("firelens").bad {
			return // so that nobody is told of a router that may be meant
		}
		if definition.Containers[name].FireLens != nil {
			routers = append(routers, name)
		}
		if containers[name].LogDriver() == awslimits.FireLensDriver {
			users = append(users, name)
		}
	}
	switch {
	case len(routers) == 0 && len(users) > 0 && !here.at("containers").bad:
		ofContainer(here, main, users[0]).at("logs", "driver").fail("is awsfirelens, and no container of the task is its log "+
			"router; write firelens: {} at one of %s that runs Fluent Bit, as the image of "+
			"public.ecr.aws/aws-observability/aws-for-fluent-bit does", here.at("containers").key())
	case len(routers) > 1:
		here.at("containers", routers[1], "firelens").fail("makes %s a second log router beside %s, and a task has one; "+
			"remove one of them", routers[1], routers[0])
	case len(routers) == 1:
		c.checkRouter(here.at("containers", routers[0]), routers[0], definition.Containers[routers[0]], users)
	}
}

// checkRouter checks the log router here, to which users hand their output.
func (c *checker) checkRouter(here place, name string, router Sidecar, users []string) {
	user, _, _ := strings.Cut(router.User, ":")
	switch file := router.FireLens.ConfigFile; {
	case slices.Contains(users, name):
		here.at("logs", "driver").fail("is awsfirelens, in the log router itself; remove it: its own output goes to its " +
			"log group")
	case len(users) == 0:
		here.at("firelens").fail("makes %s a log router that nobody's output goes to; write logs: {driver: awsfirelens} at "+
			"another container, or remove firelens", name)
	case router.User != "" && user != awslimits.FireLensUser:
		here.at("user").fail("is %q, and ECS runs a log router as root only; remove it", shorten(router.User))
	case file != "" && (!path.IsAbs(file) || path.Clean(file) != file):
		here.at("firelens", "configFile").fail("is %q; write an absolute path, as in /fluent-bit/configs/parse-json.conf",
			shorten(file))
	}
	for _, awaited := range slices.Sorted(maps.Keys(router.DependsOn)) {
		if slices.Contains(users, awaited) && awaited != name {
			here.at("dependsOn", awaited).fail("waits for %s, which ECS starts after its log router; remove it", awaited)
		}
	}
}
