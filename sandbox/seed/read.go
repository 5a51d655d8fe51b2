package seed

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"go.yaml.in/yaml/v3"

	"slipway/internal/awslimits"
	"slipway/internal/secretref"
	"slipway/sandbox/account/vpc"
)

// Read reads a seed. Its error has all that is wrong in it.
func Read(name string) (*File, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	file, found := &File{}, &mistakes{}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	unread := &yaml.TypeError{}
	switch err := decoder.Decode(file); {
	case errors.As(err, &unread): // the rest is read
		*found = append(*found, unread.Errors...)
	case err != nil && !errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		*found = append(*found, "more than one YAML document; write all into the first, and remove the line ---")
	}
	found.ofNetworks(file.VPCs)
	found.ofTheRest(file)
	if len(*found) > 0 {
		slices.Sort(*found)
		return nil, fmt.Errorf("%s: %s", name, strings.Join(*found, "\n"+name+": "))
	}
	return file, nil
}

// mistakes are those of a seed, each with its key.
type mistakes []string

// expect adds one where a value is not as it has to be.
func (m *mistakes) expect(ok bool, key, value, advice string) {
	if !ok {
		*m = append(*m, fmt.Sprintf("%s: %q; write %s", key, value, advice))
	}
}

// addresses is a range of addresses that EC2 gives a VPC or a subnet.
func (m *mistakes) addresses(key, text, example string) (addresses netip.Prefix) {
	addresses, err := netip.ParsePrefix(text)
	if err != nil || !addresses.Addr().Is4() || addresses != addresses.Masked() {
		m.expect(false, key, text, "a range of IPv4 addresses that begins with its first one, as in "+example)
		return netip.Prefix{}
	}
	m.expect(16 <= addresses.Bits() && addresses.Bits() <= 28, key, text, "a range from /16 to /28, as EC2 takes them")
	return addresses
}

func (m *mistakes) ofNetworks(networks map[string]network) {
	owner := map[string]string{}
	for _, subnet := range vpc.Subnets {
		owner[subnet.ID] = "the default VPC"
	}
	for _, id := range sorted(networks) {
		each := networks[id]
		m.expect(awslimits.VPCID.MatchString(id) && id != vpc.DefaultVPC, "vpcs", id,
			"the id of a VPC that is not the account's default one, as in vpc-0123456789abcdef0")
		whole := m.addresses("vpcs."+id+".cidr", each.CIDR, "10.0.0.0/16")
		ranges := map[string]netip.Prefix{}
		for _, name := range sorted(each.Subnets) {
			its, key := each.Subnets[name], "vpcs."+id+".subnets."+name
			m.expect(awslimits.SubnetID.MatchString(name), "vpcs."+id+".subnets", name,
				"a subnet's id, as in subnet-0123456789abcdef0")
			m.expect(owner[name] == "", "vpcs."+id+".subnets", name, "another id, as "+owner[name]+" has a subnet of that")
			owner[name] = id
			m.expect(len(its.Zone) == 1 && its.Zone >= "a" && its.Zone <= "f", key+".zone", its.Zone,
				"the letter of an availability zone, a to f")
			m.expect(!its.Public || !its.NAT, key+".nat", "true", "public or nat: a subnet leads to one of them")
			addresses := m.addresses(key+".cidr", its.CIDR, "10.0.1.0/24")
			if !addresses.IsValid() {
				continue
			}
			m.expect(!whole.IsValid() || whole.Bits() <= addresses.Bits() && whole.Contains(addresses.Addr()), key+".cidr",
				its.CIDR, "a range within that of the VPC, "+each.CIDR)
			for _, other := range sorted(ranges) {
				m.expect(!ranges[other].Overlaps(addresses), key+".cidr", its.CIDR,
					"a range that has nothing in common with that of "+other+", "+ranges[other].String())
			}
			ranges[name] = addresses
		}
	}
}

var (
	zoneID      = regexp.MustCompile(`^Z[A-Z0-9]{1,31}$`)
	certificate = regexp.MustCompile(`^certificate/[A-Za-z0-9-]+$`)
)

func (m *mistakes) ofTheRest(f *File) {
	zones := map[string]string{}
	for _, name := range sorted(f.HostedZones) {
		id := f.HostedZones[name]
		m.expect(zoneID.MatchString(id), "hostedZones."+name, id, "the zone's id, as in Z0123456789ABCDEFGHI")
		m.expect(zones[id] == "", "hostedZones."+name, id, "another id, as the zone "+zones[id]+" has that")
		zones[id] = name
	}
	for _, text := range sorted(f.Certificates) {
		parsed, err := arn.Parse(text)
		m.expect(err == nil && parsed.Service == "acm" && certificate.MatchString(parsed.Resource) && isPlace(parsed),
			"certificates", text, anARN+"acm:ap-northeast-2:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef")
		m.expect(len(f.Certificates[text]) > 0, "certificates."+text, "", `the names that it is for, as in ["example.org"]`)
	}
	for _, text := range sorted(f.Parameters) {
		read, is := secretref.Parse(text)
		m.expect(is && read.Parameter && isSecret(read, text), "parameters", text,
			anARN+"ssm:ap-northeast-2:123456789012:parameter/NAME")
	}
	for _, text := range sorted(f.Secrets) {
		read, is := secretref.Parse(text)
		m.expect(is && !read.Parameter && isSecret(read, text), "secrets", text,
			anARN+"secretsmanager:ap-northeast-2:123456789012:secret:NAME-AbCdEf, with the six characters that Secrets Manager "+
				"adds to the name")
	}
	for _, id := range f.PrefixLists {
		m.expect(awslimits.PrefixListID.MatchString(id), "prefixLists", id, "a prefix list's id, as in pl-0123456789abcdef0")
	}
	for _, text := range f.WebACLs {
		parsed, err := arn.Parse(text)
		m.expect(err == nil && parsed.Service == "wafv2" && awslimits.WebACL.MatchString(parsed.Resource) && isPlace(parsed),
			"webAcls", text, anARN+"wafv2:ap-northeast-2:123456789012:regional/webacl/shop/01234567-89ab-cdef-0123-456789abcdef")
	}
	for i, name := range f.Repositories {
		m.expect(awslimits.RepositoryName.MatchString(name), "repositories", name, "a repository's name, as in shop/web")
		m.expect(!slices.Contains(f.Repositories[:i], name), "repositories", name, "it once")
	}
}

const anARN = "an ARN, as in arn:aws:"

var region = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-[0-9]+$`)

// isPlace tells an ARN of a region and an account that there may be.
func isPlace(parsed arn.ARN) bool {
	return region.MatchString(parsed.Region) && parsed.Partition == awslimits.Partition(parsed.Region) &&
		awslimits.AccountID.MatchString(parsed.AccountID)
}

// isSecret tells the ARN of a secret or a parameter from a reference to a part of one.
func isSecret(read secretref.Reference, text string) bool {
	parsed, err := arn.Parse(text)
	return err == nil && isPlace(parsed) && read.ARN == text
}
