package aws

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
)

// The recordings are of a service on Fargate Spot, and of one that takes part in Service Connect.
func TestCapacityAndConnectionsAreComparedAsByTheOfficialProvider(t *testing.T) {
	t.Parallel()
	const token = "aws:ecs/service:Service"
	for file, test := range map[string]struct {
		replaced int
		without  []string // what the sandbox does not have
	}{
		"ecs-service-capacity.jsonl": {2, nil}, // without a forced deployment, and back to the launch type
		"ecs-service-connect.jsonl":  {0, []string{`"logConfiguration": {`, `"timeout": {`}},
	} {
		s := newTestServer(t, `{"region":"`+testRegion+`"}`)
		replaced, compared := 0, 0
		for i, call := range recordings(t, file) {
			var news struct{ News json.RawMessage }
			require.NoError(t, json.Unmarshal(call.Request, &news))
			if slices.ContainsFunc(test.without, func(key string) bool { return strings.Contains(string(news.News), key) }) {
				continue
			}
			switch call.Method {
			case "Check":
				response, err := s.Check(t.Context(), request(t, call.Request, token, "spot", &pulumirpc.CheckRequest{}))
				require.NoError(t, err)
				require.Equal(t, comparable(t, call.Response), comparable(t, response), "%s, call %d", file, i)
			case "Diff":
				response, err := s.Diff(t.Context(), request(t, call.Request, token, "spot", &pulumirpc.DiffRequest{}))
				require.NoError(t, err)
				want := &pulumirpc.DiffResponse{}
				request(t, call.Response, "", "", want)
				require.Equal(t, want.GetChanges(), response.GetChanges(), "%s, call %d %v", file, i, response.GetDetailedDiff())
				require.ElementsMatch(t, want.GetDiffs(), response.GetDiffs(), "%s, call %d", file, i)
				require.Equal(t, want.GetReplaces(), response.GetReplaces(), "%s, call %d", file, i)
				require.Equal(t, want.GetDeleteBeforeReplace(), response.GetDeleteBeforeReplace(), "%s, call %d", file, i)
				replaced += len(response.GetReplaces())
				compared++
			}
		}
		require.Equal(t, test.replaced, replaced, file)
		require.Greater(t, compared, 2, file)
	}
}

// What the program does not look at is no change, though the account has moved the service meanwhile.
func TestACapacityThatIsIgnoredIsNoChange(t *testing.T) {
	t.Parallel()
	const token = "aws:ecs/service:Service"
	s := newTestServer(t, `{"region":"`+testRegion+`"}`)
	calls := recordings(t, "ecs-service-capacity.jsonl")
	at := slices.IndexFunc(calls, func(call recorded) bool { return call.Method == "Diff" })
	for len(calls) > at {
		var response struct{ Replaces []string }
		require.NoError(t, json.Unmarshal(calls[at].Response, &response))
		if slices.Contains(response.Replaces, "launchType") {
			break
		}
		at++
	}
	asked := request(t, calls[at].Request, token, "spot", &pulumirpc.DiffRequest{})
	asked.IgnoreChanges = []string{"capacityProviderStrategies", "launchType", "forceNewDeployment"}
	response, err := s.Diff(t.Context(), asked)
	require.NoError(t, err)
	require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, response.GetChanges(), "%v", response.GetDetailedDiff())
}
