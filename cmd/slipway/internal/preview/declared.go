package preview

import (
	"strings"

	"slipway/cmd/slipway/internal/flatconfig"
	"slipway/internal/pulumiconfig"
	"slipway/stage"
)

// declaredChanges are the variables and secrets in which a task definition, as the stage declares it, differs from
// earlier container definitions. It is for those that only the update knows, as they have what AWS makes up. Whether a
// secret has another value, these do not tell.
func declaredChanges(earlier any, main string, definition stage.TaskDefinition) []flatconfig.Change {
	deployed, declared := flatconfig.Config{}, flatconfig.Config{}
	for path, setting := range flat(containerDefinitions, earlier) {
		switch _, of, _ := strings.Cut(path, "."); flatconfig.Root(of) {
		case of: // none
		case "environment":
			deployed[path] = setting
		case "secrets":
			deployed[path] = flatconfig.Setting{Secret: true}
		}
	}
	add := func(name string, container stage.Container) {
		for variable, value := range container.Environment {
			declared[pulumiconfig.Path(name, "environment", variable)] = flatconfig.Setting{Text: value}
		}
		for secret := range container.Secrets {
			declared[pulumiconfig.Path(name, "secrets", secret)] = flatconfig.Setting{Secret: true}
		}
	}
	add(main, definition.Container)
	for name, beside := range definition.Containers {
		add(name, beside.Container)
	}
	return flatconfig.Changes(deployed, declared)
}
