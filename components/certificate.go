package components

import (
	"fmt"
	"strings"

	"slipway/stage"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/acm"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const certificateType = "slipway:components:Certificate"

// validationTTL is how long resolvers keep a validation record, in seconds.
const validationTTL = 300

// ownCertificate is an ACM certificate that is validated by DNS records, and so renews itself for as long as they
// exist.
type ownCertificate struct {
	pulumi.ResourceState

	// Arn of the certificate, known once it is issued.
	Arn pulumi.StringOutput `pulumi:"arn"`
}

// newCertificate declares the certificate of a stage, and the records in a hosted zone that prove its domains to be the
// account's.
func newCertificate(ctx *pulumi.Context, settings *stage.Stage, zone string, parent pulumi.ResourceOption) (
	*ownCertificate, error) {
	name, domains, component := settings.Name, settings.CertificateDomains(), &ownCertificate{}
	if err := ctx.RegisterComponentResource(certificateType, name, component, parent); err != nil {
		return nil, err
	}
	parent = pulumi.Parent(component)
	certificate, err := acm.NewCertificate(ctx, name, &acm.CertificateArgs{
		DomainName:              pulumi.String(domains[0]),
		SubjectAlternativeNames: pulumi.ToStringArray(domains),
		ValidationMethod:        pulumi.String("DNS"),
		Tags:                    pulumi.ToStringMap(settings.AllTags()),
	}, parent)
	if err != nil {
		return nil, err
	}
	var names pulumi.StringArray
	validated := map[string]bool{}
	for _, domain := range domains {
		// A domain and the wildcard in it are validated by one record.
		base := strings.TrimPrefix(domain, "*.")
		if validated[base] {
			continue
		}
		validated[base] = true
		proof := proofOf(certificate, base)
		record, err := route53.NewRecord(ctx, base, &route53.RecordArgs{
			ZoneId:  pulumi.String(zone),
			Name:    proof.ResourceRecordName().Elem(),
			Type:    pulumi.String("CNAME"),
			Ttl:     pulumi.Int(validationTTL),
			Records: pulumi.StringArray{proof.ResourceRecordValue().Elem()},
			// ACM gives an account one record for a domain: another stage may have it already, and its certificate
			// needs it after this stage is gone.
			AllowOverwrite: pulumi.Bool(true),
		}, parent, pulumi.RetainOnDelete(true))
		if err != nil {
			return nil, err
		}
		names = append(names, record.Fqdn)
	}
	issued, err := acm.NewCertificateValidation(ctx, name, &acm.CertificateValidationArgs{
		CertificateArn: certificate.Arn, ValidationRecordFqdns: names,
	}, parent)
	if err != nil {
		return nil, err
	}
	component.Arn = issued.CertificateArn
	return component, ctx.RegisterResourceOutputs(component, pulumi.Map{"arn": component.Arn})
}

// proofOf is the DNS record with which the owner of a domain answers ACM. The certificate lists them in no certain
// order.
func proofOf(certificate *acm.Certificate, domain string) acm.CertificateDomainValidationOptionOutput {
	type option = acm.CertificateDomainValidationOption
	return certificate.DomainValidationOptions.ApplyT(func(options []option) (option, error) {
		for _, proof := range options {
			if proof.DomainName != nil && strings.TrimPrefix(*proof.DomainName, "*.") == domain {
				return proof, nil
			}
		}
		return option{}, fmt.Errorf("ACM has no validation record for %s", domain)
	}).(acm.CertificateDomainValidationOptionOutput)
}
