package account

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAFreshAccountsOwnRoleTakesItsTime(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	require.NoError(t, s.SetFaults(map[string]string{FreshAccount: "10s"}))
	has, err := s.HasLinkedRole(ecsLinkedRole)
	require.NoError(t, err)
	require.False(t, has)
	arn := s.register(nil)
	create := func() error {
		_, err := s.CreateService("shop-dev", "web", arn, settings(1))
		return err
	}
	const refusal = "InvalidParameterException: Unable to assume the service linked role. Please verify that the ECS " +
		"service linked role exists."
	require.ErrorContains(t, create(), refusal)
	require.NoError(t, s.CreateObject(Cluster, "first", Object{"name": "first"}, nil))
	has, err = s.HasLinkedRole(ecsLinkedRole)
	require.NoError(t, err)
	require.True(t, has)
	require.ErrorContains(t, create(), refusal)
	require.NoError(t, s.SetFaults(map[string]string{FreshAccount: "10s", Clock: (11 * time.Second).String()}))
	require.NoError(t, create())
	has, err = s.HasLinkedRole("web-execution")
	require.NoError(t, err)
	require.False(t, has)
}
