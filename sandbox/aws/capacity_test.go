package aws

import (
	"encoding/json"
	"slices"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
)

// The recordings are of a service on Fargate Spot: how it is checked, compared and updated.
func TestACapacityIsComparedAsByTheOfficialProvider(t *testing.T) {
	t.Parallel()
	const token = "aws:ecs/service:Service"
	s := newTestServer(t, `{"region":"`+testRegion+`"}`)
	replaced := 0
	for i, call := range recordings(t, "ecs-service-capacity.jsonl") {
		switch call.Method {
		case "Check":
			response, err := s.Check(t.Context(), request(t, call.Request, token, "spot", &pulumirpc.CheckRequest{}))
			require.NoError(t, err)
			require.Equal(t, comparable(t, call.Response), comparable(t, response), "call %d", i)
		case "Diff":
			response, err := s.Diff(t.Context(), request(t, call.Request, token, "spot", &pulumirpc.DiffRequest{}))
			require.NoError(t, err)
			want := &pulumirpc.DiffResponse{}
			request(t, call.Response, "", "", want)
			require.Equal(t, want.GetChanges(), response.GetChanges(), "call %d %v", i, response.GetDetailedDiff())
			require.ElementsMatch(t, want.GetDiffs(), response.GetDiffs(), "call %d", i)
			require.Equal(t, want.GetReplaces(), response.GetReplaces(), "call %d", i)
			require.Equal(t, want.GetDeleteBeforeReplace(), response.GetDeleteBeforeReplace(), "call %d", i)
			replaced += len(response.GetReplaces())
		}
	}
	require.Equal(t, 2, replaced, "without a forced deployment, and back to the launch type")
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
