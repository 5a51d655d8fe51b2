package stage

import (
	"maps"
	"slices"
	"strings"
)

// conditions are what a container can wait for
// (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDependency.html).
var conditions = []string{"START", "HEALTHY", "COMPLETE", "SUCCESS"}

// checkDependencies checks for what the containers of the service or the task here wait, whose main one is main.
func (c *checker) checkDependencies(here place, main string, definition TaskDefinition) {
	containers := definition.AllContainers(main)
	for name, container := range containers {
		for other := range container.DependsOn {
			if !isDoubtful(here, main, other) {
				dependency(here, main, name, other).failIf(definition.refusesDependency(main, name, other))
			}
		}
	}
	if circle := findCircle(containers); circle != nil {
		dependency(here, main, circle[0], circle[1]).fail(
			"makes containers wait for each other: %s; remove one of these dependencies", strings.Join(circle, " → "))
	}
}

// isDoubtful tells that what a container waits for was not read whole.
func isDoubtful(here place, main, other string) bool {
	here = ofContainer(here, main, other)
	return here.bad || here.at("essential").bad || here.at("healthCheck").bad
}

// dependency leads to where a container says that it waits for another.
func dependency(here place, main, name, other string) place {
	return ofContainer(here, main, name).at("dependsOn", other)
}

// refusesDependency says why a container cannot wait for another; empty where it can.
func (d TaskDefinition) refusesDependency(main, name, other string) string {
	containers := d.AllContainers(main)
	condition := containers[name].DependsOn[other]
	awaited, there := containers[other]
	sidecar, isSidecar := d.Containers[other]
	switch {
	case other == name:
		return "is the container itself; name another one of the task, or remove it"
	case !there:
		others := slices.DeleteFunc(slices.Sorted(maps.Keys(containers)), func(c string) bool { return c == name })
		return "names no container of the task; declare it in containers" + orOneOf(others)
	case !slices.Contains(conditions, condition):
		return "is \"" + shorten(condition) + "\"; allowed: " + enumerate(conditions)
	case condition == "HEALTHY" && awaited.HealthCheck == nil:
		return "waits until " + other + " is healthy, which has no healthCheck; write one there, or START here"
	case condition != "COMPLETE" && condition != "SUCCESS":
		return ""
	case !isSidecar:
		return "waits for the end of " + other + ", the main container, which is that of the task; write START or HEALTHY"
	case sidecar.Essential:
		return "waits for the end of " + other +
			", which is essential, so that the task ends with it; write essential: false there"
	}
	return ""
}

// findCircle finds containers that wait for each other, the first one again at the end; nil where there are none. One
// that waits for itself is another mistake.
func findCircle(containers map[string]Container) []string {
	done := map[string]bool{}
	var walk func(way []string) []string
	walk = func(way []string) []string {
		last := way[len(way)-1]
		if first := slices.Index(way, last); first < len(way)-1 {
			return way[first:]
		}
		if done[last] {
			return nil
		}
		for _, next := range slices.Sorted(maps.Keys(containers[last].DependsOn)) {
			if next == last {
				continue
			}
			if circle := walk(append(slices.Clone(way), next)); circle != nil {
				return circle
			}
		}
		done[last] = true
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(containers)) {
		if circle := walk([]string{name}); circle != nil {
			return circle
		}
	}
	return nil
}
