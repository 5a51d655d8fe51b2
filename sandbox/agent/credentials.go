package agent

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"slipway/sandbox/tunnel"
)

// A task's containers ask its host for credentials of the task's role, and for the account's APIs. The host has the
// agent answer, which connects to it: no container could reach the agent.

// agentPort is where the program taskhost takes the agent's connection, and agentToken the variable that has what the
// agent then says.
const (
	agentPort  = 51680
	agentToken = "SLIPWAY_AGENT_TOKEN"
)

// Paths of the task's host that the agent answers.
const (
	credentialsPath = "/agent/credentials"
	apiPath         = "/agent/aws"
)

// credentialVariables are those by which the AWS SDKs find credentials and APIs.
func (t *task) credentialVariables() map[string]string {
	set := map[string]string{"AWS_REGION": t.work.Region, "AWS_DEFAULT_REGION": t.work.Region}
	if t.work.Definition.TaskRoleARN != "" {
		set["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = metadataAddress + credentialsPath
		set["AWS_ENDPOINT_URL"] = metadataAddress + apiPath
	}
	return set
}

// answer connects to the task's host, where it is not connected yet, and answers what the task's containers ask there.
func (t *task) answer(ctx context.Context, o *observation) error {
	if o.host == nil || o.host.NetworkSettings == nil {
		return nil
	}
	authority, err := t.agent.Account.Authority()
	if err != nil {
		return err
	}
	for _, binding := range o.host.NetworkSettings.Ports[tcp(agentPort)] {
		if !t.answering.CompareAndSwap(false, true) {
			continue
		}
		t.background.Go(func() {
			defer t.answering.Store(false) // and the next step connects again
			_ = tunnel.Answer(ctx, "127.0.0.1:"+binding.HostPort, token(authority, t.arn), t.api())
		})
	}
	return nil
}

// api is what the task's containers may ask.
func (t *task) api() http.Handler {
	arn, role := t.arn, t.work.Definition.TaskRoleARN
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == knownPath {
			t.naming.Do(func() { close(t.named) })
			return
		}
		if path, isAPI := strings.CutPrefix(r.URL.Path, apiPath); isAPI {
			r.URL.Path = "/" + strings.TrimPrefix(path, "/") // not redirected, as SDKs do not follow
			r.URL.RawPath = ""
			t.agent.API.ServeHTTP(w, r)
			return
		}
		if r.URL.Path == namesPath {
			t.answerNames(w, r)
			return
		}
		made, err := t.agent.Account.TaskCredentials(arn, role)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"RoleArn": role, "AccessKeyId": made.AccessKeyID,
			"SecretAccessKey": made.SecretAccessKey, "Token": made.SessionToken,
			"Expiration": made.Expiration.Format(time.RFC3339)}) // who asked may have gone
	})
}
