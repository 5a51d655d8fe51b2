package seed

import (
	"os"
	"path/filepath"
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
		require.Len(t, put, 6)
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
`)
	for _, says := range []string{
		`vpcs: "main"; write the id of a VPC`, `vpcs.main.cidr: "10.0.0.0"; write a range`,
		`vpcs.main.subnets: "a"; write a subnet's id`, `vpcs.main.subnets.a.zone: "ap-northeast-2a"; write the letter`,
		`hostedZones.example.org: "example"; write the zone's id`, `certificates: "x"; write an ARN, as in arn:aws:acm`,
		`parameters: "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:x"; write an ARN, as in arn:aws:ssm`,
		`repositories: "Shop"; write a repository's name`,
	} {
		require.ErrorContains(t, err, says)
	}
	_, err = read(t, "vpc: {}")
	require.ErrorContains(t, err, "field vpc not found")
	_, err = Read(filepath.Join(t.TempDir(), FileName))
	require.ErrorIs(t, err, os.ErrNotExist)
}
