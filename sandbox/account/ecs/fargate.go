package ecs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"slipway/internal/awslimits"
	"slipway/sandbox/account"
)

// refusedByAWSVPC are fields of a container that go with other networks than awsvpc, with what ECS says.
var refusedByAWSVPC = map[string]string{
	"disableNetworking": "Disable Networking is not supported on container when networkMode=awsvpc.",
	"dnsSearchDomains":  "DNS search domains are not supported on container when networkMode=awsvpc.",
	"dnsServers":        "DNS servers are not supported on container when networkMode=awsvpc.",
	"extraHosts":        "Extra hosts are not supported on container when networkMode=awsvpc.",
	"hostname":          "Hostname is not supported on container when networkMode=awsvpc.",
	"links":             "Links are not supported when networkMode=awsvpc.",
}

// checkNetworkMode refuses what a container cannot have in the network mode awsvpc.
func (c Container) checkNetworkMode() error {
	for key, says := range refusedByAWSVPC {
		if isSet(c[key]) {
			return account.Refuse("ClientException", "%s", says)
		}
	}
	return nil
}

// isSet tells a value from one that stands for none.
func isSet(value any) bool {
	return value != nil && value != false && value != "" && fmt.Sprint(value) != "[]"
}

// checkFargate refuses what Fargate does not have for a task.
func (d TaskDefinition) checkFargate() error {
	client := func(format string, args ...any) error { return account.Refuse("ClientException", format, args...) }
	size, given := d.EphemeralStorage["sizeInGiB"]
	switch {
	case d.IPCMode != "":
		return client("Tasks using the Fargate launch type do not support ipcMode.")
	case d.PIDMode != "" && d.PIDMode != "task":
		return client("Tasks using the Fargate launch type do not support pidMode '%s'. The supported value for pidMode is "+
			"'task'.", d.PIDMode)
	case given && (size < 21 || size > 200): // ECS's own words are not known
		return client("Ephemeral storage size must be between 21 GiB and 200 GiB.")
	}
	return nil
}

// checkPorts refuses a port that two containers of one network listen on. ECS's own words are not known.
func (d TaskDefinition) checkPorts() error {
	taken := map[string]string{}
	for _, c := range d.Containers {
		for _, port := range c.objects("portMappings") {
			at := fmt.Sprintf("%v/%v", port["containerPort"], cmp.Or(port["protocol"], any("tcp")))
			if other, is := taken[at]; is && d.NetworkMode == "awsvpc" {
				return account.Refuse("ClientException", "The containers '%s' and '%s' have the same container port: %s.", other,
					c.Name(), at)
			}
			if protocol := port["protocol"]; protocol != nil && protocol != "tcp" && protocol != "udp" {
				return account.Refuse("ClientException", "Invalid protocol '%v' in a port mapping of container '%s'.", protocol,
					c.Name())
			}
			taken[at] = c.Name()
		}
	}
	return nil
}

// checkFargate refuses what Fargate does not have for a container.
func (c Container) checkFargate() error {
	client := func(format string, args ...any) error { return account.Refuse("ClientException", format, args...) }
	for _, key := range []string{"credentialSpecs", "dockerSecurityOptions", "privileged"} {
		if isSet(c[key]) {
			return client("Fargate compatible task definitions do not support %s", key)
		}
	}
	for _, key := range []string{"devices", "maxSwap", "sharedMemorySize", "swappiness", "tmpfs"} {
		if isSet(account.Member(c["linuxParameters"], key)) {
			return client("Fargate compatible task definitions do not support %s", key)
		}
	}
	if len(c.objects("resourceRequirements")) > 0 {
		return client("Tasks using the Fargate launch type do not support GPU resource requirements.")
	}
	added, _ := account.Member(account.Member(c["linuxParameters"], "capabilities"), "add").([]any)
	for _, name := range added {
		if name != awslimits.AddedCapability {
			return client("%v is not allowed on Fargate.", name)
		}
	}
	return nil
}

// checkKernel looks at a container's capabilities and kernel parameters. ECS's own words are not known.
func (c Container) checkKernel() error {
	client := func(format string, args ...any) error { return account.Refuse("ClientException", format, args...) }
	for _, kind := range []string{"add", "drop"} {
		names, _ := account.Member(account.Member(c["linuxParameters"], "capabilities"), kind).([]any)
		for _, name := range names {
			if !slices.Contains(awslimits.Capabilities, fmt.Sprint(name)) {
				return client("Invalid Linux capability '%v' of container '%s'.", name, c.Name())
			}
		}
	}
	for _, control := range c.objects("systemControls") {
		if name := fmt.Sprint(control["namespace"]); !awslimits.SystemControl(name) {
			return client("Invalid namespace '%s' in systemControls of container '%s'.", name, c.Name())
		}
	}
	if directory, given := c["workingDirectory"].(string); given && !strings.HasPrefix(directory, "/") {
		return client("The working directory of container '%s' must be an absolute path: '%s'.", c.Name(), directory)
	}
	return nil
}
