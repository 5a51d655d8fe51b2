package stage

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// checkRoutes looks for services that would take requests from each other.
func (c *checker) checkRoutes() {
	type request struct {
		internal   bool
		host, path string
	}
	type rank struct {
		internal bool
		priority int
	}
	taken, ranks := map[request][]string{}, map[rank]string{}
	for _, name := range slices.Sorted(maps.Keys(c.document.Services)) {
		route := c.document.Services[name].Route
		here := c.at("services", name, "route")
		if route == nil || here.bad {
			continue
		}
		compared := []string{name}
		for _, host := range orAny(route.Hosts, "*") {
			for _, path := range orAny(route.Paths, "/*") {
				asked := request{route.Internal, host, path}
				for _, other := range taken[asked] {
					switch {
					case other == name:
					case c.document.Services[other].Route.headerText() == route.headerText():
						here.fail("answers to the same requests as services.%s.route (host %s, path %s); give them other hosts or "+
							"paths", other, host, path)
					case !slices.Contains(compared, other):
						compared = append(compared, other)
						c.checkHeadersComeFirst(name, other)
						c.checkHeadersComeFirst(other, name)
					}
				}
				taken[asked] = append(taken[asked], name)
			}
		}
		priority, is := route.priority(c.names().Family(name)), "would be"
		if route.Priority != 0 {
			is = "is"
		}
		own := rank{route.Internal, priority}
		if other, isTaken := ranks[own]; isTaken {
			here.at("priority").fail("%s %d, which services.%s.route has, too; write another one here: 1 to 1000 comes "+
				"before all services without one", is, priority, other)
		}
		ranks[own] = name
	}
}

// checkHeadersComeFirst checks that a route with headers is looked at before one to the same place without any.
func (c *checker) checkHeadersComeFirst(name, other string) {
	route, plain := c.document.Services[name].Route, c.document.Services[other].Route
	first, second := route.priority(c.names().Family(name)), plain.priority(c.names().Family(other))
	if len(route.Headers) > 0 && len(plain.Headers) == 0 && first > second {
		c.at("services", name, "route", "priority").fail("is %d, and services.%s.route, which asks for no headers, takes all "+
			"requests before, by its priority %d; write a lower one here: 1 to 1000 comes before all services without one",
			first, other, second)
	}
}

// headerText is the same for the same headers: AWS ignores the case of names and values, and their order.
func (r Route) headerText() string {
	var all []string
	for name, values := range r.Headers {
		folded := strings.Split(strings.ToLower(strings.Join(values, "\n")), "\n")
		slices.Sort(folded)
		all = append(all, fmt.Sprintf("%q: %q", strings.ToLower(name), folded))
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

func orAny(patterns []string, every string) []string {
	if len(patterns) == 0 {
		return []string{every}
	}
	return patterns
}
