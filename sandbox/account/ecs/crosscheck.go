package ecs

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"slipway/internal/awslimits"
	"slipway/sandbox/account"
)

// crosscheck refuses what ECS refuses of containers that share a task.
func (d TaskDefinition) crosscheck() error {
	client := func(format string, args ...any) error { return account.Refuse("ClientException", format, args...) }
	if !slices.ContainsFunc(d.Containers, func(c Container) bool { return c["essential"] == true }) {
		return client("Task definition must have at least one essential container.")
	}
	volumes := map[string]bool{}
	for _, v := range d.Volumes {
		if !validName.MatchString(v.Name) {
			return client("Invalid volume name '%s': up to 255 letters, numbers, hyphens and underscores are allowed.", v.Name)
		}
		if volumes[v.Name] {
			return client("Duplicate volume name '%s'.", v.Name)
		}
		volumes[v.Name] = true
		if err := v.check(); err != nil {
			return err
		}
	}
	cpu := 0.0
	limit, errCPU := strconv.Atoi(d.CPU)
	memory, errMemory := strconv.Atoi(d.Memory)
	for _, c := range d.Containers {
		for _, mount := range c.objects("mountPoints") {
			if source := fmt.Sprint(mount["sourceVolume"]); !volumes[source] {
				return client("Unknown volume '%s'.", source)
			}
			if path, _ := mount["containerPath"].(string); path == "" {
				return client("Container path should not be null or empty.")
			}
		}
		for _, key := range []string{"memory", "memoryReservation"} {
			if n, ok := c[key].(float64); ok && errMemory == nil && int(n) > memory {
				return client("The '%s' setting for container is greater than for the task.", key)
			}
		}
		hard, hasHard := c["memory"].(float64)
		if soft, is := c["memoryReservation"].(float64); is && hasHard && soft > hard {
			return client("Invalid setting for container '%s'. 'memory' must be greater than 'memoryReservation'.", c.Name())
		}
		n, _ := c["cpu"].(float64)
		cpu += n
	}
	if errCPU == nil && int(cpu) > limit {
		return client("The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.")
	}
	return errors.Join(d.checkPorts(), d.checkRouter(), d.checkDependencies())
}

// checkDependencies looks at the order in which containers start.
func (d TaskDefinition) checkDependencies() error {
	client := func(format string, args ...any) error { return account.Refuse("ClientException", format, args...) }
	waitsFor := map[string][]string{}
	for _, c := range d.Containers {
		for _, dependency := range c.objects("dependsOn") {
			name, condition := fmt.Sprint(dependency["containerName"]), dependency["condition"]
			i := slices.IndexFunc(d.Containers, func(other Container) bool { return other.Name() == name })
			switch {
			case !slices.Contains([]any{"START", "COMPLETE", "SUCCESS", "HEALTHY"}, condition):
				return client("Invalid container dependency condition '%v': use START, COMPLETE, SUCCESS or HEALTHY.", condition)
			case i < 0:
				return client("Cannot depend on container + '%s' because it does not exist", name) // the + is ECS's own
			case (condition == "COMPLETE" || condition == "SUCCESS") && d.Containers[i]["essential"] == true:
				return client("A dependency container with SUCCESS or COMPLETE condition cannot be an essential container")
			case condition == "HEALTHY" && !d.Containers[i].checksHealth():
				return client("A dependency container with HEALTHY condition must have a health check: '%s'", name)
			}
			waitsFor[c.Name()] = append(waitsFor[c.Name()], name)
		}
	}
	for _, c := range d.Containers {
		if circle := findCycle(waitsFor, c.Name(), nil); circle != nil {
			return client("Container dependencies cannot form a cycle: %s", strings.Join(circle, " -> "))
		}
	}
	return nil
}

// findCycle follows what containers wait for, and returns a way that leads back to where it came from, or nil.
func findCycle(waitsFor map[string][]string, name string, path []string) []string {
	if i := slices.Index(path, name); i >= 0 {
		return append(path[i:], name)
	}
	for _, next := range waitsFor[name] {
		if circle := findCycle(waitsFor, next, append(slices.Clone(path), name)); circle != nil {
			return circle
		}
	}
	return nil
}

var (
	// validUser is user, uid, user:group, uid:gid, user:gid or uid:group.
	validUser = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$`)
)

// checkProcess looks at whom a container's processes run as, and at their limits.
func (c Container) checkProcess() error {
	client := func(format string, args ...any) error { return account.Refuse("ClientException", format, args...) }
	if user, given := c["user"]; given && user != nil && !validUser.MatchString(fmt.Sprint(user)) {
		return client("Invalid user '%v' of container '%s'.", user, c.Name())
	}
	seen := map[string]bool{}
	for _, limit := range c.objects("ulimits") {
		name := fmt.Sprint(limit["name"])
		soft, isSoft := limit["softLimit"].(float64)
		hard, isHard := limit["hardLimit"].(float64)
		switch {
		case !slices.Contains(awslimits.Ulimits, name):
			return client("Invalid ulimit name '%s'.", name)
		case seen[name]:
			return client("Duplicate ulimit '%s'.", name)
		case !isSoft || !isHard || soft != float64(int(soft)) || hard != float64(int(hard)) || soft < -1 || hard < -1:
			return client("Ulimit '%s' must have the numbers softLimit and hardLimit.", name)
		case awslimits.SoftAboveHard(int(soft), int(hard)):
			return client("Ulimit '%s': softLimit must not be greater than hardLimit.", name)
		}
		seen[name] = true
	}
	return nil
}
