package policies

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/internal/awslimits"
	"slipway/stage"
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
		texts, managed, err := Split(statements)
		require.NoError(t, err, count)
		if whole, err := Text(statements...); awslimits.Policy(whole) <= awslimits.InlinePolicies/2 {
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
	_, _, err := Split(secretsNamed(400))
	require.ErrorContains(t, err, "slipway gives a role 5 policies of 6144")
	_, _, err = Split([]Statement{{Effect: "Allow", Action: slices.Repeat([]string{"s3:GetObject"}, 500),
		Resource: []string{"arn:aws:s3:::x"}}})
	require.ErrorContains(t, err, "and IAM takes 6144 in a policy")
}

// Beginning with 5,121 characters a role's permissions are managed policies, which an update must be allowed to make.
func TestARoleThatIsAboutToGetManagedPolicies(t *testing.T) {
	t.Parallel()
	arn := func(service, resource string) string { return "arn:aws:" + service + ":r:a:" + resource }
	permitted := func(resources int) *stage.Stage {
		return &stage.Stage{Project: "shop", Name: "dev", Services: map[string]stage.Service{"web": {
			TaskDefinition: stage.TaskDefinition{Permissions: []stage.Permission{{Actions: []string{"s3:GetObject"},
				Resources: slices.Repeat([]string{"arn:aws:s3:::a-bucket-with-a-long-name/and-a-long-prefix/*"}, resources)}}}}}}
	}
	roles := ManagedRoles(permitted(100), "web", arn)
	require.Len(t, roles, 1)
	require.Equal(t, "shop-dev-web-task", roles[0].Name)
	require.Empty(t, roles[0].Change([]string{"by-hand", "execution-01234567"}))
	change := roles[0].Change([]string{"by-hand", "task-01234567"})
	require.Contains(t, change, "services.web.permissions (Pulumi.dev.yaml): the permissions of the role shop-dev-web-task")
	require.Contains(t, change, "iam:CreatePolicy, DeletePolicy, GetPolicy, GetPolicyVersion, ListPolicyVersions, "+
		"TagPolicy, AttachRolePolicy")
	require.Empty(t, ManagedRoles(permitted(1), "web", arn))
}
