package aws

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"slipway/sandbox/account"
	"slipway/sandbox/account/dns"
)

var certificate = &resourceType{
	kind: dns.Certificate, noun: "ACM Certificate", key: "domainName", arnID: true,
	properties: properties{
		"arn": result, "domainValidationOptions": result, "notAfter": result, "notBefore": result, "pendingRenewal": result,
		"renewalEligibility": result, "renewalSummaries": result, "status": result, "type": result,
		"validationEmails":        result,
		"certificateAuthorityArn": {replaces: true, unsupported: true, empty: ""},
		"certificateBody":         {unsupported: true},
		"certificateChain":        {unsupported: true},
		"domainName":              given,
		"earlyRenewalDuration":    {unsupported: true, empty: ""},
		"keyAlgorithm":            {replaces: true, computed: true, empty: "RSA_2048"},
		"options": {computed: true, empty: values{"certificateTransparencyLoggingPreference": "ENABLED"},
			fields: properties{"certificateTransparencyLoggingPreference": {standard: "ENABLED"}}},
		"privateKey": {unsupported: true},
		// AWS adds the domain itself to them, so giving them with or without it is the same.
		"subjectAlternativeNames": {replaces: true, computed: true, set: true},
		"tags":                    tags, "tagsAll": tagsAll,
		"validationMethod":  {replaces: true, computed: true},
		"validationOptions": {replaces: true, unsupported: true, empty: texts},
	},
	prepare: func(inputs values) {
		names, isList := inputs["subjectAlternativeNames"].([]any)
		if domain, known := inputs["domainName"].(string); isList && known && !slices.Contains(names, any(domain)) {
			inputs["subjectAlternativeNames"] = append(slices.Clone(names), domain)
		}
	},
	validate: func(path string, inputs values, fail func(string)) {
		c := checker{path, fail}
		if method := text(inputs, "validationMethod"); method != "DNS" && !isUnknown(method) {
			c.refuse("validationMethod", "The sandbox validates certificates by DNS only")
		}
		c.oneOf(inputs, "keyAlgorithm", "RSA_2048", "EC_prime256v1", "EC_secp384r1")
		for _, name := range append(textList(inputs["subjectAlternativeNames"]), text(inputs, "domainName")) {
			if strings.HasSuffix(name, ".") {
				c.refuse("domainName", "invalid value for domain_name (cannot end with a period)")
			}
		}
	},
	plan: func(state values) {
		domain := text(state, "domainName")
		domains := append(textList(state["subjectAlternativeNames"]), domain)
		if slices.ContainsFunc(domains, func(name string) bool { return isUnknown(name) }) {
			return
		}
		options := []any{}
		for _, name := range inHashOrder(slices.Compact(slices.Sorted(slices.Values(domains)))) {
			options = append(options, values{"domainName": name, "resourceRecordName": unknown, "resourceRecordType": unknown,
				"resourceRecordValue": unknown})
		}
		state["domainValidationOptions"] = options
	},
	identify: func(c *call) (string, error) {
		key, err := dns.NewUUID(c.account, dns.Certificate)
		return c.arn("acm", "certificate/"+key), err
	},
	fill: func(c *call) {
		c.state["arn"] = c.id
		names, _ := c.state["subjectAlternativeNames"].([]any)
		if domain := c.state["domainName"]; !slices.Contains(names, domain) {
			c.state["subjectAlternativeNames"] = sortSet(append(slices.Clone(names), domain))
		}
	},
	custom: &operations{read: readCertificate},
}

func readCertificate(c *call) (values, error) {
	found, err := dns.FindCertificate(c.account, c.id)
	if err != nil || found == nil {
		return nil, err
	}
	state := maps.Clone(values(found))
	maps.Copy(state, values{"notAfter": "", "notBefore": "", "pendingRenewal": false, "renewalEligibility": "INELIGIBLE",
		"renewalSummaries": texts, "type": "AMAZON_ISSUED", "validationEmails": texts})
	if issued, err := time.Parse(time.RFC3339, text(state, "issuedAt")); err == nil {
		const validity = 395 * 24 * time.Hour
		state["notBefore"], state["notAfter"] = text(state, "issuedAt"), issued.Add(validity).Format(time.RFC3339)
	}
	options := []any{}
	for _, domain := range inHashOrder(textList(state["subjectAlternativeNames"])) {
		name, value := dns.ValidationRecord(c.account.ID, domain)
		options = append(options, values{"domainName": domain, "resourceRecordName": name, "resourceRecordType": "CNAME",
			"resourceRecordValue": value})
	}
	state["domainValidationOptions"] = options
	return state, nil
}

// inHashOrder is the order of a set in the provider: any but that of the names.
func inHashOrder(names []string) []string {
	return slices.SortedFunc(slices.Values(names), func(x, y string) int {
		one, other := sha256.Sum256([]byte(x)), sha256.Sum256([]byte(y))
		return cmp.Compare(string(one[:]), string(other[:]))
	})
}

// certificateValidation waits for a certificate. It is nothing in AWS.
var certificateValidation = &resourceType{
	noun: "ACM Certificate", key: "certificateArn",
	properties: properties{"certificateArn": given, "validationRecordFqdns": {replaces: true, set: true}},
	custom: &operations{
		create: validateCertificate,
		read: func(c *call) (values, error) {
			found, err := dns.FindCertificate(c.account, text(c.state, "certificateArn"))
			if err != nil || text(found, "status") != "ISSUED" {
				return nil, err
			}
			return maps.Clone(c.state), nil
		},
		delete: func(*call) error { return nil },
	},
}

func validateCertificate(c *call) error {
	found, err := dns.FindCertificate(c.account, text(c.state, "certificateArn"))
	if err != nil {
		return err
	}
	if found == nil {
		return &account.Error{Code: "ResourceNotFoundException", Message: fmt.Sprintf("Could not find certificate %s.",
			text(c.state, "certificateArn"))}
	}
	given := textList(c.state["validationRecordFqdns"])
	var missing []error
	for _, domain := range textList(found["subjectAlternativeNames"]) {
		name, _ := dns.ValidationRecord(c.account.ID, domain)
		name = strings.TrimSuffix(name, ".")
		if len(given) > 0 && !slices.ContainsFunc(given,
			func(fqdn string) bool { return strings.TrimSuffix(fqdn, ".") == name }) {
			missing = append(missing, fmt.Errorf("missing %s DNS validation record: %s", domain, name))
		}
	}
	if len(missing) > 0 {
		return errors.Join(missing...)
	}
	// AWS takes minutes, for which the official provider waits. Here a record counts as soon as it is there.
	if status := text(found, "status"); status != "ISSUED" {
		return fmt.Errorf("waiting for ACM Certificate (%s) to be issued: expected certificate to be issued but was in "+
			"state %s",
			text(c.state, "certificateArn"), status)
	}
	issued, err := time.Parse(time.RFC3339, text(found, "issuedAt"))
	c.id = issued.String()
	return err
}
