package ecs

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/iam"
)

func TestAFreshAccountsOwnRoleTakesItsTime(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	require.NoError(t, s.SetFaults(map[string]string{account.FreshAccount: "10s"}))
	has, err := iam.HasLinkedRole(s.Account, iam.ECSLinkedRole)
	require.NoError(t, err)
	require.False(t, has)
	arn := s.register(nil)
	create := func() error {
		_, err := CreateService(s.Account, "shop-dev", "web", arn, settings(1))
		return err
	}
	const refusal = "InvalidParameterException: Unable to assume the service linked role. Please verify that the ECS " +
		"service linked role exists."
	require.ErrorContains(t, create(), refusal)
	require.NoError(t, s.CreateObject(Cluster, "first", account.Object{"name": "first"}, nil))
	has, err = iam.HasLinkedRole(s.Account, iam.ECSLinkedRole)
	require.NoError(t, err)
	require.True(t, has)
	require.ErrorContains(t, create(), refusal)
	require.NoError(t, s.SetFaults(map[string]string{account.FreshAccount: "10s",
		account.Clock: (11 * time.Second).String()}))
	require.NoError(t, create())
	has, err = iam.HasLinkedRole(s.Account, "web-execution")
	require.NoError(t, err)
	require.False(t, has)
}
