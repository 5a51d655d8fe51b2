// Package pulumiconfig says how a stage stands in Pulumi's configuration: the name of its file, the namespace of its
// keys, and the spelling of a key's path.
package pulumiconfig

import (
	"fmt"
	"regexp"
	"strings"
)

// FileName is the name of the file that the CLI reads a stage from.
func FileName(stage string) string { return "Pulumi." + stage + ".yaml" }

// Namespace is what a stage's keys begin with, whatever the project is called: slipway:services. The project's own name
// does as well, as Pulumi has it for a project's keys; a stage uses one of the two.
const Namespace = "slipway"

// NamespaceOf is the namespace of a stage's keys: slipway where any key begins with it, and so the project's keys are
// those of the program; or else the project's name.
func NamespaceOf[V any](project string, config map[string]V) string {
	for fullKey := range config {
		if strings.HasPrefix(fullKey, Namespace+":") {
			return Namespace
		}
	}
	return project
}

// OwnKey tells a full key of the stage's, as slipway:services or PROJECT:services, from others'. It returns the key
// without its namespace.
func OwnKey(project, fullKey string) (key string, own bool) {
	if key, own = strings.CutPrefix(fullKey, Namespace+":"); own {
		return key, true
	}
	return strings.CutPrefix(fullKey, project+":")
}

// Path is a key as errors spell it: images["web.api"].build.context. An int is an index into a list.
func Path(keys ...any) (path string) {
	for _, key := range keys {
		path = Below(path, key)
	}
	return path
}

var plainKey = regexp.MustCompile(`^[A-Za-z0-9_/-]+$`)

// Below is the path of a key, or of an index into a list, that stands below another one's path.
func Below(path string, key any) string {
	name, isKey := key.(string)
	switch {
	case !isKey:
		return fmt.Sprintf("%s[%d]", path, key)
	case !plainKey.MatchString(name):
		return fmt.Sprintf("%s[%q]", path, name)
	case path == "":
		return name
	default:
		return path + "." + name
	}
}
