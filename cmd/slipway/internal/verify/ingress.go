package verify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/exit"
)

// checkIngress checks the certificate and the hosted zone that the stage names. That hosts lie in the zone is checked
// with the stage file.
func (v *verifier) checkIngress() {
	if arn := v.stage.InternalLoadBalancer.Certificate; arn != "" && v.stage.HasInternalRoutes() {
		v.pending = append(v.pending,
			func(ctx context.Context) []Check { return v.certificate(ctx, "internalLoadBalancer", arn) })
	}
	if !v.stage.HasRoutes() {
		return
	}
	if zone := v.stage.LoadBalancer.Zone; zone != "" {
		v.add("certificate", v.stage.Where("loadBalancer", "zone"),
			func(ctx context.Context) (string, error) { return v.zone(ctx, zone) })
	}
	if arn := v.stage.LoadBalancer.Certificate; arn != "" {
		v.pending = append(v.pending, func(ctx context.Context) []Check { return v.certificate(ctx, "loadBalancer", arn) })
	}
}

func (v *verifier) zone(ctx context.Context, name string) (string, error) {
	// Zones of one name follow each other, and the list begins with them.
	answer, err := v.Route53.ListHostedZonesByName(ctx, &route53.ListHostedZonesByNameInput{DNSName: &name})
	if err != nil {
		return "", err
	}
	public, private := 0, 0
	for _, zone := range answer.HostedZones {
		switch {
		case strings.TrimSuffix(aws.ToString(zone.Name), ".") != name:
		case zone.Config != nil && zone.Config.PrivateZone:
			private++
		default:
			public++
		}
	}
	switch {
	case public == 0 && private > 0:
		return "", exit.Refuse("the hosted zone %s is private, and certificates are validated in public ones: name a "+
			"public zone", name)
	case public == 0:
		return "", exit.Refuse("there is no hosted zone %s in this account: name one that `aws route53 list-hosted-zones` lists",
			name)
	case public > 1:
		return "", exit.Refuse("there are %d public hosted zones %s, and it is not known which one is meant: delete those "+
			"that are not used", public, name)
	}
	return "the hosted zone is there, and public", nil
}

// certificate checks that of a load balancer, and that it covers the hosts of each route from there.
func (v *verifier) certificate(ctx context.Context, balancer, arn string) []Check {
	key, internal := v.stage.Where(balancer, "certificate"), balancer == "internalLoadBalancer"
	one := func(err error) []Check { return []Check{newCheck("certificate", key, "", err)} }
	if region := regionOf(arn); region != v.Region {
		return one(exit.Refuse("is in region %s, and the stage runs in %s: name one in %[2]s", region, v.Region))
	}
	answer, err := v.ACM.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: &arn})
	if awsreader.IsCode(err, "ResourceNotFoundException") {
		return one(exit.Refuse("there is no such certificate: name one that `aws acm list-certificates --region %s` lists",
			v.Region))
	}
	if err != nil {
		return one(err)
	}
	said, err := usable(answer.Certificate, time.Now())
	checks := []Check{newCheck("certificate", key, said, err)}
	domains := answer.Certificate.SubjectAlternativeNames
	if main := aws.ToString(answer.Certificate.DomainName); !slices.Contains(domains, main) {
		domains = append([]string{main}, domains...)
	}
	for _, name := range slices.Sorted(maps.Keys(v.stage.Services)) {
		if route := v.stage.Services[name].Route; route != nil && route.Internal == internal && len(route.Hosts) > 0 {
			said, err := coverage(balancer, domains, route.Hosts)
			checks = append(checks, newCheck("certificate", v.stage.Where("services", name, "route", "hosts"), said, err))
		}
	}
	return checks
}

func usable(certificate *acmtypes.CertificateDetail, now time.Time) (string, error) {
	switch status := certificate.Status; status {
	case acmtypes.CertificateStatusIssued:
	case acmtypes.CertificateStatusPendingValidation:
		return "", exit.Refuse("the certificate is not issued yet (%s): put the DNS records there that `aws acm "+
			"describe-certificate` lists, and wait", status)
	default:
		return "", exit.Refuse("the certificate is not issued (%s): request another, and name that", status)
	}
	if until := certificate.NotAfter; until != nil {
		if now.After(*until) {
			return "", exit.Refuse("the certificate expired on %s: renew it, or name another", until.Format(time.DateOnly))
		}
		return "the certificate is issued, and valid until " + until.Format(time.DateOnly), nil
	}
	return "the certificate is issued", nil
}

func coverage(balancer string, domains, hosts []string) (string, error) {
	missing := slices.DeleteFunc(slices.Clone(hosts), func(host string) bool { return covers(domains, host) })
	if len(missing) > 0 {
		return "", exit.Refuse("the certificate of %s.certificate is for %s, which does not cover %s: name one "+
			"that covers all hosts", balancer, strings.Join(domains, ", "), strings.Join(missing, ", "))
	}
	return fmt.Sprintf("the certificate covers %s", strings.Join(hosts, ", ")), nil
}

// covers tells whether a certificate for these domains is one for a host. A wildcard stands for one part of a name.
func covers(domains []string, host string) bool {
	_, parent, _ := strings.Cut(host, ".")
	return slices.ContainsFunc(domains, func(domain string) bool {
		domain = strings.ToLower(domain)
		return domain == host || domain == "*."+parent && parent != ""
	})
}
