package copilot

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"slipway/cmd/slipway/internal/scaffold/draft"
	"slipway/internal/imageref"
)

// image is what the main container runs.
func (m *manifest) image(path []string, value any) {
	object, is := value.(map[string]any)
	if !is {
		m.fail(path, "write build or location below it")
		return
	}
	m.each(object, path, map[string]reading{
		"build": func(at []string, value any) { m.build(at, m.name, value) },
		"location": func(at []string, value any) {
			if ref, ok := m.reference(at, value); ok {
				m.all.Object("images").Object(m.name)["ref"] = ref
				m.take(at, "images.%s.ref: %s", m.name, ref)
			}
		},
		"port":        m.port,
		"depends_on":  m.dependsOn(m.keys, m.key),
		"healthcheck": m.healthCheck(m.keys, m.key),
		"credentials": m.credentials(object["location"]),
		"labels":      m.labels(m.keys, m.key),
	})
}

func (m *manifest) port(path []string, value any) {
	port, ok := number(value)
	switch {
	case !ok:
		m.fail(path, "is %v: write a port", value)
	case m.section == "tasks":
		m.leave(path, "nothing reaches a task that runs once")
	default:
		m.set(path, m.keys, m.key, "port", port)
	}
}

// build has the first stage build an image. Paths are relative to the directory that holds copilot.
func (m *manifest) build(path []string, name string, value any) {
	object, is := value.(map[string]any)
	if !is {
		object = map[string]any{"dockerfile": value}
	}
	file, context := text(object["dockerfile"]), text(object["context"])
	switch {
	case file == "":
		file = filepath.Join(context, "Dockerfile")
	case context == "":
		context = filepath.Dir(file)
	}
	if !m.builds {
		return // it runs what the first stage has built
	}
	build := m.AddBuild(name, filepath.Join(m.Root, context), filepath.Join(m.Root, file))
	m.take(path, "images.%s.build", name)
	if main, is := m.Builds[m.name].(draft.Keys); is && main.Object("build")["platform"] != nil { // one for all of a task
		build["platform"] = main.Object("build")["platform"]
	}
	m.each(object, path, map[string]reading{
		"dockerfile": nil, "context": nil,
		"target": func(at []string, value any) { m.set(at, build, "images."+name+".build", "target", text(value)) },
		"args": func(at []string, value any) {
			args, _ := value.(map[string]any)
			for _, arg := range slices.Sorted(maps.Keys(args)) {
				here, value := append(slices.Clone(at), arg), text(args[arg])
				if draft.IsSecret(arg, value) {
					m.leave(here, "it looks like a secret, which would be readable in the image")
					continue
				}
				if value, ok := m.filled(here, value); ok {
					m.set(here, build.Object("args"), "images."+name+".build.args", arg, value)
				}
			}
		},
		"cache_from": m.instead("write images.<image>.build.cacheFrom, once its references are those of the stage"),
	})
}

// reference is somebody else's image.
func (m *manifest) reference(path []string, value any) (string, bool) {
	written, ok := m.filled(path, text(value))
	if !ok {
		written = placeholder.ReplaceAllString(written, "$1") // so that what is written shows where the value belongs
	}
	ref, err := imageref.Parse(written)
	if err != nil {
		m.fail(path, "%s is no reference to an image: %w", written, err)
		return "", false
	}
	if ref.Tag == "" && ref.Digest == "" {
		written += ":latest"
		m.note(path, "it names no version, so `latest` is written: write a full version")
	}
	if ref.Digest == "" {
		m.note(path, "it has no digest, without which nothing is deployed: `slipway pin %s` looks it up and writes it",
			m.FirstStage)
	}
	return written, true
}

