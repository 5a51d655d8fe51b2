package stage

import (
	"slices"
	"strings"

	"slipway/internal/awslimits"
)

func (c *checker) checkHosts(name string, route Route) {
	here, hosts := c.at("services", name, "route", "hosts"), route.Hosts
	zone := c.document.LoadBalancer.Zone
	if !zoneName.MatchString(zone) || route.Internal { // which is an error there, or of the other load balancer
		zone = ""
	}
	for i, host := range hosts {
		switch {
		case len(host) > awslimits.RuleValue:
			here.at(i).fail("is %q, %d characters long; allowed: up to %d", shorten(host), len(host), awslimits.RuleValue)
		case !awslimits.HostPattern.MatchString(host):
			here.at(i).fail("is %q; write a domain name in lower case, as in shop.example.com or *.example.com", host)
		case slices.Contains(hosts[:i], host):
			here.at(i).fail("duplicates %s; remove it", host)
		case zone != "" && host != zone && !strings.HasSuffix(host, "."+zone):
			here.at(i).fail("is %s, which is not in the zone %s; write a host that ends with .%s, or correct loadBalancer.zone",
				host, zone, zone)
		case zone != "" && (strings.Contains(host, "?") || strings.Contains(strings.TrimPrefix(host, "*."), "*")):
			here.at(i).fail("is %s, which cannot have a DNS record in loadBalancer.zone; use * only as the whole first part, "+
				"as in *.example.com", host)
		case zone != "":
			if part := c.badLabel(host); part != "" {
				here.at(i).fail("is %q, whose part %q no DNS record or certificate can have; use 1 to %d letters, digits and -, "+
					"and no - at either end", shorten(host), shorten(part), awslimits.DNSLabel)
			}
		}
	}
	if zone != "" && len(hosts) == 0 {
		here.fail("is missing, and loadBalancer.zone is given; write the host in %s that the service answers to", zone)
	}
}

// makesCertificate tells whether the stage has a certificate made for its hosts.
func (c *checker) makesCertificate() bool {
	balancer := c.document.LoadBalancer
	return balancer.Zone != "" && balancer.Certificate == "" && balancer.ARN == ""
}

// badLabel is a part of a host's name for which there is no DNS record, or behind the first one, for which a wildcard
// stands, no certificate; empty where there is none.
func (c *checker) badLabel(host string) string {
	for i, part := range strings.Split(host, ".") {
		if len(part) > awslimits.DNSLabel || i > 0 && c.makesCertificate() && !awslimits.CertificateLabel.MatchString(part) {
			return part
		}
	}
	return ""
}

// checkCertificateDomains looks for one that a certificate can be issued for first.
func (c *checker) checkCertificateDomains() {
	if !c.makesCertificate() {
		return
	}
	domains, most := certificateDomains(c.document.Services, c.document.LoadBalancer.Zone), awslimits.CertificateDomain
	if len(domains) > 0 && len(domains[0]) > most {
		c.at("loadBalancer", "zone").fail("needs a certificate for %s, which is %d characters long, and ACM wants one "+
			"name of up to %d; use a shorter host in one of the routes, or write loadBalancer.certificate", domains[0],
			len(domains[0]), most)
	}
}

// RecordHosts are the hosts of a service whose DNS records it declares: those that no service before it has, too. A
// host is one record, however many services share it by their paths. The internal load balancer has no zone.
//
// Example: RecordHosts("web") is [shop.example.com] where no other service has that host
func (s *Stage) RecordHosts(service string) []string {
	var hosts []string
	if s.Services[service].Route.Internal {
		return nil
	}
	for _, host := range s.Services[service].Route.Hosts {
		shared := false
		for name, other := range s.Services {
			shared = shared || name < service && other.Route != nil && !other.Route.Internal &&
				slices.Contains(other.Route.Hosts, host)
		}
		if !shared {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// CertificateDomains are what the stage's certificate is for, so that every host of its routes is covered: each
// host's parent domain by a wildcard, which another host in it does not change, and the zone itself where it is a
// host.
//
// Example: CertificateDomains() is [*.example.com] for the hosts a.example.com and b.example.com
func (s *Stage) CertificateDomains() []string {
	return certificateDomains(s.Services, s.LoadBalancer.Zone)
}

// certificateDomains begins with one that a certificate can be issued for first, where there is one.
func certificateDomains(services map[string]Service, zone string) []string {
	var domains []string
	for _, service := range services {
		if service.Route == nil || service.Route.Internal {
			continue
		}
		for _, host := range service.Route.Hosts {
			if host != zone {
				_, parent, _ := strings.Cut(host, ".")
				host = "*." + parent
			}
			domains = append(domains, host)
		}
	}
	slices.Sort(domains)
	domains = slices.Compact(domains)
	if i := slices.IndexFunc(domains,
		func(domain string) bool { return len(domain) <= awslimits.CertificateDomain }); i > 0 {
		domains = slices.Concat(domains[i:i+1], domains[:i], domains[i+1:])
	}
	return domains
}
