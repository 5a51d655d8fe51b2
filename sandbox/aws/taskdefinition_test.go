package aws

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
)

// The disk of a task, its pidMode and the ports of its containers, and its volumes, are created and read as the
// recordings have them.
func TestATaskDefinitionIsReportedAsInTheSecondSet(t *testing.T) {
	t.Parallel()
	calls := recordings(t, "set2/ecs-taskDefinition.jsonl")
	made := slices.IndexFunc(calls, func(call recorded) bool {
		return call.Method == "Create" && !strings.Contains(string(call.Request), `"preview": true`)
	})
	for _, mode := range []string{"", "task"} {
		asked := withMode(t, calls[made].Request, mode)
		want := comparable(t, withMode(t, calls[made].Response, mode))
		s := newTestServer(t, `{"region":"`+testRegion+`"}`)
		const token = "aws:ecs/taskDefinition:TaskDefinition"
		made := request(t, asked, token, "web", &pulumirpc.CreateRequest{})
		created, err := s.Create(t.Context(), made)
		require.NoError(t, err)
		require.Equal(t, want, comparable(t, created), "pidMode %s", mode)
		read, err := s.Read(t.Context(), &pulumirpc.ReadRequest{Urn: made.GetUrn(), Id: created.GetId(),
			Properties: created.GetProperties(), Inputs: made.GetProperties()})
		require.NoError(t, err)
		got := comparable(t, read).(map[string]any)
		delete(got, "inputs")
		require.Equal(t, want, got, "pidMode %s, read", mode)
	}
}

// withMode is a recorded request, or its response, with a pidMode.
func withMode(t *testing.T, message json.RawMessage, mode string) json.RawMessage {
	t.Helper()
	var body struct {
		ID         string         `json:"id,omitempty"`
		Properties map[string]any `json:"properties"`
	}
	require.NoError(t, json.Unmarshal(message, &body))
	if _, isResponse := body.Properties["revision"]; isResponse {
		volumes := body.Properties["volumes"].([]any)
		for _, volume := range volumes {
			volume.(map[string]any)["configureAtLaunch"] = false // which is newer than the recordings
		}
		body.Properties["volumes"] = sortSet(volumes) // a set, whose order means nothing
	}
	if _, there := body.Properties["pidMode"]; there || mode != "" {
		body.Properties["pidMode"] = mode
	}
	changed, err := json.Marshal(body)
	require.NoError(t, err)
	return changed
}
