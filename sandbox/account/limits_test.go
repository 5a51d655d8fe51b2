package account

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestIAMRefusesWhatIsBeyondItsQuotas(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	role := func(name string) error { return s.CreateObject(Role, name, Object{"name": name}, nil) }
	inline := func(name string, size int) error {
		return s.CreateObject(RolePolicy, "web:"+name, Object{"name": name, "role": "web", "policy": strings.Repeat("x ", size)}, nil)
	}
	require.NoError(t, role("web"))
	require.ErrorContains(t, role("Web"), "EntityAlreadyExists: Role with name Web already exists.")
	require.ErrorContains(t, role(strings.Repeat("x", 65)), "length less than or equal to 64")
	require.NoError(t, inline("old", 5120))
	require.NoError(t, inline("new", 5120), "white space does not count")
	require.ErrorContains(t, inline("more", 1), "LimitExceeded: Maximum policy size of 10240 bytes exceeded for role web")

	for i := range 11 {
		arn := fmt.Sprintf("arn:aws:iam::%s:policy/p%d", ID, i)
		require.NoError(t, s.CreateObject(Policy, arn, Object{"arn": arn, "name": fmt.Sprint("p", i), "policy": "{}"}, nil))
		err := s.CreateObject(RolePolicyAttachment, "web-"+arn, Object{"role": "web", "policyArn": arn}, nil)
		if i < 10 {
			require.NoError(t, err)
			require.ErrorContains(t, s.DeleteObject(Policy, arn, false), "DeleteConflict")
		} else {
			require.ErrorContains(t, err, "LimitExceeded: Cannot exceed quota for PoliciesPerRole: 10")
		}
	}
	require.ErrorContains(t, s.CreateObject(Policy, "p", Object{"policy": strings.Repeat("x", 6145)}, nil), "Cannot exceed quota for PolicySize: 6144")
}
