package seed

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/docs"
	"slipway/sandbox/account"
	"slipway/sandbox/account/accounttest"
	"slipway/sandbox/account/dns"
	"slipway/sandbox/account/ecr"
	"slipway/sandbox/account/secrets"
	"slipway/sandbox/account/vpc"
)

func read(t *testing.T, text string) (*File, error) {
	t.Helper()
	name := filepath.Join(t.TempDir(), FileName)
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return Read(name)
}

func TestTheSeedOfThePageIsInTheAccountAfterwards(t *testing.T) {
	t.Parallel()
	blocks, err := docs.Seeds("../..")
	require.NoError(t, err)
	require.Len(t, blocks, 1)
	file, err := read(t, blocks[0].Text)
	require.NoError(t, err)
	a := accounttest.New(t).Account
	for range 2 { // again replaces
		put, err := file.Put(a)
		require.NoError(t, err)
		require.Len(t, put, 8)
	}
	require.NoError(t, a.Transact(func(tx *account.Tx) error {
		require.Len(t, vpc.All(tx), 2)
		private := vpc.FindSubnet(tx, "subnet-0123456789abcdef2")
		require.True(t, !private.Public && private.NAT && private.VPC == "vpc-0123456789abcdef0")
		require.Equal(t, "example.org", dns.FindZone(tx, "Z0123456789ABCDEFGHI").Name)
		return nil
	}))
	certificate, err := dns.FindCertificate(a,
		"arn:aws:acm:ap-northeast-2:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef")
	require.NoError(t, err)
	require.Equal(t, "ISSUED", certificate.Text("status"))
	for reference, want := range map[string]string{
		"arn:aws:ssm:ap-northeast-2:123456789012:parameter/dev/level":                              "debug",
		"arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:dev/database-AbCdEf:password::": "hunter2",
	} {
		value, err := secrets.SecretValue(a, reference)
		require.NoError(t, err)
		require.Equal(t, want, value)
	}
	list, err := a.Object(vpc.PrefixList, "pl-0123456789abcdef0")
	require.NoError(t, err)
	require.NotNil(t, list)
	repository, err := a.Object(ecr.Repository, "shop/base")
	require.NoError(t, err)
	require.NotNil(t, repository)
}

func TestAnARNIsInItsOwnAccount(t *testing.T) {
	t.Parallel()
	const parameter = "arn:aws:ssm:ap-northeast-2:222222222222:parameter/level"
	file, err := read(t, "parameters: {"+parameter+": debug}")
	require.NoError(t, err)
	a := accounttest.New(t).Account
	_, err = file.Put(a)
	require.NoError(t, err)
	here, err := a.Object(secrets.Parameter, parameter)
	require.NoError(t, err)
	require.Nil(t, here)
	value, err := secrets.SecretValue(a.In("222222222222"), parameter)
	require.NoError(t, err)
	require.Equal(t, "debug", value)
}

