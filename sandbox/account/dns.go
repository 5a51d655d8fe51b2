package account

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Kinds of objects of Route 53 and of ACM.
const (
	Certificate = "certificate" // the last part of its ARN
	Record      = "record"      // zone_fqdn_type
)

// checkRecord refuses what Route 53 does not take into a zone. o has the record's full name as fqdn.
func (t *tx) checkRecord(id string, o Object) error {
	if zone := o.text("zoneId"); zone != HostedZone {
		return refuse("NoSuchHostedZone", "No hosted zone found with ID: %s", zone)
	}
	name := o.text("fqdn")
	const zone, kept = HostedZoneName, "[RRSet of type %s with DNS name %s. is not permitted "
	if name != zone && !strings.HasSuffix(name, "."+zone) {
		return refuse("InvalidChangeBatch", "[RRSet with DNS name %s. is not permitted in zone %s.]", name, zone)
	}
	kind := o.text("type")
	if kind == "CNAME" && name == zone {
		return refuse("InvalidChangeBatch", kept+"at apex in zone %s.]", kind, name, zone)
	}
	for _, other := range list[Object](t, Record) {
		if other.text("fqdn") == name && other.text("type") != kind && (kind == "CNAME" || other.text("type") == "CNAME") {
			return refuse("InvalidChangeBatch", kept+"as it conflicts with other records with the same DNS name in zone %s.]",
				kind, name, zone)
		}
	}
	return nil
}

// ValidationRecord is the CNAME record that proves to ACM who owns a domain. It depends on the account and the domain
// only, and a wildcard shares that of the domain under it.
func ValidationRecord(domain string) (name, value string) {
	domain = strings.TrimPrefix(domain, "*.")
	sum := sha256.Sum256([]byte(ID + " " + domain))
	digits := hex.EncodeToString(sum[:])
	return "_" + digits[:32] + "." + domain + ".", "_" + digits[32:] + ".mhbtsbpdnt.acm-validations.aws."
}

// Certificate finds a certificate, or nil. One is ISSUED as soon as the zone has the record of each of its domains, and
// stays so.
func (a *Account) Certificate(arn string) (found Object, err error) {
	err = a.transact(func(t *tx) error {
		found = t.certificate(arn)
		return nil
	})
	return found, err
}

func (t *tx) certificate(arn string) Object {
	found := get[Object](t, Certificate, afterSlash(arn))
	if found == nil || found.text("arn") != arn {
		return nil
	}
	o := *found
	pending := slices.ContainsFunc(o.list("subjectAlternativeNames"),
		func(domain string) bool { return !t.validated(domain) })
	if o["issuedAt"] == nil && !pending {
		o["issuedAt"] = t.now.UTC().Format(time.RFC3339)
		put(t, Certificate, afterSlash(arn), o)
	}
	o["status"] = "PENDING_VALIDATION"
	if o["issuedAt"] != nil {
		o["status"] = "ISSUED"
	}
	return o
}

func (t *tx) validated(domain string) bool {
	name, value := ValidationRecord(domain)
	record := get[Object](t, Record, HostedZone+"_"+strings.TrimSuffix(name, ".")+"_CNAME")
	return record != nil && slices.ContainsFunc(record.list("records"), func(text string) bool {
		return strings.TrimSuffix(text, ".") == strings.TrimSuffix(value, ".")
	})
}

var certificateKey = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// checkServerCertificate refuses a certificate that a listener in the region cannot use. One that the account has not
// requested may have been imported, so every ARN that could be one is taken.
func (t *tx) checkServerCertificate(region, arn string) error {
	if arn == "" {
		return refuse("ValidationError", "A certificate must be specified for HTTPS listeners")
	}
	if found := t.certificate(arn); found != nil {
		if found.text("status") != "ISSUED" {
			return refuse("UnsupportedCertificate", "The certificate '%s' must have a fully-qualified domain name, a supported "+
				"signature, and a supported key size.", arn)
		}
		return nil
	}
	if arn != ARN("acm", region, "certificate/"+path.Base(arn)) || !certificateKey.MatchString(path.Base(arn)) {
		return refuse("CertificateNotFound", "Certificate ARN '%s' is not found", arn)
	}
	return nil
}

// NewUUID is the id of a new certificate.
func (a *Account) NewUUID(kind string) (id string, err error) {
	err = a.transact(func(t *tx) error {
		digits := t.newID(kind, 32)
		id = strings.Join([]string{digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]}, "-")
		return nil
	})
	return id, err
}
