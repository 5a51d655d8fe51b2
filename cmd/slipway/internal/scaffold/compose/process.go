package compose

import (
	"maps"
	"slices"
	"strings"

	"slipway/cmd/slipway/internal/scaffold/draft"
	"slipway/internal/awslimits"
)

// labels are a container's docker labels.
func (s *service) labels() {
	for _, name := range slices.Sorted(maps.Keys(s.config.Labels)) {
		where, what, value := s.where("labels", name), s.what("labels."+name), s.config.Labels[name]
		switch {
		case strings.HasPrefix(name, "slipway.") || strings.HasPrefix(name, "com.amazonaws.ecs."):
			s.Leave(where, what, "labels of this name are written for you: use another name")
		case draft.IsSecret(name, value):
			s.Leave(where, what, "it looks like a secret, and labels are readable")
		default:
			s.keys.Object("dockerLabels")[name] = value
			s.Take(where, what, "%s.dockerLabels.%s: %s", s.key, name, value)
		}
	}
}

// sysctls are kernel parameters.
func (s *service) sysctls() {
	for _, name := range slices.Sorted(maps.Keys(s.config.Sysctls)) {
		where, what, value := s.where("sysctls", name), s.what("sysctls."+name), s.config.Sysctls[name]
		if !awslimits.SystemControl(name) {
			s.Leave(where, what, "ECS sets no such kernel parameter; it sets %s", awslimits.SystemControlsInWords)
			continue
		}
		s.keys.Object("systemControls")[name] = value
		s.Take(where, what, "%s.systemControls.%s: %s", s.key, name, value)
	}
}

// capabilities are added to, or dropped from, what Docker gives a container.
func (s *service) capabilities(key, becomes string, names []string) {
	var taken []string
	for i, name := range names {
		plain := strings.TrimPrefix(strings.ToUpper(name), "CAP_")
		known := slices.Contains(awslimits.Capabilities, plain)
		switch {
		case !known:
			s.Leave(s.where(key), s.what(key), "%s is no capability that ECS knows", name)
		case becomes == "add" && plain != awslimits.AddedCapability:
			s.Leave(s.where(key), s.what(key), "Fargate adds %s alone, and no %s", awslimits.AddedCapability, plain)
		case !slices.Contains(names[:i], name):
			taken = append(taken, plain)
		}
	}
	if len(taken) > 0 {
		s.keys.Object("capabilities")[becomes] = taken
		s.Take(s.where(key), s.what(key), "%s.capabilities.%s: %s", s.key, becomes, strings.Join(taken, ", "))
	}
}
