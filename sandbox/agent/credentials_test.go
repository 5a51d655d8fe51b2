package agent

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecs"
)

const testRole = "arn:aws:iam::" + account.DefaultID + ":role/web"

// withAPI are settings of an agent whose APIs tell who asks for what.
func (f *fakeAccount) withAPI(t *testing.T) Settings {
	t.Helper()
	settings := f.settings(t)
	settings.API = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "the account's API: "+r.Method+" "+r.URL.Path)
	})
	return settings
}

func TestContainersReachTheAccountWithTheirTasksRole(t *testing.T) {
	f := newFake(t)
	arn := f.add(t, "1a2b", `[
		{"name": "early", "essential": false, "command": ["get=$AWS_CONTAINER_CREDENTIALS_FULL_URI", "env=AWS_REGION"]},
		{"name": "web", "command": ["until-term"]},
		{"name": "late", "essential": false, "command": ["get=$AWS_ENDPOINT_URL", "get=$AWS_ENDPOINT_URL/2013-04-01/x"],
			"dependsOn": [{"containerName": "web", "condition": "COMPLETE"}]}]`)
	f.change(arn, func(w *ecs.AgentTask) { w.Definition.TaskRoleARN = testRole })
	first, err := Start(f.withAPI(t))
	require.NoError(t, err)
	f.await(t, arn, "early", stopped)
	require.Len(t, f.lines("early"), 2)
	require.Contains(t, f.lines("early")[0], `"AccessKeyId":"ASIA `+testRole+" of "+arn+`"`)
	require.Equal(t, "ap-northeast-2", f.lines("early")[1])
	f.awaitReady(t, arn, "web")
	first.cancel()
	<-first.stopped

	second, err := Start(f.withAPI(t))
	require.NoError(t, err)
	t.Cleanup(func() { second.cancel(); <-second.stopped })
	for _, c := range f.onEngine(t) {
		if c.Labels[containerLabel] == "web" {
			require.NoError(t, removeContainer(t.Context(), f.docker, c.ID))
		}
	}
	f.await(t, arn, "late", stopped)
	require.Equal(t, []string{"the account's API: GET /", "the account's API: GET /2013-04-01/x"}, f.lines("late"))
}

func TestTheSDKTakesTheCredentials(t *testing.T) {
	t.Parallel()
	account := &fakeAccount{}
	task := newTask(&Agent{Settings: Settings{Account: account, API: http.NotFoundHandler()}}, "arn/1a2b")
	task.work.Definition.TaskRoleARN = testRole
	server := httptest.NewServer(task.api())
	t.Cleanup(server.Close)
	taken, err := endpointcreds.New(server.URL + credentialsPath).Retrieve(t.Context())
	require.NoError(t, err)
	require.Equal(t, "ASIA "+testRole+" of arn/1a2b", taken.AccessKeyID)
	require.Equal(t, "sandbox", taken.SecretAccessKey)
	require.Equal(t, "token", taken.SessionToken)
}
