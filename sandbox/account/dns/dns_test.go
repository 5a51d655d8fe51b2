package dns

import (
	"slipway/sandbox/account"
	"slipway/sandbox/account/accounttest"
	"strings"
	"testing"
)

func TestNamesThatAWSDoesNotTake(t *testing.T) {
	t.Parallel()
	a := accounttest.New(t)
	label := strings.Repeat("a", 64)
	a.RequireRefused(Record, account.Object{"zoneId": HostedZone, "fqdn": label +
		".example.com"}, "label is too long")
	a.RequireRefused(Certificate, account.Object{"domainName": label + ".example.com"},
		"no longer than 64 characters")
	a.RequireRefused(Certificate, account.Object{"domainName": "-a.example.com"},
		"failed to satisfy constraint")
}