func TestAllMistakesOfASeedAreSaid(t *testing.T) {
	t.Parallel()
	_, err := read(t, `
vpcs: {main: {cidr: 10.0.0.0, subnets: {a: {cidr: x, zone: ap-northeast-2a}}}}
hostedZones: {example.org: example}
certificates: {x: []}
parameters: {"arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:x": y}
repositories: [Shop]
prefixLists: [sg-1]
webAcls: [main]
`)
	for _, says := range []string{
		`vpcs: "main"; write the id of a VPC`, `prefixLists: "sg-1"; write a prefix list's id`, `vpcs.main.cidr: "10.0.0.0"; write a range`,
		`vpcs.main.subnets: "a"; write a subnet's id`, `vpcs.main.subnets.a.zone: "ap-northeast-2a"; write the letter`,
		`hostedZones.example.org: "example"; write the zone's id`, `certificates: "x"; write an ARN, as in arn:aws:acm`,
		`parameters: "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:x"; write an ARN, as in arn:aws:ssm`,
		`repositories: "Shop"; write a repository's name`, `webAcls: "main"; write an ARN, as in arn:aws:wafv2`,
	} {
		require.ErrorContains(t, err, says)
	}
	_, err = read(t, "vpc: {}\nrepositories: [Shop]\n---\nrepositories: [web]\n")
	require.ErrorContains(t, err, "field vpc not found")
	require.ErrorContains(t, err, `repositories: "Shop"; write`)
	require.ErrorContains(t, err, "more than one YAML document; write all into the first")
	_, err = Read(filepath.Join(t.TempDir(), FileName))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestASeedHasNoNetworksThatEC2Refuses(t *testing.T) {
	t.Parallel()
	const a, b, c = "subnet-0123456789abcdef0", "subnet-0123456789abcdef1", "subnet-0123456789abcdef2"
	_, err := read(t, `
vpcs:
  vpc-0123456789abcdef0:
    cidr: 10.0.0.0/16
    subnets:
      `+a+`: {cidr: 10.0.0.0/24, zone: a}
      `+b+`: {cidr: 10.0.0.128/25, zone: b, public: true, nat: true}
      `+c+`: {cidr: 10.1.0.0/24, zone: b}
      `+vpc.Subnets[0].ID+`: {cidr: 10.0.0.0/12, zone: b}
  vpc-0123456789abcdef1:
    cidr: 10.2.0.1/16
    subnets:
      `+a+`: {cidr: "fd00::/64", zone: a}
  vpc-0123456789abcdef2: {cidr: 10.0.0.0/8}
`)
	require.Error(t, err)
	const first, second = "vpcs.vpc-0123456789abcdef0", "vpcs.vpc-0123456789abcdef1"
	for _, says := range []string{
		first + ".subnets." + b + `.cidr: "10.0.0.128/25"; write a range that has nothing in common with that of ` + a,
		first + ".subnets." + b + `.nat: "true"; write public or nat`,
		first + ".subnets." + c + `.cidr: "10.1.0.0/24"; write a range within that of the VPC, 10.0.0.0/16`,
		first + `.subnets: "` + vpc.Subnets[0].ID + `"; write another id, as the default VPC has`,
		first + ".subnets." + vpc.Subnets[0].ID + `.cidr: "10.0.0.0/12"; write a range from /16 to /28`,
		second + `.cidr: "10.2.0.1/16"; write a range of IPv4 addresses that begins with its first one`,
		second + `.subnets: "` + a + `"; write another id, as vpc-0123456789abcdef0 has a subnet of that`,
		second + ".subnets." + a + `.cidr: "fd00::/64"; write a range of IPv4 addresses`,
		`vpcs.vpc-0123456789abcdef2.cidr: "10.0.0.0/8"; write a range from /16 to /28`,
	} {
		require.ErrorContains(t, err, says)
	}
	for _, line := range strings.Split(err.Error(), "\n") {
		require.Regexp(t, `/sandbox\.yaml: vpcs\.`, line, "each with file and key")
	}
}

func TestASeedHasNoNamesThatAWSDoesNotMake(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"hostedZones: {example.org: Z1, example.net: Z1}":                                   `hostedZones.example.org: "Z1"; write another id, as the zone example.net`,
		`parameters: {"arn:aws:ssm:ap-northeast-2:1234:parameter/x": y}`:                    "write an ARN, as in arn:aws:ssm",
		`parameters: {"arn:aws-cn:ssm:ap-northeast-2:123456789012:parameter/x": y}`:         "write an ARN, as in arn:aws:ssm",
		`parameters: {"arn:aws:ssm:seoul:123456789012:parameter/x": y}`:                     "write an ARN, as in arn:aws:ssm",
		`secrets: {"arn:aws:secretsmanager:eu-west-1:123456789012:secret:x": y}`:            "with the six characters",
		`secrets: {"arn:aws:secretsmanager:eu-west-1:123456789012:secret:x-AbCdEf:k::": y}`: "with the six characters",
		`certificates: {"arn:aws:acm:eu-west-1:123456789012:certificate/": [example.org]}`:  "write an ARN, as in arn:aws:acm",
		`certificates: {"arn:aws:acm:eu-west-1:123456789012:certificate/1-2": []}`:          "write the names that it is for",
		"repositories: [web, web]": `repositories: "web"; write it once`,
	} {
		_, err := read(t, text)
		require.ErrorContains(t, err, says)
	}
}