func (m *manifest) platform(path []string, value any) {
	platform := strings.ReplaceAll(text(value), "x86_64", "amd64")
	if object, is := value.(map[string]any); is {
		platform = text(object["osfamily"]) + "/" + strings.ReplaceAll(text(object["architecture"]), "x86_64", "amd64")
	}
	if platform != "linux/amd64" && platform != "linux/arm64" {
		m.leave(path, "slipway has Linux on amd64 and arm64 only")
		return
	}
	under := m.all.Object("images").Object(m.name)
	if built, is := m.Builds[m.name].(draft.Keys); is && !m.builds {
		delete(m.all.Object("images"), m.name)
		return // it runs what the first stage has built
	} else if is {
		delete(m.all.Object("images"), m.name)
		under = built.Object("build")
	}
	m.set(path, under, "images."+m.name, "platform", platform)
}

var conditions = []string{"START", "HEALTHY", "COMPLETE", "SUCCESS"}

func (m *manifest) dependsOn(into draft.Keys, key string) reading {
	return func(path []string, value any) {
		object, _ := value.(map[string]any)
		for _, on := range slices.Sorted(maps.Keys(object)) {
			at, condition := append(slices.Clone(path), on), strings.ToUpper(text(object[on]))
			if !slices.Contains(conditions, condition) {
				m.fail(at, "is %v: write start, healthy, complete or success", object[on])
				continue
			}
			m.set(at, into.Object("dependsOn"), key+".dependsOn", on, condition)
		}
	}
}

func (m *manifest) healthCheck(into draft.Keys, key string) reading {
	return func(path []string, value any) {
		object, _ := value.(map[string]any)
		under, check := key+".healthCheck", draft.Keys{}
		command, ok := list(object["command"])
		if !ok || len(command) == 0 || draft.HasSecret(command) {
			command = []string{"CMD-SHELL", "curl -f http://localhost/ || exit 1"} // as Copilot does
		}
		into["healthCheck"] = check
		m.set(path, check, under, "command", command)
		m.each(object, path, map[string]reading{"command": nil,
			"interval":     m.time(check, under, "interval", 5, 300),
			"timeout":      m.time(check, under, "timeout", 2, 60),
			"retries":      m.time(check, under, "retries", 1, 10),
			"start_period": m.time(check, under, "startPeriod", 0, 300)})
	}
}

// time takes over a time, or a count, within what AWS takes.
func (m *manifest) time(into draft.Keys, under, key string, least, most int) reading {
	return func(path []string, value any) {
		found, ok := seconds(value)
		if !ok {
			m.fail(path, "is %v: write a time as in 30s", value)
			return
		}
		within, said := draft.Seconds(found, least, most)
		into[key] = within
		m.take(path, "%s.%s: %d%s", under, key, within, said)
	}
}

// sidecars are the containers beside the main one.
func (m *manifest) sidecars(path []string, value any) {
	object, _ := value.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(object)) {
		sidecar, _ := object[name].(map[string]any)
		keys := m.keys.Object("containers").Object(name)
		key, at := m.key+".containers."+name, append(slices.Clone(path), name)
		m.each(sidecar, at, map[string]reading{
			"image": func(here []string, value any) {
				if object, is := value.(map[string]any); is {
					keys["image"] = m.name + "-" + name
					m.build(append(slices.Clone(here), "build"), m.name+"-"+name, object["build"])
				} else if ref, ok := m.reference(here, value); ok {
					m.set(here, keys, key, "image", ref)
				}
			},
			"essential":            func(here []string, value any) { m.set(here, keys, key, "essential", value == true) },
			"variables":            m.variables(keys, key),
			"secrets":              m.secrets(keys, key),
			"env_file":             m.environmentFile(keys, key, sidecar["variables"]),
			"command":              m.arguments(keys, key, "command"),
			"entrypoint":           m.arguments(keys, key, "entryPoint"),
			"depends_on":           m.dependsOn(keys, key),
			"healthcheck":          m.healthCheck(keys, key),
			"port":                 m.sidecarPort(keys, key),
			"mount_points":         m.instead("a task keeps nothing: for what its containers share write mounts"),
			"credential_parameter": m.credentials(sidecar["image"]),
			"labels":               m.labels(keys, key),
		})
	}
}
