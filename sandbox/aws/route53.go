package aws

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"slipway/sandbox/account"
	"slipway/sandbox/account/dns"
	"slipway/sandbox/seed"
)

var record = &resourceType{
	kind: dns.Record, noun: "Route 53 Record", key: "name",
	properties: properties{
		"fqdn": result,
		"aliases": {set: true, empty: texts,
			fields: properties{"evaluateTargetHealth": {required: true}, "name": {required: true}, "zoneId": {required: true}}},
		"allowOverwrite":                {computed: true, empty: false},
		"cidrRoutingPolicy":             {unsupported: true},
		"failoverRoutingPolicies":       {unsupported: true, empty: texts},
		"geolocationRoutingPolicies":    {unsupported: true, empty: texts},
		"geoproximityRoutingPolicy":     {unsupported: true},
		"healthCheckId":                 {unsupported: true, empty: ""},
		"latencyRoutingPolicies":        {unsupported: true, empty: texts},
		"multivalueAnswerRoutingPolicy": {unsupported: true},
		"name":                          {required: true, replaces: true, same: sameDomain},
		"records":                       {set: true, empty: texts},
		"setIdentifier":                 {unsupported: true, empty: ""},
		"ttl":                           {empty: 0.0},
		"type":                          {required: true},
		"weightedRoutingPolicies":       {unsupported: true, empty: texts},
		"zoneId":                        given,
	},
	validate: func(path string, inputs values, fail func(string)) {
		c := checker{path, fail}
		c.oneOf(inputs, "type",
			strings.Fields("A AAAA CAA CNAME DS HTTPS MX NAPTR NS PTR SOA SPF SRV SSHFP SVCB TLSA TXT")...)
		switch {
		case (inputs["records"] == nil) == (inputs["aliases"] == nil):
			fail(fmt.Sprintf("only one of `alias,records` must be specified. Examine values at '%s'.", path))
		case (inputs["records"] == nil) != (inputs["ttl"] == nil):
			fail(fmt.Sprintf("all of `records,ttl` must be specified. Examine values at '%s'.", path))
		}
	},
	custom: &operations{create: createRecord, read: readRecord, update: updateRecord, delete: deleteRecord},
}

// domain is a name as the provider and Route 53 keep it.
func domain(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

func sameDomain(one, other string) bool { return domain(one) == domain(other) }

// fullName adds the zone's name where a record's name does not end with it.
func fullName(name, zone string) string {
	switch {
	case name == "":
		return zone
	case strings.HasSuffix(name, zone):
		return name
	}
	return name + "." + zone
}

// recordKey is the account's key of a record with the id ZONE_name_type, and the name as the id and as Route 53 has it.
func recordKey(a *account.Account, id string) (key, name, full string) {
	zone, rest, _ := strings.Cut(id, "_")
	i := max(strings.LastIndex(rest, "_"), 0)
	account.Must(a.Transact(func(t *account.Tx) error {
		full = fullName(rest[:i], dns.FindZone(t, zone).Name)
		return nil
	}))
	return zone + "_" + full + rest[i:], rest[:i], full
}

func createRecord(c *call) error {
	name := domain(text(c.inputs, "name"))
	c.id = text(c.state, "zoneId") + "_" + name + "_" + text(c.state, "type")
	key, _, full := recordKey(c.account, c.id)
	c.state["name"], c.state["fqdn"] = name, full
	if isTrue(c.state, "allowOverwrite") {
		if existing, err := c.account.Object(dns.Record, key); err != nil || existing != nil {
			return updateRecord(c)
		}
	}
	return c.account.CreateObject(dns.Record, key, c.state,
		&account.Error{Code: "InvalidChangeBatch", Message: fmt.Sprintf(
			"[Tried to create resource record set [name='%s.', type='%s'] but it already exists]", full,
			text(c.state, "type"))})
}

func readRecord(c *call) (values, error) {
	key, name, _ := recordKey(c.account, c.id)
	found, err := c.account.Object(dns.Record, key)
	if found != nil {
		found["name"] = name
	}
	return values(found), err
}

func updateRecord(c *call) error {
	key, _, _ := recordKey(c.account, c.id)
	return c.account.UpdateObject(dns.Record, key, c.state)
}

func deleteRecord(c *call) error {
	key, _, _ := recordKey(c.account, c.id)
	return c.account.DeleteObject(dns.Record, key, false)
}

func getZone(a *account.Account, _ string, args values) (values, error) {
	name, id := text(args, "name"), text(args, "zoneId")
	switch {
	case name == "" && id == "":
		return nil, fmt.Errorf("either name or zone_id must be set")
	case name != "" && id != "":
		return nil, fmt.Errorf("zone_id and name cannot be set at the same time")
	}
	zones, err := dns.AllZones(a)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(zones, func(z dns.Zone) bool { return z.ID == id || z.Name == domain(name) })
	if i < 0 || isTrue(args, "privateZone") {
		return nil, fmt.Errorf("no matching Route53Zone found%s", seed.Advice("hostedZones: {"+cmp.Or(domain(name),
			"example.org")+": "+cmp.Or(id, "Z0123456789ABCDEFGHI")+"}"))
	}
	zone := zones[i]
	records, err := recordsIn(a, zone.ID)
	servers := []any{}
	for i, end := range []string{"com", "net", "org", "co.uk"} {
		servers = append(servers, fmt.Sprintf("ns-%d.awsdns-%02d.%s", 100+512*i, 12+i, end))
	}
	const ownRecords = 2 // NS and SOA
	return values{
		"arn": "arn:aws:route53:::hostedzone/" + zone.ID, "callerReference": "sandbox", "comment": "",
		"id":                       zone.ID,
		"linkedServiceDescription": "", "linkedServicePrincipal": "", "name": zone.Name, "nameServers": servers,
		"primaryNameServer": servers[0], "privateZone": false, "resourceRecordSetCount": float64(ownRecords + records),
		"tags": values{}, "vpcId": "", "zoneId": zone.ID,
	}, err
}

// recordsIn is how many records a zone has, beside its own.
func recordsIn(a *account.Account, zone string) (count int, err error) {
	all, err := a.Objects(dns.Record)
	for _, each := range all {
		if each.Text("zoneId") == zone {
			count++
		}
	}
	return count, err
}
