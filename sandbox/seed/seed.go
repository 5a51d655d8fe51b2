// Package seed puts into an account what a stage expects to be there, and does not make: networks, hosted zones,
// certificates, parameters, secrets and repositories, from a file of the project.
package seed

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"slipway/sandbox/account"
	"slipway/sandbox/account/dns"
	"slipway/sandbox/account/ecr"
	"slipway/sandbox/account/secrets"
	"slipway/sandbox/account/vpc"
	"slipway/sandbox/account/waf"
)

// FileName is the seed of a project, beside its Pulumi.yaml.
const FileName = "sandbox.yaml"

// Advice ends the message of something that is missing: the lines that put it into the account.
func Advice(lines string) string {
	return "\n(in the sandbox: write this into " + FileName + " beside Pulumi.yaml, and run `sandbox seed`)\n" + lines
}

// File is what a seed has. Names that have an account in them, as ARNs do, go there; the rest goes into the account
// that is seeded.
type File struct {
	// VPCs by id.
	VPCs map[string]network `yaml:"vpcs"`
	// HostedZones are the ids of public zones, by name.
	HostedZones map[string]string `yaml:"hostedZones"`
	// Certificates are the names that a certificate is for, by its ARN. They are issued.
	Certificates map[string][]string `yaml:"certificates"`
	// Parameters and Secrets are values by ARN.
	Parameters map[string]string `yaml:"parameters"`
	Secrets    map[string]string `yaml:"secrets"`
	// PrefixLists are the ids of prefix lists, AWS's own ones, too.
	PrefixLists []string `yaml:"prefixLists"`
	// WebACLs are the ARNs of web ACLs of AWS WAF.
	WebACLs []string `yaml:"webAcls"`
	// Repositories are names of ECR repositories.
	Repositories []string `yaml:"repositories"`
}

type network struct {
	CIDR    string            `yaml:"cidr"`
	Subnets map[string]subnet `yaml:"subnets"` // by id
}

type subnet struct {
	CIDR string `yaml:"cidr"`
	Zone string `yaml:"zone"` // the letter after the region's name
	// Public subnets lead to an internet gateway, NAT ones to a NAT gateway, and others nowhere outside.
	Public bool `yaml:"public"`
	NAT    bool `yaml:"nat"`
}

// Put puts all of a seed into an account, and says what it has put there. What is there already of the same name is
// replaced, but for repositories, whose images stay.
func (f *File) Put(a *account.Account) (put []string, err error) {
	for _, step := range []func(*account.Account) ([]string, error){f.putNetworks, f.putZones, f.putCertificates,
		f.putParameters, f.putSecrets, f.putPrefixLists, f.putWebACLs, f.putRepositories} {
		some, err := step(a)
		put = append(put, some...)
		if err != nil {
			return put, err
		}
	}
	return put, nil
}

func (f *File) putNetworks(a *account.Account) (put []string, err error) {
	return put, a.Transact(func(t *account.Tx) error {
		for _, id := range sorted(f.VPCs) {
			made := vpc.VPC{ID: id, CIDR: f.VPCs[id].CIDR}
			for _, name := range sorted(f.VPCs[id].Subnets) {
				its := f.VPCs[id].Subnets[name]
				made.Subnets = append(made.Subnets,
					vpc.Subnet{ID: name, CIDR: its.CIDR, Zone: its.Zone, Public: its.Public, NAT: its.NAT, VPC: id})
			}
			vpc.Seed(t, made)
			put = append(put, fmt.Sprintf("VPC %s with %d subnets", id, len(made.Subnets)))
		}
		return nil
	})
}

func (f *File) putZones(a *account.Account) (put []string, err error) {
	return put, a.Transact(func(t *account.Tx) error {
		for _, name := range sorted(f.HostedZones) {
			dns.SeedZone(t, dns.Zone{ID: f.HostedZones[name], Name: strings.ToLower(strings.TrimSuffix(name, "."))})
			put = append(put, "hosted zone "+name)
		}
		return nil
	})
}

func (f *File) putCertificates(a *account.Account) (put []string, err error) {
	for _, text := range sorted(f.Certificates) {
		if err := place(owner(a, text), dns.Certificate, account.AfterSlash(text), account.Object{"arn": text,
			"domainName": first(f.Certificates[text]), "subjectAlternativeNames": f.Certificates[text],
			"issuedAt": "2026-01-01T00:00:00Z", "type": "AMAZON_ISSUED"}); err != nil {
			return put, err
		}
		put = append(put, "certificate "+text)
	}
	return put, nil
}

func (f *File) putParameters(a *account.Account) (put []string, err error) {
	for _, text := range sorted(f.Parameters) {
		_, name, _ := strings.Cut(text, ":parameter")
		parameter := account.Object{"name": name, "value": f.Parameters[text]}
		if err := place(owner(a, text), secrets.Parameter, text, parameter); err != nil {
			return put, err
		}
		put = append(put, "parameter "+text)
	}
	return put, nil
}

func (f *File) putSecrets(a *account.Account) (put []string, err error) {
	for _, text := range sorted(f.Secrets) {
		its := owner(a, text)
		_, name, _ := strings.Cut(text, ":secret:")
		if suffix := strings.LastIndex(name, "-"); suffix > 0 {
			name = name[:suffix]
		}
		if err := place(its, secrets.Secret, text, account.Object{"arn": text, "name": name}); err != nil {
			return put, err
		}
		if _, err := secrets.PutSecretValue(its, text, f.Secrets[text], ""); err != nil {
			return put, err
		}
		put = append(put, "secret "+text)
	}
	return put, nil
}

func (f *File) putWebACLs(a *account.Account) (put []string, err error) {
	for _, text := range f.WebACLs {
		if err := place(owner(a, text), waf.WebACL, account.AfterSlash(text), account.Object{"arn": text}); err != nil {
			return put, err
		}
		put = append(put, "web ACL "+text)
	}
	return put, nil
}

func (f *File) putPrefixLists(a *account.Account) (put []string, err error) {
	for _, id := range f.PrefixLists {
		if err := place(a, vpc.PrefixList, id, account.Object{}); err != nil {
			return put, err
		}
		put = append(put, "prefix list "+id)
	}
	return put, nil
}

func (f *File) putRepositories(a *account.Account) (put []string, err error) {
	for _, name := range f.Repositories {
		there, err := a.Object(ecr.Repository, name)
		if err == nil && there == nil {
			err = place(a, ecr.Repository, name, account.Object{"name": name, "imageTagMutability": "IMMUTABLE"})
		}
		if err != nil {
			return put, err
		}
		put = append(put, "repository "+name)
	}
	return put, nil
}

// place puts an object into an account that AWS would take.
func place(a *account.Account, kind, id string, o account.Object) error {
	return a.Transact(func(t *account.Tx) error {
		if err := t.Check(kind, id, o); err != nil {
			return err
		}
		account.Put(t, kind, id, o)
		return nil
	})
}

// owner is the account in an ARN.
func owner(a *account.Account, text string) *account.Account {
	parsed, err := arn.Parse(text)
	account.Must(err)
	return a.In(parsed.AccountID)
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
