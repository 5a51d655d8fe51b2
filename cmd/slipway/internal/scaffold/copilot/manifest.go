package copilot

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"slipway/cmd/slipway/internal/scaffold/draft"
)

// manifest is one that is read.
type manifest struct {
	*draft.Draft
	source *draft.Source
	// directory is that of the manifest, application the name of Copilot's application, empty where that is not known.
	directory, application string
	name, kind             string
	// stage is the one that it is read for, overlay what Copilot's environment of that name has of its own.
	stage   draft.Stage
	overlay map[string]any
	// all are the keys of the stage; section and key say where those of the service stand.
	all          draft.Keys
	section, key string
	keys         draft.Keys
	builds       bool
	// content is what the stage has of the manifest; kept says where secrets are kept, by stage and name.
	content map[string]any
	kept    map[string]string
}

const (
	loadBalanced = "Load Balanced Web Service"
	scheduledJob = "Scheduled Job"
)

// identify reads what a manifest is of, and says so where slipway has nothing for it.
func (m *manifest) identify(content map[string]any) bool {
	m.name, m.kind = text(content["name"]), text(content["type"])
	switch m.kind {
	case loadBalanced, "Backend Service", "Worker Service":
		m.section = "services"
	case scheduledJob:
		m.section = "tasks"
	case "Request-Driven Web Service", "Static Site":
		m.Leave(m.source.At("type"), m.kind, "it does not run on ECS: leave it to Copilot, or make it a service of its own")
		return false
	default:
		m.Fail(m.source.At("type"), "the type is %q: slipway init knows %s, Backend Service, Worker Service and %s", m.kind,
			loadBalanced, scheduledJob)
		return false
	}
	if m.name == "" {
		m.Fail(m.source.Name, "name is missing")
		return false
	}
	m.key = m.section + "." + m.name
	m.Take(m.source.At("type"), m.kind, "%s", m.key)
	return true
}

// checkEnvironments says which of Copilot's environments are no stage.
func (m *manifest) checkEnvironments(content map[string]any, stages []draft.Stage, given bool) {
	environments, _ := content["environments"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(environments)) {
		if slices.ContainsFunc(stages, func(s draft.Stage) bool { return s.Name == name }) {
			continue
		}
		at := m.source.At("environments", name)
		if !given {
			m.Fail(at, "environments.%s is none of the stages, dev and release: name the stages, first the one that builds, as "+
				"in --stage %[1]s", name)
			continue
		}
		m.Leave(at, "environments."+name, "there is no stage %s", name)
	}
}

// read drafts the service, or the job, of one stage.
func (m *manifest) read(content map[string]any, stage draft.Stage, all draft.Keys, builds bool) {
	environments, _ := content["environments"].(map[string]any)
	m.stage, m.all, m.builds = stage, all, builds
	m.overlay, _ = environments[stage.Name].(map[string]any)
	m.keys = all.Object(m.section).Object(m.name)
	m.keys["image"] = m.name
	m.content = merged(content, m.overlay)
	m.each(m.content, nil, map[string]reading{
		"name": nil, "type": nil, "environments": nil,
		"image": m.image, "platform": m.platform, "http": m.http, "count": m.count, "on": m.schedule,
		"cpu": m.number("cpu"), "memory": m.number("memory"), "variables": m.variables(m.keys, m.key),
		"secrets":  m.secrets(m.keys, m.key),
		"env_file": m.environmentFile(m.keys, m.key, m.content["variables"]), "sidecars": m.sidecars,
		"command":    m.arguments(m.keys, m.key, "command"),
		"entrypoint": m.arguments(m.keys, m.key, "entryPoint"),
		"exec":       m.exec, "storage": m.storage, "logging": m.logging, "deployment": m.deployment, "timeout": m.timeout,
		"network":           m.network,
		"retries":           m.instead("a run that fails is told by slipway logs; tasks.<task>.schedule.retries are of starts that AWS refuses"),
		"subscribe":         m.instead("declare the queue in main.go, and name it in permissions and environment"),
		"publish":           m.instead("declare the topics in main.go, and name them in permissions and environment"),
		"nlb":               m.instead("slipway has application load balancers only: declare one of your own in main.go"),
		"observability":     m.instead("run the collector as one of containers, and give it permissions"),
		"taskdef_overrides": m.instead("a transformation in main.go sets any property of a task definition"),
	})
}

// reading takes over a value that stands at a path; nil says nothing.
type reading func(path []string, value any)

// each reads the keys of an object, and says of those that it does not know.
func (m *manifest) each(object map[string]any, path []string, known map[string]reading) {
	for _, key := range slices.Sorted(maps.Keys(object)) {
		at := append(slices.Clone(path), key)
		switch read, is := known[key]; {
		case !is:
			m.leave(at, "slipway has nothing for it, or slipway init does not know it")
		case read != nil:
			read(at, object[key])
		}
	}
}

// where is the line of a value, in the part of the environment where that has it.
func (m *manifest) where(path []string) (at, what string) {
	var value any = m.overlay
	for _, step := range path {
		object, is := value.(map[string]any)
		if value = object[step]; !is || value == nil {
			return m.source.At(path...), strings.Join(path, ".")
		}
	}
	path = append([]string{"environments", m.stage.Name}, path...)
	return m.source.At(path...), strings.Join(path, ".")
}

// once adds a line that the other stages may have said already.
func (m *manifest) once(say func(where, what string), path []string) {
	before := len(m.Lines)
	say(m.where(path))
	if added := m.Lines[before]; slices.Contains(m.Lines[:before], added) {
		m.Lines = m.Lines[:before]
	}
}

func (m *manifest) take(path []string, key string, args ...any) {
	m.once(func(where, what string) { m.Take(where, what, key, args...) }, path)
}

func (m *manifest) leave(path []string, instead string, args ...any) {
	m.once(func(where, what string) { m.Leave(where, what, instead, args...) }, path)
}

func (m *manifest) note(path []string, note string, args ...any) {
	m.once(func(where, what string) { m.Note(where, what, note, args...) }, path)
}

func (m *manifest) fail(path []string, format string, args ...any) {
	at, what := m.where(path)
	mistake := fmt.Errorf(at+": "+what+": "+format, args...)
	if !slices.ContainsFunc(m.Mistakes, func(other error) bool { return other.Error() == mistake.Error() }) {
		m.Mistakes = append(m.Mistakes, mistake)
	}
}

// set takes over a value as it is.
func (m *manifest) set(path []string, into draft.Keys, under, key string, value any) {
	into[key] = value
	m.take(path, "%s.%s: %v", under, key, value)
}

func (m *manifest) instead(text string) reading {
	return func(path []string, _ any) { m.leave(path, "%s", text) }
}

func (m *manifest) number(key string) reading {
	return func(path []string, value any) {
		if number, ok := number(value); ok {
			m.set(path, m.keys, m.key, key, number)
		} else {
			m.fail(path, "is %v: write a whole number", value)
		}
	}
}

// sayBeside says what stands beside a manifest.
func (m *manifest) sayBeside() {
	for _, name := range []string{"addons", "overrides"} {
		if found, _ := filepath.Glob(filepath.Join(m.directory, name, "*")); len(found) > 0 {
			m.Leave(m.FromRoot(filepath.Join(m.directory, name)), "CloudFormation", "declare resources of your own in main.go, and "+
				"name them in %s.permissions and environment", m.key)
		}
	}
}
