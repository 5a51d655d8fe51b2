package stage

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// serviceName is a name by which services call each other: one label of a host name.
var serviceName = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

// HasNames tells whether any service has a name by which others call it.
//
// Example: HasNames() is true where services.api.name is written
func (s *Stage) HasNames() bool {
	for _, service := range s.Services {
		if service.Name != "" {
			return true
		}
	}
	return false
}

// Callers are the services that call a service, sorted.
//
// Example: Callers("api") has web, where services.web.calls has api
func (s *Stage) Callers(service string) (callers []string) {
	for name, each := range s.Services {
		if slices.Contains(each.Calls, service) {
			callers = append(callers, name)
		}
	}
	slices.Sort(callers)
	return callers
}

// CalledFirst are the stage's services, each after those that it calls, and otherwise in the order of their names.
//
// Example: CalledFirst() has api before web, where services.web.calls has api
func (s *Stage) CalledFirst() (names []string) {
	var add func(name string)
	add = func(name string) {
		if slices.Contains(names, name) {
			return
		}
		for _, called := range slices.Sorted(slices.Values(s.Services[name].Calls)) {
			add(called)
		}
		names = append(names, name)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Services)) {
		add(name)
	}
	return names
}

// checkNames checks by which names services are called, and whom they call.
func (c *checker) checkNames() {
	services, named := c.document.Services, map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(services)) {
		service, here := services[name], c.at("services", name)
		at := here.at("name")
		switch port := here.at("port"); {
		case at.bad:
		case service.Name != "" && !serviceName.MatchString(service.Name):
			at.fail("is %q; write 1 to 63 lower case letters, digits and -, beginning with a letter, as in api",
				shorten(service.Name))
		case service.Name == "localhost":
			at.fail("is %q, which is each container itself; use another name", service.Name)
		case service.Name != "" && !port.present && !port.bad:
			at.fail("is a name for a service that has no port; write port, or remove name")
		case service.Name != "" && named[service.Name] != "":
			at.fail("is the name of %s already; use another one", "services."+named[service.Name])
		case service.Name == "" && service.AppProtocol != "":
			here.at("appProtocol").fail("is for a service that others call by its name; write name, or remove appProtocol")
		case service.Name != "":
			named[service.Name] = name
		}
		c.checkCalls(name, here.at("calls"), service.Calls)
	}
	if circle := findCallCircle(services); circle != nil {
		c.at("services", circle[0], "calls").fail("makes services call each other in a circle: %s. ECS tells a service only "+
			"of names that are there when its deployment begins; remove one of these calls", strings.Join(circle, " → "))
	}
}

func (c *checker) checkCalls(name string, here place, calls []string) {
	callable := []string{}
	for other, service := range c.document.Services {
		if service.Name != "" && other != name {
			callable = append(callable, other)
		}
	}
	slices.Sort(callable)
	for i, called := range calls {
		other, declared := c.document.Services[called]
		switch at := here.at(i); {
		case at.bad || c.at("services").bad || c.at("services", called, "name").bad:
		case called == name:
			at.fail("is the service itself; name another one, or remove it")
		case slices.Contains(calls[:i], called):
			at.fail("duplicates %s; remove it", called)
		case !declared:
			at.fail("names %q, which is no service of the stage%s", shorten(called), orOneOf(callable))
		case other.Name == "":
			at.fail("names %s, which nobody can call: write services.%[1]s.name, such as %[1]s", called)
		}
	}
}

// findCallCircle finds services that call each other, the first of them at the end again; nil where there are none.
func findCallCircle(services map[string]Service) []string {
	done := map[string]bool{}
	var follow func(path []string, name string) []string
	follow = func(path []string, name string) []string {
		if at := slices.Index(path, name); at >= 0 {
			return append(slices.Clone(path[at:]), name)
		}
		if done[name] {
			return nil
		}
		for _, called := range services[name].Calls {
			if called == name {
				continue
			}
			if circle := follow(append(slices.Clone(path), name), called); circle != nil {
				return circle
			}
		}
		done[name] = true
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(services)) {
		if circle := follow(nil, name); circle != nil {
			return circle
		}
	}
	return nil
}
