package iam

import (
	"fmt"
	"slipway/sandbox/account"
	"slipway/sandbox/account/accounttest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestIAMRefusesWhatIsBeyondItsQuotas(t *testing.T) {
	t.Parallel()
	s := accounttest.New(t)
	role := func(name string) error { return s.CreateObject(Role, name, account.Object{"name": name}, nil) }
	inline := func(name string, size int) error {
		return s.CreateObject(RolePolicy, "web:"+name, account.Object{"name": name, "role": "web",
			"policy": strings.Repeat("x ", size)}, nil)
	}
	require.NoError(t, role("web"))
	require.ErrorContains(t, role("Web"), "EntityAlreadyExists: Role with name Web already exists.")
	require.ErrorContains(t, role(strings.Repeat("x", 65)), "length less than or equal to 64")
	require.NoError(t, inline("old", 5120))
	require.NoError(t, inline("new", 5120), "white space does not count")
	require.ErrorContains(t, inline("more", 1), "LimitExceeded: Maximum policy size of 10240 bytes exceeded for role web")

	for i := range 11 {
		arn := fmt.Sprintf("arn:aws:iam::%s:policy/p%d", account.DefaultID, i)
		require.NoError(t, s.CreateObject(Policy, arn, account.Object{"arn": arn, "name": fmt.Sprint("p", i),
			"policy": "{}"}, nil))
		err := s.CreateObject(RolePolicyAttachment, "web-"+arn, account.Object{"role": "web", "policyArn": arn}, nil)
		if i < 10 {
			require.NoError(t, err)
			require.ErrorContains(t, s.DeleteObject(Policy, arn, false), "DeleteConflict")
		} else {
			require.ErrorContains(t, err, "LimitExceeded: Cannot exceed quota for PoliciesPerRole: 10")
		}
	}
	require.ErrorContains(t, s.CreateObject(Policy, "p", account.Object{"policy": strings.Repeat("x", 6145)}, nil),
		"Cannot exceed quota for PolicySize: 6144")
}

func TestIAMRefusesWhatIsMalformed(t *testing.T) {
	t.Parallel()
	a := accounttest.New(t)
	a.Object(Role, "web", account.Object{"name": "web"})
	policy := func(statement string) account.Object {
		return account.Object{"name": "p", "role": "web", "policy": `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", ` +
			statement + `}]}`}
	}
	a.RequireRefused(Role, account.Object{"name": "x", "tagsAll": map[string]any{"team": "", "Team": ""}},
		"Tag keys are case insensitive")
	a.RequireRefused(Role, account.Object{"name": "x", "path": "/a"}, "ValidationError")
	a.RequireRefused(Role, account.Object{"name": "x", "path": "/" + strings.Repeat("a", 511) + "/"},
		"ValidationError")
	a.RequireRefused(Policy, account.Object{"name": "x", "path": "/a!/", "policy": "{}"}, "ValidationError")
	a.RequireRefused(RolePolicy, policy(`"Action": "s3:*", "Resource": "arn:aws:s3:::가"`), "Latin-1")
	a.RequireRefused(RolePolicy, policy(`"Action": [], "Resource": "*"`), "must contain actions")
	a.RequireRefused(RolePolicy, policy(`"Action": "s3:*"`), "must contain resources")
	a.RequireRefused(RolePolicy, policy(`"Action": "Get", "Resource": "*"`), "prefaced by a vendor")
	a.RequireRefused(RolePolicy, policy(`"Action": "s3:*", "Resource": "x"`), "must be in ARN format")
	a.RequireRefused(RolePolicy, policy(`"Action": "s3:*", "Resource": "arn:aws-cn:s3:::x"`),
		`Partition "aws-cn" is not valid`)
	a.RequireRefused(RolePolicy, policy(`"Action": "s3:*", "Resource": "*", "Condition": {"Equals": {"aws:x": "y"}}`),
		"Invalid Condition type : Equals")
}
