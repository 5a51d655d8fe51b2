package aws

import (
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/dns"
)

const (
	recordToken      = "aws:route53/record:Record"
	certificateToken = "aws:acm/certificate:Certificate"
	validationToken  = "aws:acm/certificateValidation:CertificateValidation"
)

func recordInputs(name, kind string, texts ...any) values {
	return values{"name": name, "type": kind, "zoneId": dns.HostedZone, "ttl": 60.0, "records": texts}
}

func TestCertificateIsIssuedOnceItsRecordsAreThere(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	wanted := values{"domainName": "example.com", "subjectAlternativeNames": []any{"*.example.com", "api.example.com"},
		"validationMethod": "DNS"}
	r := c.create(certificateToken, "web", wanted)
	require.Equal(t, []any{"*.example.com", "api.example.com", "example.com"}, r.outputs["subjectAlternativeNames"])
	require.Equal(t, "PENDING_VALIDATION", r.outputs["status"])
	options := r.outputs["domainValidationOptions"].([]any)
	records, fqdns := map[string]any{}, []any{}
	for _, option := range options {
		option := option.(values)
		records[option["resourceRecordName"].(string)] = option["resourceRecordValue"]
	}
	require.Len(t, options, 3)
	require.Len(t, records, 2, "a wildcard shares the record of its domain")
	again := c.create(certificateToken, "again", values{"domainName": "example.com", "validationMethod": "DNS"})
	name := again.outputs["domainValidationOptions"].([]any)[0].(values)["resourceRecordName"].(string)
	require.Contains(t, records, name, "and so does every certificate of the account")

	_, err := c.tryCreate(validationToken, "web", values{"certificateArn": r.id})
	require.ErrorContains(t, err, "expected certificate to be issued but was in state PENDING_VALIDATION")
	https := listenerInputs(c.create(elbToken, "shop", elbInputs(nil)).id, 443, notFound)
	https["protocol"], https["certificateArn"] = "HTTPS", r.id
	_, err = c.tryCreate(listenerToken, "https", https)
	require.ErrorContains(t, err, "UnsupportedCertificate: The certificate '"+r.id+"' must have")
	for name, value := range records {
		record := c.create(recordToken, name, recordInputs(name, "CNAME", value))
		fqdns = append(fqdns, record.outputs["fqdn"])
	}
	_, err = c.tryCreate(validationToken, "web", values{"certificateArn": r.id,
		"validationRecordFqdns": []any{"x.example.com"}})
	require.ErrorContains(t, err, "missing api.example.com DNS validation record: _")
	validation := c.create(validationToken, "web", values{"certificateArn": r.id, "validationRecordFqdns": fqdns})
	require.Regexp(t, `^20\d\d-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC$`, validation.id)
	c.refresh(r)
	require.Equal(t, "ISSUED", r.outputs["status"])
	require.NotEmpty(t, r.outputs["notAfter"])
	require.Empty(t, c.diff(r, r.inputs).GetDiffs())

	https["certificateArn"] = r.id
	listener := c.create(listenerToken, "https", https)
	require.NoError(t, c.remove(validation))
	require.ErrorContains(t, c.remove(r),
		"ResourceInUseException: Certificate "+r.id+" in account 123456789012 is in use.")
	require.NoError(t, c.remove(listener))
	require.NoError(t, c.remove(r))
	c.refresh(validation)
	require.Empty(t, validation.id)
}

func TestCertificatesThatAreRefused(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for name, want := range map[string]struct {
		inputs values
		want   string
	}{
		"by email": {values{"domainName": "example.com", "validationMethod": "EMAIL"},
			"The sandbox validates certificates by DNS only. Examine values at 'web.validationMethod'."},
		"imported": {values{"domainName": "example.com", "validationMethod": "DNS", "privateKey": "x"},
			"The sandbox does not support this property. Examine values at 'web.privateKey'."},
		"with a dot": {values{"domainName": "example.com.", "validationMethod": "DNS"},
			"invalid value for domain_name (cannot end with a period). Examine values at 'web.domainName'."},
		"of other key": {values{"domainName": "example.com", "validationMethod": "DNS", "keyAlgorithm": "RSA_1"},
			`expected key_algorithm to be one of ["RSA_2048" "EC_prime256v1" "EC_secp384r1"], got RSA_1. Examine values at ` +
				`'web.keyAlgorithm'.`},
	} {
		_, reasons := c.check(certificateToken, "web", nil, want.inputs)
		require.Equal(t, []string{want.want}, reasons, name)
	}
}

