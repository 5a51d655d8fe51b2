package secrets

import (
	"fmt"
	"slipway/sandbox/account"
	"slipway/sandbox/account/accounttest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestVersionsLoseTheirLabelsAndStayReadable(t *testing.T) {
	t.Parallel()
	s := accounttest.New(t)
	const region = "eu-central-1"
	arn, err := CreateSecret(s.Account, region, account.Object{"name": "shop/dev/web"})
	require.NoError(t, err)
	version, err := PutSecretValue(s.Account, arn, "0", "")
	require.NoError(t, err)
	first := version.VersionID
	for i := range 120 {
		_, err := PutSecretValue(s.Account, arn, fmt.Sprint(i+1), "")
		require.NoError(t, err)
	}
	value, err := SecretValue(s.Account, arn+":::"+first)
	require.NoError(t, err, "a day has not passed")
	require.Equal(t, "0", value)
	value, err = SecretValue(s.Account, arn+"::AWSPREVIOUS:")
	require.NoError(t, err)
	require.Equal(t, "119", value)
	s.Clock = s.Clock.Add(25 * time.Hour)
	_, err = PutSecretValue(s.Account, "shop/dev/web", "last", "")
	require.NoError(t, err)
	_, err = SecretValue(s.Account, arn+":::"+first)
	require.ErrorContains(t, err, "can't find the specified secret value for VersionId: "+first)

	require.NoError(t, DeleteSecret(s.Account, arn, 7))
	s.Clock = s.Clock.Add(8 * 24 * time.Hour)
	_, err = CreateSecret(s.Account, region, account.Object{"name": "shop/dev/web"})
	require.NoError(t, err, "the name is free again")
	_, err = SecretValue(s.Account, arn)
	require.ErrorContains(t, err, "ResourceNotFoundException")
}

func TestASecretsNameThatAWSDoesNotTake(t *testing.T) {
	t.Parallel()
	_, err := CreateSecret(accounttest.New(t).Account, "ap-northeast-2", account.Object{"name": "a b"})
	require.ErrorContains(t, err, "failed to satisfy constraint")
}
