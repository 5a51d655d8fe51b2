package stage

import (
	"hash/fnv"
	"strings"
)

// firstPriority leaves those before it to the user.
const firstPriority = 1001

// bands are how many priorities there are for each kind of hosts (exact, with wildcards, none) and, within that, of
// paths (exact, beginning with three parts or more, two, one, none). A rule's place in its band is a hash of the
// service's name; the wider a band, the less likely are two services to have the same. 1001 to 48000 in all.
var bands = [3][5]uint32{
	{2000, 1000, 2000, 5000, 18000},
	{500, 500, 500, 1500, 3000},
	{1500, 1000, 2000, 8000, 500},
}

// priority is that of a service's rule: the written one, or one that depends on nothing but the route and the
// service's own name.
func (r Route) priority(family string) int {
	if r.Priority != 0 {
		return r.Priority
	}
	hosts, paths := r.kind()
	first := uint32(firstPriority)
	for i, row := range bands {
		for j, width := range row {
			if i == hosts && j == paths {
				hash := fnv.New32a()
				hash.Write([]byte(family))
				return int(first + hash.Sum32()%width)
			}
			first += width
		}
	}
	panic("stage: no band for a route")
}

// kind is the route's row and column in bands: that of its least specific host and path.
func (r Route) kind() (hosts, paths int) {
	if len(r.Hosts) == 0 {
		hosts = 2
	}
	for _, host := range r.Hosts {
		if strings.ContainsAny(host, "*?") {
			hosts = max(hosts, 1)
		}
	}
	if len(r.Paths) == 0 {
		paths = 4
	}
	for _, path := range r.Paths {
		literal, _, pattern := strings.Cut(strings.ReplaceAll(path, "?", "*"), "*")
		if pattern {
			parts := strings.FieldsFunc(literal, func(c rune) bool { return c == '/' })
			paths = max(paths, 4-min(len(parts), 3))
		}
	}
	return hosts, paths
}

// Priority is the priority of a service's listener rule.
//
// Example: Priority("web") is 100 where its route has priority: 100
func (s *Stage) Priority(service string) int {
	return s.Services[service].Route.priority(s.Family(service))
}
