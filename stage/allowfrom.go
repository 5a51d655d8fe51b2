package stage

import (
	"maps"
	"net/netip"
	"slices"

	"slipway/internal/awslimits"
)

// checkAllowFrom checks who reaches a port of a service or task, or a load balancer.
func (c *checker) checkAllowFrom(here place, peers []string, loadBalancer bool) {
	services := slices.Sorted(maps.Keys(c.document.Services))
	named := orOneOf(services)
	if loadBalancer {
		named = ""
	}
	for i, text := range peers {
		at := here.at(i)
		prefix, err := netip.ParsePrefix(text)
		switch isService := slices.Contains(services, text); {
		case at.bad:
		case slices.Contains(peers[:i], text):
			at.fail("duplicates %s; remove it", text)
		case isService && loadBalancer:
			at.fail("is the service %s, and a load balancer admits ranges of addresses, prefix lists and security groups "+
				"only; remove it, and let services call each other by name (services.%[1]s.calls)", text)
		case isService && !c.document.Services[text].OwnNetwork() && !c.at("services", text, "network").bad:
			at.fail("is the service %s, whose tasks have the network of their instances; write a range of addresses", text)
		case isService || awslimits.PrefixListID.MatchString(text) || awslimits.SecurityGroupID.MatchString(text):
		case err != nil:
			at.fail("is %q; write a range of addresses as in 203.0.113.0/24, one address as in 203.0.113.7/32, or the id of "+
				"a prefix list (pl-…) or of a security group (sg-…)%s", shorten(text), named)
		case prefix != prefix.Masked():
			at.fail("is %s, an address inside its range; write %s for the range, or %s for the address alone",
				text, prefix.Masked(), netip.PrefixFrom(prefix.Addr(), prefix.Addr().BitLen()))
		case prefix.String() != text: // as AWS keeps it: written otherwise, it would be another one on every refresh
			at.fail("is %s; write it as %s", text, prefix)
		case loadBalancer && prefix.Addr().Is6():
			at.fail("is a range of IPv6 addresses, and the load balancer has IPv4 addresses only; remove it")
		}
	}
}

// Admitted are the services that reach a service's `port`, sorted: those that call it, and those in its `allowFrom`.
//
// Example: Admitted("api") has web, where services.api.allowFrom has web
func (s *Stage) Admitted(service string) []string {
	admitted := s.Callers(service)
	for _, peer := range s.Services[service].AllowFrom {
		if _, is := s.Services[peer]; is && !slices.Contains(admitted, peer) {
			admitted = append(admitted, peer)
		}
	}
	slices.Sort(admitted)
	return admitted
}
