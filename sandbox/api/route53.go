package api

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strings"

	"slipway/sandbox/account"
	"slipway/sandbox/account/dns"
)

// route53Path is what the paths of Route 53 begin with, whose protocol is XML over REST.
const route53Path = "/2013-04-01/"

func answerRoute53(w http.ResponseWriter, r *http.Request, a *account.Account) {
	operation := r.Method + " " + strings.TrimPrefix(r.URL.Path, route53Path)
	var answer any
	err := error(&account.Error{Code: "InvalidInput", Message: "The sandbox has no operation " + operation +
		" of Route 53."})
	if operation == "GET hostedzonesbyname" {
		if err = authorizeREST(a, "route53:ListHostedZonesByName", "*"); err == nil {
			answer, err = listHostedZonesByName(a, r.URL.Query().Get("dnsname"))
		}
	}
	if err != nil {
		failQuery(w, "route53", err)
		return
	}
	writeXML(w, http.StatusOK, answer)
}

type hostedZone struct {
	ID              string `xml:"Id"`
	Name            string
	CallerReference string
	Private         bool `xml:"Config>PrivateZone"`
	Records         int  `xml:"ResourceRecordSetCount"`
}

// listHostedZonesByName lists zones from a name on. Route 53 orders names by their labels, from the last.
func listHostedZonesByName(a *account.Account, from string) (any, error) {
	records, err := a.Objects(dns.Record)
	if err != nil {
		return nil, err
	}
	answer := struct {
		XMLName     xml.Name     `xml:"ListHostedZonesByNameResponse"`
		Zones       []hostedZone `xml:"HostedZones>HostedZone"`
		DNSName     string       `xml:",omitempty"`
		IsTruncated bool
		MaxItems    int
	}{DNSName: from, MaxItems: 100}
	zones, err := dns.AllZones(a)
	slices.SortFunc(zones, func(x, y dns.Zone) int { return strings.Compare(reversed(x.Name), reversed(y.Name)) })
	for _, zone := range zones {
		if strings.Compare(reversed(from), reversed(zone.Name)) > 0 {
			continue
		}
		count := 2 // NS and SOA
		for _, each := range records {
			if each.Text("zoneId") == zone.ID {
				count++
			}
		}
		answer.Zones = append(answer.Zones, hostedZone{"/hostedzone/" + zone.ID, zone.Name + ".", "sandbox", false, count})
	}
	return answer, err
}

func reversed(name string) string {
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	slices.Reverse(labels)
	return strings.Join(labels, ".")
}
