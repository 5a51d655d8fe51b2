package stage

import (
	"maps"
	"slices"
	"strings"

	"slipway/internal/awslimits"
)

func checkSystemControls(here place, controls map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(controls)) {
		switch {
		case !awslimits.SystemControl(name):
			here.at(name).fail("is no kernel parameter that ECS sets for a container; allowed: %s",
				awslimits.SystemControlsInWords)
		case controls[name] == "":
			here.at(name).fail(`is empty; write the parameter's value, in quotes, as in "1024"`)
		}
	}
}

// checkSharedControls checks that no two containers have another value for a parameter of the task's network, which
// they share: the one that starts last would win.
func checkSharedControls(here place, main string, containers map[string]Container) {
	first := map[string]string{} // containers by parameter
	for _, name := range slices.Sorted(maps.Keys(containers)) {
		for _, control := range slices.Sorted(maps.Keys(containers[name].SystemControls)) {
			if !strings.HasPrefix(control, awslimits.NetworkControl) {
				continue
			}
			value, other := containers[name].SystemControls[control], first[control]
			if other == "" {
				first[control] = name
			} else if own := containers[other].SystemControls[control]; own != value {
				ofContainer(here, main, name).at("systemControls", control).fail("is %q, and %s has %q; the containers of a "+
					"task share its network, and so this parameter: write one value, at one of them", shorten(value), other,
					shorten(own))
			}
		}
	}
}

// ofContainer leads to where the keys of a container stand of the task definition here.
func ofContainer(here place, main, name string) place {
	if name == main {
		return here
	}
	return here.at("containers", name)
}
