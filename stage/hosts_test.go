package stage

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCertificateDomains(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		hosts [][]string // by service; nil for a service without a route
		want  []string
	}{
		"a host": {[][]string{{"shop.example.com"}}, []string{"*.example.com"}},
		"hosts of several services": {[][]string{{"shop.example.com"}, nil, {"api.example.com", "www.example.com"}},
			[]string{"*.example.com"}},
		"a wildcard":      {[][]string{{"*.example.com"}}, []string{"*.example.com"}},
		"the zone itself": {[][]string{{"example.com"}}, []string{"example.com"}},
		"the zone and hosts in it": {[][]string{{"example.com", "www.example.com"}},
			[]string{"*.example.com", "example.com"}},
		"a host that is deeper": {[][]string{{"a.dev.example.com"}}, []string{"*.dev.example.com"}},
		"a wildcard that is deeper": {[][]string{{"*.dev.example.com"}, {"dev.example.com"}},
			[]string{"*.dev.example.com", "*.example.com"}},
		"no host": {[][]string{nil, {}}, nil},
		"a host that others come from": {[][]string{{"a.example.com", "b.a.example.com"}},
			[]string{"*.a.example.com", "*.example.com"}},
	} {
		s := Stage{LoadBalancer: LoadBalancer{Zone: "example.com"}, Services: map[string]Service{}}
		for i, hosts := range test.hosts {
			service := Service{}
			if hosts != nil {
				service.Route = &Route{Hosts: hosts}
			}
			s.Services[fmt.Sprint(i)] = service
		}
		require.Equal(t, test.want, s.CertificateDomains(), name)
	}
}

func TestAHostHasOneRecord(t *testing.T) {
	t.Parallel()
	route := func(hosts ...string) Service { return Service{Route: &Route{Hosts: hosts}} }
	s := Stage{Services: map[string]Service{
		"api": route("a.example.com", "b.example.com"), "job": {},
		"web": route("b.example.com", "c.example.com", "a.example.com"), "xyz": route("c.example.com"),
	}}
	require.Equal(t, []string{"a.example.com", "b.example.com"}, s.RecordHosts("api"))
	require.Equal(t, []string{"c.example.com"}, s.RecordHosts("web"))
	require.Empty(t, s.RecordHosts("xyz"))
	delete(s.Services, "api")
	require.Equal(t, []string{"b.example.com", "c.example.com", "a.example.com"}, s.RecordHosts("web"))
}
