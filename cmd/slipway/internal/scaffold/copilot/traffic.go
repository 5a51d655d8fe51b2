package copilot

import (
	"strings"

	"slipway/cmd/slipway/internal/scaffold/draft"
)

// http is how the load balancer reaches the service.
func (m *manifest) http(path []string, value any) {
	object, is := value.(map[string]any)
	if !is { // http: false
		m.take(path, "%s has no route", m.key)
		return
	}
	if m.kind != loadBalanced {
		m.leave(path, "it is an internal load balancer: write %s.route, and loadBalancer.internal, which holds for the whole "+
			"stage", m.key)
		return
	}
	route, under := m.keys.Object("route"), m.key+".route"
	m.each(object, path, map[string]reading{
		"path":                 m.paths(route, under),
		"alias":                m.hosts(route, under),
		"healthcheck":          m.routeCheck(route, under),
		"deregistration_delay": m.time(route, under, "deregistrationDelay", 0, 3600),
		"stickiness": func(at []string, value any) {
			if value == true {
				m.set(at, route, under, "stickiness", 86400)
			}
		},
		"version": func(at []string, value any) {
			if version := strings.ToLower(text(value)); version == "http1" {
				m.set(at, route, under, "protocol", version)
			} else {
				m.leave(at, "%s needs HTTPS: write loadBalancer.zone or certificate, and then %s.protocol: %[1]s", version, under)
			}
		},
		"target_container":   m.instead("the load balancer reaches " + m.key + ".port: have that be the port of the container that answers"),
		"target_port":        m.instead("the load balancer reaches " + m.key + ".port"),
		"allowed_source_ips": m.instead("write loadBalancer.allowFrom, which holds for the whole stage"),
		"redirect_to_https":  m.instead("with loadBalancer.zone or certificate it is always redirected"),
		"hosted_zone":        m.instead("write the name of the zone in loadBalancer.zone"),
		"additional_rules":   m.instead("a service has one route: write more hosts and paths in it"),
		"ssl_policy":         m.instead("write loadBalancer.tlsPolicy"),
	})
}

func (m *manifest) paths(route draft.Keys, under string) reading {
	return func(path []string, value any) {
		written := "/" + strings.Trim(text(value), "/")
		if written == "/" {
			m.take(path, "%s: every path", under)
			return
		}
		m.set(path, route, under, "paths", []string{written, written + "/*"})
	}
}

func (m *manifest) hosts(route draft.Keys, under string) reading {
	return func(path []string, value any) {
		names, ok := list(value)
		if items, is := value.([]any); is {
			names = nil
			for _, item := range items {
				if object, is := item.(map[string]any); is {
					item = object["name"]
				}
				names = append(names, text(item))
			}
		} else if ok {
			names = strings.Split(text(value), ",")
		}
		for i := range names {
			if names[i], ok = m.filled(path, names[i]); !ok {
				return
			}
			names[i] = strings.ToLower(strings.TrimSpace(names[i]))
		}
		m.set(path, route, under, "hosts", names)
		m.note(path, "Copilot serves them by HTTPS: write loadBalancer.zone, or certificate")
	}
}

// routeCheck is how the load balancer tells whether a task is healthy.
func (m *manifest) routeCheck(route draft.Keys, under string) reading {
	return func(path []string, value any) {
		check := route.Object("healthCheck")
		here := under + ".healthCheck"
		object, is := value.(map[string]any)
		if !is {
			m.set(path, check, here, "path", text(value))
			return
		}
		m.each(object, path, map[string]reading{
			"path":                func(at []string, value any) { m.set(at, check, here, "path", text(value)) },
			"success_codes":       func(at []string, value any) { m.set(at, check, here, "codes", text(value)) },
			"healthy_threshold":   m.time(check, here, "healthyThreshold", 2, 10),
			"unhealthy_threshold": m.time(check, here, "unhealthyThreshold", 2, 10),
			"interval":            m.time(check, here, "interval", 5, 300),
			"timeout":             m.time(check, here, "timeout", 2, 120),
			"grace_period":        m.time(route, under, "gracePeriod", 0, 7200),
			"port":                m.instead("it is asked at the port of the service"),
		})
		if timeout, given := check["timeout"].(int); given && check["interval"] == nil {
			check["interval"] = max(30, timeout+1) // which is AWS's own, and so Copilot's
			m.note(path, "%s.interval: %d, as AWS has it", here, check["interval"])
		}
		if len(check) == 0 {
			delete(route, "healthCheck")
		}
	}
}

