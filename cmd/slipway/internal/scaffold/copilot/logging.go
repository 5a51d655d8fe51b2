package copilot

import (
	"maps"
	"slices"
	"strings"

	"slipway/cmd/slipway/internal/scaffold/draft"
	"slipway/internal/imageref"
)

// logRouter is what Copilot calls the container that sends on what the main one writes, defaultRouter its image.
const (
	logRouter     = "firelens_log_router"
	defaultRouter = "public.ecr.aws/aws-observability/aws-for-fluent-bit:stable"
)

func (m *manifest) router() draft.Keys { return m.keys.Object("containers").Object(logRouter) }

func (m *manifest) routerKey() string { return m.key + ".containers." + logRouter }

// routes tells whether a manifest's logging asks for a log router.
func (m *manifest) routes(logging map[string]any) bool {
	return slices.ContainsFunc(slices.Collect(maps.Keys(logging)), func(key string) bool { return key != "retention" })
}

func (m *manifest) routerImage(path []string, value any) {
	if ref, ok := m.reference(path, value); ok {
		m.set(path, m.router(), m.routerKey(), "image", ref)
	}
}

// destination are the options of the output plugin.
func (m *manifest) destination(path []string, value any) {
	object, _ := value.(map[string]any)
	for _, option := range slices.Sorted(maps.Keys(object)) {
		at, written := append(slices.Clone(path), option), text(object[option])
		if draft.IsSecret(option, written) {
			m.leave(at, "it looks like a secret: declare it in secrets, and name that in %s.logs.secrets", m.key)
			continue
		}
		if filled, ok := m.filled(at, written); ok {
			m.set(at, m.keys.Object("logs").Object("options"), m.key+".logs.options", option, filled)
		}
	}
}

func (m *manifest) metadata(path []string, value any) {
	m.set(path, m.router().Object("firelens"), m.routerKey()+".firelens", "ecsLogMetadata", value == true)
}

func (m *manifest) configFile(path []string, value any) {
	m.set(path, m.router().Object("firelens"), m.routerKey()+".firelens", "configFile", text(value))
}

// logSecrets are options of the output plugin whose values are kept as secrets.
func (m *manifest) logSecrets(path []string, value any) {
	holder := draft.Keys{} // what a container would be given, as variables
	m.secrets(holder, m.key+".logs")(path, value)
	names, _ := holder["secrets"].([]string)
	for _, name := range names {
		m.keys.Object("logs").Object("secrets")[name] = name
	}
}

// labels are docker labels of a container.
func (m *manifest) labels(into draft.Keys, key string) reading {
	return func(path []string, value any) {
		object, _ := value.(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(object)) {
			at := append(slices.Clone(path), name)
			if filled, ok := m.filled(at, text(object[name])); ok {
				m.set(at, into.Object("dockerLabels"), key+".dockerLabels", name, filled)
			}
		}
	}
}

// sidecarPort is a port that a container beside the main one listens on: 80, or "8125/udp".
func (m *manifest) sidecarPort(into draft.Keys, key string) reading {
	return func(path []string, value any) {
		written, protocol, given := strings.Cut(text(value), "/")
		port, ok := number(written)
		if !ok {
			m.fail(path, "is %v: write a port", value)
			return
		}
		keys := draft.Keys{"port": port}
		if given && protocol != "tcp" {
			keys["protocol"] = protocol
		}
		into["ports"] = []any{keys}
		m.take(path, "%s.ports: %v, which nobody but the task's containers reaches before its allowFrom", key, value)
	}
}

// credentials are those of the registry that an image is pulled from.
func (m *manifest) credentials(image any) reading {
	return func(path []string, value any) {
		written, _ := m.filled(path, text(image))
		ref, err := imageref.Parse(written)
		arn, ok := m.filled(path, text(value))
		if err != nil || !ok || !strings.HasPrefix(arn, "arn:") {
			m.leave(path, "write the ARN of the secret in registries.<registry>.credentials")
			return
		}
		m.set(path, m.all.Object("registries").Object(ref.Host), "registries."+ref.Host, "credentials", arn)
	}
}

// ephemeral is the size of a task's disk in GiB.
func (m *manifest) ephemeral(path []string, value any) {
	const least = 21
	size, ok := number(value)
	switch {
	case !ok:
		m.fail(path, "is %v: write GiB", value)
	case size < least:
		m.take(path, "the 20 GiB that each task has")
	default:
		m.set(path, m.keys, m.key, "ephemeralStorage", size)
	}
}
