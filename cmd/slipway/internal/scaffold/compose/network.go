package compose

import (
	"maps"
	"slices"
	"strconv"

	"github.com/compose-spec/compose-go/v2/types"

	"slipway/cmd/slipway/internal/scaffold/draft"
)

// ports has the first TCP port be the service's.
func (s *service) ports() {
	for i, port := range s.config.Ports {
		at := strconv.Itoa(i)
		what := s.what("ports." + at)
		switch target := int(port.Target); {
		case s.kind == "tasks":
			s.Leave(s.where("ports", at), what, "nothing reaches a task that runs once")
		case port.Protocol != "" && port.Protocol != "tcp" && port.Protocol != "udp":
			s.Leave(s.where("ports", at), what, "ECS has ports of TCP and UDP, and none of %s", port.Protocol)
		case port.Protocol == "udp":
			s.furtherPort(s.where("ports", at), what, target, port.Protocol)
		case s.keys["port"] == nil:
			s.keys["port"] = target
			s.Take(s.where("ports", at), what, "%s.port: %d", s.key, target)
			if port.Published != "" && port.HostIP != "127.0.0.1" {
				s.Note(s.where("ports", at), what, "nobody reaches %s.port yet: write %[1]s.route: {} for a load "+
					"balancer, or allowFrom", s.key)
			}
		default:
			s.furtherPort(s.where("ports", at), what, target, "tcp")
		}
	}
}

// furtherPort adds a port beside that of the service.
func (s *service) furtherPort(where, what string, port int, protocol string) {
	ports, _ := s.keys["ports"].([]any)
	keys := draft.Keys{"port": port}
	if protocol != "tcp" {
		keys["protocol"] = protocol
	}
	if s.keys["port"] == port && protocol == "tcp" || slices.ContainsFunc(ports, func(other any) bool {
		return maps.EqualFunc(other.(draft.Keys), keys, func(a, b any) bool { return a == b })
	}) {
		return // as it was said already
	}
	s.keys["ports"] = append(ports, keys)
	s.Take(where, what, "%s.ports: %d/%s, which nobody reaches before its allowFrom", s.key, port, protocol)
}

func (s *service) expose() {
	for i, text := range s.config.Expose {
		at := strconv.Itoa(i)
		port, err := strconv.Atoi(text)
		if err == nil && s.keys["port"] == port {
			continue // as ports have said
		}
		if err != nil || s.kind == "tasks" {
			s.Leave(s.where("expose", at), s.what("expose."+at), "it is no TCP port of a service")
			continue
		}
		if s.keys["port"] != nil {
			s.furtherPort(s.where("expose", at), s.what("expose."+at), port, "tcp")
			continue
		}
		s.keys["port"] = port
		s.Take(s.where("expose", at), s.what("expose."+at), "%s.port: %d", s.key, port)
	}
}

func (s *service) dependsOn() {
	for _, on := range slices.Sorted(maps.Keys(s.config.DependsOn)) {
		at, what := s.where("depends_on", on), s.what("depends_on."+on)
		switch {
		case slices.Contains(s.leftOut, on):
			s.Leave(at, what, "%s is none of the stage's services", on)
		case s.config.DependsOn[on].Condition == types.ServiceConditionCompletedSuccessfully:
			s.Take(at, what, "tasks.%s.before: [%s]", on, s.config.Name)
		default:
			s.Leave(at, what, "services are deployed side by side: have %s try again until %s answers", s.config.Name, on)
		}
	}
}

func (s *service) healthCheck() {
	check := s.config.HealthCheck
	if check == nil || check.Disable || len(check.Test) > 0 && check.Test[0] == "NONE" {
		s.leave("healthcheck", "ECS ignores what the image has: a container that runs is healthy")
		return
	}
	if draft.HasSecret(check.Test) {
		s.leave("healthcheck", "its test has what looks like a secret: read it from a variable, and write %s.healthCheck", s.key)
		return
	}
	if len(check.Test) == 0 {
		s.leave("healthcheck", "it has no test, and ECS ignores that of the image: write %s.healthCheck.command", s.key)
		return
	}
	keys := draft.Keys{"command": []string(check.Test)}
	s.keys["healthCheck"] = keys
	s.Take(s.where("healthcheck", "test"), s.what("healthcheck.test"), "%s.healthCheck.command: %s", s.key,
		quoted(check.Test))
	for _, each := range []struct {
		key, becomes string
		time         *types.Duration
		least, most  int
	}{{"interval", "interval", check.Interval, 5, 300}, {"timeout", "timeout", check.Timeout, 2, 60},
		{"start_period", "startPeriod", check.StartPeriod, 0, 300}} {
		if each.time == nil {
			continue
		}
		seconds, said := draft.Seconds(roundedUp(each.time), each.least, each.most)
		keys[each.becomes] = seconds
		s.Take(s.where("healthcheck", each.key), s.what("healthcheck."+each.key), "%s.healthCheck.%s: %d%s", s.key,
			each.becomes, seconds, said)
	}
	if check.Retries != nil {
		retries, said := draft.Seconds(int(*check.Retries), 1, 10)
		keys["retries"] = retries
		s.Take(s.where("healthcheck", "retries"), s.what("healthcheck.retries"), "%s.healthCheck.retries: %d%s", s.key,
			retries, said)
	}
	if check.StartInterval != nil {
		s.leave("healthcheck.start_interval", "ECS has no other interval at the start")
	}
}
