package api

import (
	"maps"
	"slices"
	"time"

	"slipway/sandbox/account"
	"slipway/sandbox/account/dns"
)

// certificateValidity is how long ACM's certificates are valid.
const certificateValidity = 395 * 24 * time.Hour

func describeCertificate(a *account.Account, _ string, p struct{ CertificateArn string }) (any, error) {
	found, err := dns.FindCertificate(a, p.CertificateArn)
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, &account.Error{Code: "ResourceNotFoundException",
			Message: "Could not find certificate " + p.CertificateArn + "."}
	}
	described := object{"CertificateArn": found["arn"], "DomainName": found["domainName"], "Status": found["status"],
		"SubjectAlternativeNames": found["subjectAlternativeNames"], "Type": "AMAZON_ISSUED"}
	if text, _ := found["issuedAt"].(string); text != "" {
		issued, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return nil, err
		}
		described["IssuedAt"], described["NotBefore"] = account.Seconds(issued), account.Seconds(issued)
		described["NotAfter"] = account.Seconds(issued.Add(certificateValidity))
	}
	return object{"Certificate": described}, nil
}

func listCertificates(a *account.Account, _ string, p struct {
	CertificateStatuses []string
	NextToken           string
}) (any, error) {
	all, err := a.Objects(dns.Certificate)
	listed := []object{}
	for _, each := range all {
		found, err := dns.FindCertificate(a, each["arn"].(string)) // which has its status now
		if err != nil {
			return nil, err
		}
		if status, _ := found["status"].(string); len(p.CertificateStatuses) == 0 ||
			slices.Contains(p.CertificateStatuses, status) {
			listed = append(listed, object{"CertificateArn": found["arn"], "DomainName": found["domainName"], "Status": status})
		}
	}
	return object{"CertificateSummaryList": listed}, err
}

func listTagsForCertificate(a *account.Account, _ string, p struct{ CertificateArn string }) (any, error) {
	found, err := dns.FindCertificate(a, p.CertificateArn)
	if err == nil && found == nil {
		err = &account.Error{Code: "ResourceNotFoundException", Message: "Could not find certificate " + p.CertificateArn +
			"."}
	}
	tags := []object{}
	held, _ := found["tagsAll"].(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(held)) {
		tags = append(tags, object{"Key": key, "Value": held[key]})
	}
	return object{"Tags": tags}, err
}
