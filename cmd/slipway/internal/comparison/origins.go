package comparison

import (
	"slipway/internal/pulumiconfig"
	"slipway/stage"
)

// markOrigins says of variables that differ where their values come from that the stage files do not have.
func markOrigins(unequal []unequalSetting, of [2]stage.TaskDefinition) {
	origins := [2]map[string]string{originsByPath(of[0]), originsByPath(of[1])}
	for i, each := range unequal {
		if found := [2]string{origins[0][each.Key], origins[1][each.Key]}; found != [2]string{} {
			unequal[i].Origins = &found
		}
	}
}

// originsByPath are the origins of all containers' variables, by path.
func originsByPath(of stage.TaskDefinition) map[string]string {
	found := map[string]string{}
	add := func(below string, container stage.Container) {
		for variable, origin := range container.Origins {
			found[pulumiconfig.Below(below+"environment", variable)] = origin
		}
	}
	add("", of.Container)
	for name, beside := range of.Containers {
		add(pulumiconfig.Below("containers", name)+".", beside.Container)
	}
	return found
}

// describe is one of the values of a setting that differs, with where it comes from.
func (u unequalSetting) describe(i int) string {
	text := u.Values[i].String()
	if u.Origins != nil && u.Origins[i] != "" {
		text += " (" + u.Origins[i] + ")"
	}
	return text
}
