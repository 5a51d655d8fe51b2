// Package dns is Route 53, and ACM, whose certificates its records validate.
package dns

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"slipway/internal/awslimits"
	"slipway/sandbox/account"
)

// Kinds of objects of Route 53 and of ACM.
const (
	Certificate = "certificate" // the last part of its ARN
	Record      = "record"      // zone_fqdn_type
)

// HostedZone is the public zone that every account has in Route 53. Others come by a seed: programs use zones, and make
// none.
const (
	HostedZone     = "Z0123456789EXAMPLE0"
	HostedZoneName = "example.com"
)

// Zone is a public hosted zone.
type Zone struct{ ID, Name string }

const zoneKind = "hostedZone" // the id

// SeedZone puts a zone into the account.
func SeedZone(t *account.Tx, z Zone) { account.Put(t, zoneKind, z.ID, z) }

// Zones are the account's.
func Zones(t *account.Tx) []Zone {
	all := []Zone{{HostedZone, HostedZoneName}}
	for _, seeded := range account.List[Zone](t, zoneKind) {
		all = append(all, *seeded)
	}
	return all
}

// AllZones is Zones outside of a transaction.
func AllZones(a *account.Account) (all []Zone, err error) {
	err = a.Transact(func(t *account.Tx) error {
		all = Zones(t)
		return nil
	})
	return all, err
}

// FindZone finds a zone by its id; its name is empty where there is none.
func FindZone(t *account.Tx, id string) Zone {
	for _, zone := range Zones(t) {
		if zone.ID == id {
			return zone
		}
	}
	return Zone{}
}

func init() {
	account.Register(Record, account.Rules{Check: func(t *account.Tx, _ string, o account.Object) error {
		return cmp.Or(checkLabels(o.Text("fqdn"), "InvalidChangeBatch"), checkRecord(t, o))
	}})
	account.Register(Certificate, account.Rules{Check: func(_ *account.Tx, _ string,
		o account.Object) error {
		return checkDomains(o)
	}})
}

// checkRecord refuses what Route 53 does not take into a zone. o has the record's full name as fqdn.
func checkRecord(t *account.Tx, o account.Object) error {
	zone := FindZone(t, o.Text("zoneId")).Name
	if zone == "" {
		return account.Refuse("NoSuchHostedZone", "No hosted zone found with ID: %s", o.Text("zoneId"))
	}
	name := o.Text("fqdn")
	const kept = "[RRSet of type %s with DNS name %s. is not permitted "
	if name != zone && !strings.HasSuffix(name, "."+zone) {
		return account.Refuse("InvalidChangeBatch", "[RRSet with DNS name %s. is not permitted in zone %s.]", name, zone)
	}
	kind := o.Text("type")
	if kind == "CNAME" && name == zone {
		return account.Refuse("InvalidChangeBatch", kept+"at apex in zone %s.]", kind, name, zone)
	}
	for _, other := range account.List[account.Object](t, Record) {
		if other.Text("fqdn") == name && other.Text("type") != kind && (kind == "CNAME" || other.Text("type") == "CNAME") {
			return account.Refuse("InvalidChangeBatch",
				kept+"as it conflicts with other records with the same DNS name in zone %s.]",
				kind, name, zone)
		}
	}
	return nil
}

// ValidationRecord is the CNAME record that proves to ACM who owns a domain. It depends on the account's number and the
// domain only, and a wildcard shares that of the domain under it.
func ValidationRecord(id, domain string) (name, value string) {
	domain = strings.TrimPrefix(domain, "*.")
	sum := sha256.Sum256([]byte(id + " " + domain))
	digits := hex.EncodeToString(sum[:])
	return "_" + digits[:32] + "." + domain + ".", "_" + digits[32:] + ".mhbtsbpdnt.acm-validations.aws."
}

