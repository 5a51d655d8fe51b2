package stage

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// priorities are those of a stage's services.
func priorities(services map[string]Route) map[string]int {
	s := Stage{Project: "shop", Name: "dev", Services: map[string]Service{}}
	for name, route := range services {
		s.Services[name] = Service{Route: &route}
	}
	all := map[string]int{}
	for name := range services {
		all[name] = s.Priority(name)
	}
	return all
}

// ranks are routes from the most specific to the least.
var ranks = [][]Route{
	{{Hosts: []string{"a.example.com"}, Paths: []string{"/a"}},
		{Hosts: []string{"b.example.com", "a.example.com"}, Paths: []string{"/a/b/c/d", "/"}}},
	{{Hosts: []string{"a.example.com"}, Paths: []string{"/a/b/c/*"}},
		{Hosts: []string{"a.example.com"}, Paths: []string{"/a", "/a/b/c/d/e?"}}},
	{{Hosts: []string{"a.example.com"}, Paths: []string{"/a/b/*"}},
		{Hosts: []string{"a.example.com"}, Paths: []string{"/a/b*", "/a"}}},
	{{Hosts: []string{"a.example.com"}, Paths: []string{"/a/*"}},
		{Hosts: []string{"a.example.com"}, Paths: []string{"/a?", "/a/b/*"}}},
	{{Hosts: []string{"a.example.com"}}, {Hosts: []string{"a.example.com"}, Paths: []string{"/*"}},
		{Hosts: []string{"a.example.com"}, Paths: []string{"/a", "/*.png"}}},
	{{Hosts: []string{"*.example.com"}, Paths: []string{"/a"}},
		{Hosts: []string{"a.example.com", "a?.example.com"}, Paths: []string{"/a"}}},
	{{Hosts: []string{"*.example.com"}, Paths: []string{"/a/b/c/*"}}},
	{{Hosts: []string{"*.example.com"}, Paths: []string{"/a/b/*"}}},
	{{Hosts: []string{"*.example.com"}, Paths: []string{"/a/*"}}},
	{{Hosts: []string{"*.example.com"}}, {Hosts: []string{"*.example.com"}, Paths: []string{"/*"}}},
	{{Paths: []string{"/a"}}, {Paths: []string{"/a", "/b"}}},
	{{Paths: []string{"/a/b/c/*"}}},
	{{Paths: []string{"/a/b/*"}}},
	{{Paths: []string{"/a/*"}}},
	{{}, {Paths: []string{"/*"}}},
}

func TestTheMoreSpecificRouteComesFirst(t *testing.T) {
	t.Parallel()
	require.Len(t, ranks, len(bands)*len(bands[0]))
	previous := firstPriority - 1
	for rank, routes := range ranks {
		first, last := previous+1, previous+int(bands[rank/len(bands[0])][rank%len(bands[0])])
		for _, route := range routes {
			for i := range 200 { // whatever the service is called
				name := fmt.Sprintf("service-%d", i)
				got := priorities(map[string]Route{name: route})[name]
				require.True(t, first <= got && got <= last, "%+v: %d is not in %d to %d", route, got, first, last)
			}
		}
		previous = last
	}
	require.Equal(t, 48000, previous, "as the comment of bands says")
}

func TestAWrittenPriorityIsTaken(t *testing.T) {
	t.Parallel()
	require.Equal(t, map[string]int{"a": 1, "b": 50000},
		priorities(map[string]Route{"a": {Priority: 1}, "b": {Hosts: []string{"a.example.com"}, Priority: 50000}}))
}

func TestAPriorityDependsOnTheServiceAlone(t *testing.T) {
	t.Parallel()
	web := Route{Hosts: []string{"shop.example.com"}}
	alone := priorities(map[string]Route{"web": web})["web"]
	require.Equal(t, 25365, alone, "a new release moves no rule") // whoever changes this moves the rules of every stage
	others := map[string]Route{"web": web, "api": {Hosts: []string{"shop.example.com"}, Paths: []string{"/api/*"}},
		"a": {}, "zz": {Priority: 7}}
	require.Equal(t, alone, priorities(others)["web"], "when others come")
	delete(others, "api")
	require.Equal(t, alone, priorities(others)["web"], "when they go")

	other := Stage{Project: "shop", Name: "qa", Services: map[string]Service{"web": {Route: &web}}}
	require.NotEqual(t, alone, other.Priority("web"), "two stages may share a load balancer")
	web.HealthCheck.Path, web.Protocol, web.GracePeriod, web.Hosts = "/health", "http2", 5, []string{"other.example.com"}
	require.Equal(t, alone, priorities(map[string]Route{"web": web})["web"], "the same kind of hosts and paths")
}

func TestNoPriorityLeavesItsBand(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	starts := [3][5]int{}
	next := firstPriority
	for i, row := range bands {
		for j, width := range row {
			starts[i][j] = next
			next += int(width)
		}
	}
	for range 20000 {
		var route Route
		wantHosts, wantPaths := 2, 4
		if count := random.IntN(4); count > 0 {
			wantHosts = 0
			for range count {
				host := pick("a", "shop", "*", "x-*", "b?") + pick(".example.com", ".example.org", ".*.com")
				route.Hosts = append(route.Hosts, host)
				if strings.ContainsAny(host, "*?") {
					wantHosts = 1
				}
			}
		}
		if count := random.IntN(3); count > 0 {
			wantPaths = 0
			for range count {
				depth := random.IntN(5)
				path := strings.Repeat("/x", depth) + pick("/", "/*", "/?")
				route.Paths = append(route.Paths, path)
				if strings.ContainsAny(path, "*?") {
					wantPaths = max(wantPaths, 4-min(depth, 3))
				}
			}
		}
		name := fmt.Sprintf("s%d", random.Uint64())
		got, start := priorities(map[string]Route{name: route})[name], starts[wantHosts][wantPaths]
		require.True(t, start <= got && got < start+int(bands[wantHosts][wantPaths]), "%s %+v: %d", name, route, got)
		require.True(t, 1001 <= got && got <= 48000)
	}
}
