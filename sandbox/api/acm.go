package api

import (
	"time"

	"slipway/sandbox/account"
)

// certificateValidity is how long ACM's certificates are valid.
const certificateValidity = 395 * 24 * time.Hour

func describeCertificate(a *account.Account, _ string, p struct{ CertificateArn string }) (any, error) {
	found, err := a.Certificate(p.CertificateArn)
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, &account.Error{Code: "ResourceNotFoundException", Message: "Could not find certificate " + p.CertificateArn + "."}
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