// count is how many tasks run, and what that follows.
func (m *manifest) count(path []string, value any) {
	object, is := value.(map[string]any)
	if !is {
		m.number("replicas")(path, value)
		return
	}
	scaling, under := draft.Keys{}, m.key+".scaling"
	cooldown := m.cooldown(scaling, under)
	follows := object["cpu_percentage"] != nil || object["memory_percentage"] != nil || object["requests"] != nil
	if !follows {
		cooldown = m.instead("write scaleInCooldown and scaleOutCooldown in " + under)
	}
	m.each(object, path, map[string]reading{
		"range":             m.bounds(scaling, under, follows),
		"cpu_percentage":    m.target(scaling, under, "cpu"),
		"memory_percentage": m.target(scaling, under, "memory"),
		"requests":          m.target(scaling, under, "requests"),
		"cooldown":          cooldown,
		"response_time":     m.instead("write the load balancer's metric TargetResponseTime in scaling.metrics"),
		"queue_delay": m.instead("write the queue's name in scaling.queue, and as its backlog acceptable_latency " +
			"divided by msg_processing_time; cluster.containerInsights has to be on"),
		"spot": func(at []string, value any) {
			m.number("replicas")(at, value)
			m.keys["capacity"] = draft.Keys{"spot": 1}
			m.take(at, "%s.capacity: {spot: 1}", m.key)
		},
	})
	if scaling["max"] != nil {
		m.keys["scaling"] = scaling
	}
}

// bounds are the least and the most tasks, where the count follows something that is taken over.
func (m *manifest) bounds(scaling draft.Keys, under string, follows bool) reading {
	return func(path []string, value any) {
		object, is := value.(map[string]any)
		if !is {
			least, most, _ := strings.Cut(text(value), "-")
			object = map[string]any{"min": least, "max": most}
		}
		for _, key := range []string{"min", "max"} {
			bound, ok := number(object[key])
			if !ok {
				m.fail(path, "is %v: write min and max, as in 1-10", value)
				return
			}
			switch {
			case follows:
				m.set(path, scaling, under, key, bound)
			case key == "min":
				m.set(path, m.keys, m.key, "replicas", bound)
			default:
				m.leave(path, "nothing that the count follows was taken over: write max: %d in %s, and what it is to follow",
					bound, under)
			}
		}
		if first, given := number(object["spot_from"]); given && first > 0 {
			m.keys["capacity"] = draft.Keys{"spot": 1, "base": first - 1}
			m.take(append(path, "spot_from"), "%s.capacity: {spot: 1, base: %d}", m.key, first-1)
		}
	}
}

func (m *manifest) target(scaling draft.Keys, under, key string) reading {
	return func(path []string, value any) {
		if object, is := value.(map[string]any); is {
			value = object["value"]
			if object["cooldown"] != nil {
				m.cooldown(scaling, under)(append(path, "cooldown"), object["cooldown"])
			}
		}
		if target, ok := number(value); ok {
			m.set(path, scaling, under, key, target)
		} else {
			m.fail(path, "is %v: write a whole number", value)
		}
	}
}

func (m *manifest) cooldown(scaling draft.Keys, under string) reading {
	return func(path []string, value any) {
		object, _ := value.(map[string]any)
		m.each(object, path, map[string]reading{"in": m.time(scaling, under, "scaleInCooldown", 0, 86400),
			"out": m.time(scaling, under, "scaleOutCooldown", 0, 86400)})
	}
}
