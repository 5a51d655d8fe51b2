package stage

import (
	"maps"
	"slices"
	"strings"
)

// labelsOfOthers begin the names of docker labels that a stage file does not write, with who does.
var labelsOfOthers = []struct{ prefix, owner string }{
	{"slipway.", "slipway"}, {"com.amazonaws.ecs.", "ECS"},
}

func checkDockerLabels(here place, labels map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if name == "" {
			here.at(name).fail("is no name of a label; write one, as in com.example.team")
		}
		for _, other := range labelsOfOthers {
			if strings.HasPrefix(name, other.prefix) {
				here.at(name).fail("begins with %s, as the labels that %s writes itself; use another name", other.prefix,
					other.owner)
			}
		}
	}
}
