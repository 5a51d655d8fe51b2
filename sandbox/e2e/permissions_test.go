package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/iam"
)

// statement is one of a role's policy.
type statement struct {
	Sid, Effect      string
	Action, Resource []string
	Condition        map[string]map[string][]string
}

// statements are those of a role's only policy: by their Sid, or by their number where they have none.
func (a *awsAccount) statements(role string) map[string]statement {
	a.Helper()
	var policies []account.Object
	for _, policy := range a.objects(iam.RolePolicy) {
		if policy["role"] == role {
			policies = append(policies, policy)
		}
	}
	require.Len(a, policies, 1, role)
	var document struct {
		Version   string
		Statement []statement
	}
	require.NoError(a.TB, json.Unmarshal([]byte(policies[0]["policy"].(string)), &document))
	require.Equal(a, "2012-10-17", document.Version)
	found := map[string]statement{}
	for i, s := range document.Statement {
		key := s.Sid
		if key == "" {
			key = fmt.Sprint(i)
		}
		found[key] = s
	}
	return found
}

// taskPolicies are the policies of task roles.
func (a *awsAccount) taskPolicies() (found []account.Object) {
	a.Helper()
	for _, policy := range a.objects(iam.RolePolicy) {
		if strings.HasSuffix(policy["role"].(string), "-task") {
			found = append(found, policy)
		}
	}
	return found
}

func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