func TestRecordsOfTheZone(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	www := c.create(recordToken, "www", recordInputs("WWW.example.com.", "A", "192.0.2.2", "192.0.2.1"))
	require.Equal(t, []any{dns.HostedZone + "_www.example.com_A", "www.example.com"},
		[]any{www.id, www.outputs["name"]})
	short := c.create(recordToken, "api", recordInputs("api", "CNAME", "www.example.com"))
	require.Equal(t, "api.example.com", short.outputs["fqdn"])
	alias := values{"name": "*.example.com", "type": "A", "zoneId": dns.HostedZone,
		"aliases": []any{values{"name": "shop-1.elb.amazonaws.com", "zoneId": "ZWKZPGTI48KDX", "evaluateTargetHealth": true}}}
	require.Equal(t, "*.example.com", c.create(recordToken, "all", alias).outputs["fqdn"])
	require.NoError(t, c.tryUpdate(www, recordInputs("www.example.com", "A", "192.0.2.3")))
	moved, _ := c.check(recordToken, "www", www.inputs, recordInputs("w3.example.com", "A", "192.0.2.3"))
	require.Equal(t, []string{"name"}, c.diff(www, moved).GetReplaces())

	for name, want := range map[string]struct {
		inputs values
		want   string
	}{
		"one that is there": {recordInputs("www", "A", "192.0.2.9"),
			"creating Route 53 Record (www): InvalidChangeBatch: [Tried to create resource " +
				"record set [name='www.example.com.', type='A'] but it already exists]"},
		"one outside the zone": {recordInputs("badexample.com", "A", "192.0.2.9"),
			"InvalidChangeBatch: [RRSet with DNS name badexample.com. is not permitted in zone example.com.]"},
		"an alias at the apex": {recordInputs("example.com", "CNAME", "x.org"),
			"InvalidChangeBatch: [RRSet of type CNAME with DNS name example.com. is not permitted at apex in zone example.com.]"},
		"a CNAME beside others": {recordInputs("www", "CNAME", "x.org"),
			"InvalidChangeBatch: [RRSet of type CNAME with DNS name www.example.com. is not permitted as it conflicts with " +
				"other records with the same DNS name in zone example.com.]"},
		"one of another zone": {values{"name": "x", "type": "A", "zoneId": "Z1", "ttl": 60.0, "records": []any{"192.0.2.9"}},
			"NoSuchHostedZone: No hosted zone found with ID: Z1"},
	} {
		_, err := c.tryCreate(recordToken, "web", want.inputs)
		require.ErrorContains(t, err, want.want, name)
	}
	taken := recordInputs("www", "A", "192.0.2.9")
	taken["allowOverwrite"] = true
	c.create(recordToken, "www", taken)
	for name, want := range map[string]struct {
		inputs values
		want   string
	}{
		"nothing": {values{"name": "x", "type": "A", "zoneId": "Z1"},
			"only one of `alias,records` must be specified. Examine values at 'web'."},
		"no ttl": {values{"name": "x", "type": "A", "zoneId": "Z1", "records": []any{"x"}},
			"all of `records,ttl` must be specified. Examine values at 'web'."},
		"a weight": {values{"name": "x", "type": "A", "zoneId": "Z1", "records": []any{"x"}, "ttl": 1.0,
			"weightedRoutingPolicies": []any{}},
			"The sandbox does not support this property. Examine values at 'web.weightedRoutingPolicies'."},
		"another type": {recordInputs("x", "B", "x"), "expected type to be one of"},
	} {
		_, reasons := c.check(recordToken, "web", nil, want.inputs)
		require.Len(t, reasons, 1, name)
		require.Contains(t, reasons[0], want.want, name)
	}
	require.NoError(t, c.remove(www))
	c.refresh(www)
	require.Empty(t, www.id)
}

func TestGetZone(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for _, args := range []values{{"name": "example.com"}, {"name": "example.com."}, {"zoneId": dns.HostedZone}} {
		found, err := c.invoke("aws:route53/getZone:getZone", args)
		require.NoError(t, err)
		require.Equal(t, []any{"example.com", dns.HostedZone, 2.0},
			[]any{found["name"], found["zoneId"], found["resourceRecordSetCount"]})
	}
	for _, args := range []values{{"name": "example.org"}, {"zoneId": "Z1"},
		{"name": "example.com", "privateZone": true}} {
		_, err := c.invoke("aws:route53/getZone:getZone", args)
		require.ErrorContains(t, err, "no matching Route53Zone found")
	}
}
