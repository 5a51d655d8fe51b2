package stage

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/internal/awslimits"
)

// secretsNamed are statements about so many secrets.
func secretsNamed(count int) []Statement {
	read := Statement{Sid: "Secrets", Effect: "Allow", Action: []string{"secretsmanager:GetSecretValue"}}
	for i := range count {
		read.Resource = append(read.Resource,
			fmt.Sprintf("arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:shop/dev/some-secret-%03d-AbCdEf", i))
	}
	login := Statement{Sid: "Login", Effect: "Allow", Action: []string{"ecr:GetAuthorizationToken"},
		Resource: []string{"*"}}
	return []Statement{login, read}
}

func TestPoliciesHoldAllStatementsAndNoMore(t *testing.T) {
	t.Parallel()
	for _, count := range []int{1, 40, 51, 60, 120, 250} {
		statements := secretsNamed(count)
		texts, managed, err := Policies(statements)
		require.NoError(t, err, count)
		if whole, err := PolicyText(statements...); awslimits.Policy(whole) <= awslimits.InlinePolicies/2 {
			require.NoError(t, err)
			require.Equal(t, []string{whole}, texts, "as it has always been")
			require.False(t, managed)
			continue
		}
		require.True(t, managed)
		var resources []string
		for _, text := range texts {
			require.LessOrEqual(t, awslimits.Policy(text), awslimits.ManagedPolicy)
			var policy struct{ Statement []Statement }
			require.NoError(t, json.Unmarshal([]byte(text), &policy))
			for _, statement := range policy.Statement {
				if statement.Sid == "Secrets" {
					require.Equal(t, statements[1].Action, statement.Action)
					resources = append(resources, statement.Resource...)
				}
			}
		}
		require.Equal(t, statements[1].Resource, resources)
	}
	_, _, err := Policies(secretsNamed(400))
	require.ErrorContains(t, err, "slipway gives a role 5 policies of 6144")
	_, _, err = Policies([]Statement{{Effect: "Allow", Action: slices.Repeat([]string{"s3:GetObject"}, 500),
		Resource: []string{"arn:aws:s3:::x"}}})
	require.ErrorContains(t, err, "and IAM takes 6144 in a policy")
}
