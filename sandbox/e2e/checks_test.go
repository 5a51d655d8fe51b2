package e2e

import (
	"encoding/json"
	"strings"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/dns"
)

type check struct{ About, Key, Status, Message string }

// verified are the checks of `slipway verify --json`, which ends with that status.
func verified(p *project, status int, stage string) []check {
	p.Helper()
	r := p.run("slipway", "verify", stage, "--json")
	require.Equal(p, status, r.status, r.output)
	var found struct {
		Stage, Account, Region string
		Checks                 []check
	}
	require.NoError(p.TB, json.Unmarshal([]byte(r.stdout), &found))
	require.Equal(p, []string{stage, account.DefaultID, "ap-northeast-2"}, []string{found.Stage, found.Account,
		found.Region})
	return found.Checks
}

// requireProblem is the only check that is not well: what it is about, and all of these words in its line.
func requireProblem(p *project, stage, about string, says ...string) {
	p.Helper()
	requireProblems(p, stage, append([]string{about}, says...))
}

// requireProblems are all checks that are not well, in any order: what each is about, and words that only its line has.
func requireProblems(p *project, stage string, expected ...[]string) {
	p.Helper()
	var bad []check
	for _, each := range verified(p, 1, stage) {
		if each.Status != "ok" && each.Status != "note" {
			bad = append(bad, each)
		}
	}
	require.Len(p, bad, len(expected))
	for _, words := range expected {
		matches := 0
		for _, each := range bad {
			line, all := each.Key+": "+each.Message, each.Status == "wrong" && each.About == words[0]
			for _, text := range words[1:] {
				all = all && strings.Contains(line, text)
			}
			if all {
				matches++
			}
		}
		require.Equal(p, 1, matches, "%q in %v", words, bad)
	}
}

// issueCertificate makes a certificate of the account for these domains. It is issued once its DNS record is there.
func issueCertificate(p *project, key string, issued bool, domains ...string) (arn string) {
	p.Helper()
	a := p.aws.open()
	arn = account.ARN(account.DefaultID, "acm", "ap-northeast-2", "certificate/"+key)
	var names []any
	for _, domain := range domains {
		names = append(names, domain)
		name, value := dns.ValidationRecord(account.DefaultID, domain)
		name = strings.TrimSuffix(name, ".")
		record := dns.HostedZone + "_" + name + "_CNAME"
		if known, err := a.Object(dns.Record, record); issued && err == nil && known == nil {
			require.NoError(p.TB, a.CreateObject(dns.Record, record,
				account.Object{"zoneId": dns.HostedZone, "fqdn": name,
					"type": "CNAME", "records": []any{value}}, nil))
		}
	}
	require.NoError(p.TB, a.CreateObject(dns.Certificate, key, account.Object{"arn": arn, "domainName": domains[0],
		"subjectAlternativeNames": names}, nil))
	return arn
}