// FindCertificate finds a certificate, or nil. One is ISSUED as soon as the zone has the record of each of its
// domains, and stays so.
func FindCertificate(a *account.Account, arn string) (found account.Object, err error) {
	err = a.Transact(func(t *account.Tx) error {
		found = findCertificate(t, arn)
		return nil
	})
	return found, err
}

func findCertificate(t *account.Tx, arn string) account.Object {
	found := account.Get[account.Object](t, Certificate, account.AfterSlash(arn))
	if found == nil || found.Text("arn") != arn {
		return nil
	}
	o := *found
	pending := slices.ContainsFunc(o.List("subjectAlternativeNames"),
		func(domain string) bool { return !validated(t, domain) })
	if o["issuedAt"] == nil && !pending {
		o["issuedAt"] = t.Now.UTC().Format(time.RFC3339)
		account.Put(t, Certificate, account.AfterSlash(arn), o)
	}
	o["status"] = "PENDING_VALIDATION"
	if o["issuedAt"] != nil {
		o["status"] = "ISSUED"
	}
	return o
}

func validated(t *account.Tx, domain string) bool {
	name, value := ValidationRecord(t.ID, domain)
	return slices.ContainsFunc(Zones(t), func(zone Zone) bool {
		record := account.Get[account.Object](t, Record, zone.ID+"_"+strings.TrimSuffix(name, ".")+"_CNAME")
		return record != nil && slices.ContainsFunc(record.List("records"), func(text string) bool {
			return strings.TrimSuffix(text, ".") == strings.TrimSuffix(value, ".")
		})
	})
}

var certificateKey = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// CheckServerCertificate refuses a certificate that a listener in the region cannot use. One that the account has not
// requested may have been imported, so every ARN that could be one is taken.
func CheckServerCertificate(t *account.Tx, region, arn string) error {
	if arn == "" {
		return account.Refuse("ValidationError", "A certificate must be specified for HTTPS listeners")
	}
	if found := findCertificate(t, arn); found != nil {
		if found.Text("status") != "ISSUED" {
			return account.Refuse("UnsupportedCertificate",
				"The certificate '%s' must have a fully-qualified domain name, a supported "+
					"signature, and a supported key size.", arn)
		}
		return nil
	}
	if arn != account.ARN(t.ID, "acm", region,
		"certificate/"+path.Base(arn)) || !certificateKey.MatchString(path.Base(arn)) {
		return account.Refuse("CertificateNotFound", "Certificate ARN '%s' is not found", arn)
	}
	return nil
}

// NewUUID is the id of a new certificate.
func NewUUID(a *account.Account, kind string) (id string, err error) {
	err = a.Transact(func(t *account.Tx) error {
		digits := t.NewID(kind, 32)
		id = strings.Join([]string{digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]}, "-")
		return nil
	})
	return id, err
}

// checkLabels refuses a name that DNS does not have.
func checkLabels(name, code string) error {
	if len(name) > awslimits.DNSName {
		return account.Refuse(code, "[Domain name is too long: %s]", name)
	}
	if label := slices.IndexFunc(strings.Split(name, "."), func(label string) bool {
		return label == "" ||
			len(label) > awslimits.DNSLabel
	}); label >= 0 {
		return account.Refuse(code, "[Domain label is too long or empty: %s]", name)
	}
	return nil
}

// checkDomains looks at the names that a certificate is for.
func checkDomains(o account.Object) error {
	if first := o.Text("domainName"); len(first) > awslimits.CertificateDomain {
		return account.Refuse("ValidationException", "The first domain name can be no longer than %d characters: %s",
			awslimits.CertificateDomain, first)
	}
	for _, domain := range append(o.List("subjectAlternativeNames"), o.Text("domainName")) {
		if err := checkLabels(domain, "ValidationException"); err != nil {
			return err
		}
		for _, label := range strings.Split(strings.TrimPrefix(domain, "*."), ".") {
			if err := account.MustMatch("domainName", label, awslimits.CertificateLabel.MatchString,
				"ValidationException"); err != nil {
				return err
			}
		}
	}
	return nil
}
