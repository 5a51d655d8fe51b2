package awsclient

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// assume retrieves credentials with these settings, and returns what STS was asked for.
func assume(t *testing.T, settings Settings) url.Values {
	t.Helper()
	var asked url.Values
	sts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		_ = request.ParseForm()
		asked = request.PostForm
		action := asked.Get("Action")
		fmt.Fprintf(w, `<%[1]sResponse><%[1]sResult><Credentials><AccessKeyId>a</AccessKeyId><SecretAccessKey>s</SecretAccessKey>`+
			`<SessionToken>t</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration></Credentials></%[1]sResult></%[1]sResponse>`, action)
	}))
	t.Cleanup(sts.Close)
	settings.Region, settings.AccessKey, settings.SecretKey = "ap-northeast-2", "key", "secret"
	settings.Endpoints = map[string]string{"sts": sts.URL}
	config, err := settings.Load(t.Context())
	require.NoError(t, err)
	_, err = config.Credentials.Retrieve(t.Context())
	require.NoError(t, err)
	return asked
}

func TestARoleIsAssumedWithAllThatTheProviderAsksFor(t *testing.T) {
	t.Parallel()
	var settings Settings
	require.NoError(t, json.Unmarshal([]byte(`{"roleArn": "arn:aws:iam::123456789012:role/deploy", "sessionName": "ci", "externalId": "x",
		"duration": "30m", "policyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"], "sourceIdentity": "alice",
		"tags": {"team": "web"}, "transitiveTagKeys": ["team"]}`), &settings.AssumeRole))
	asked := assume(t, settings)
	for name, value := range map[string]string{
		"Action": "AssumeRole", "RoleArn": "arn:aws:iam::123456789012:role/deploy", "RoleSessionName": "ci",
		"ExternalId":      "x",
		"DurationSeconds": "1800", "PolicyArns.member.1.arn": "arn:aws:iam::aws:policy/ReadOnlyAccess",
		"SourceIdentity":    "alice",
		"Tags.member.1.Key": "team", "Tags.member.1.Value": "web", "TransitiveTagKeys.member.1": "team",
	} {
		require.Equal(t, value, asked.Get(name), name)
	}
}

func TestAWebIdentityIsATokenOrAFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte("from the file"), 0o600))
	role := roleSession{RoleArn: "arn:aws:iam::123456789012:role/deploy", SessionName: "ci"}
	for token, identity := range map[string]webIdentity{
		"from the file": {roleSession: role, WebIdentityTokenFile: file},
		"given":         {roleSession: role, WebIdentityToken: "given"},
	} {
		require.Equal(t, token, assume(t, Settings{AssumeWebIdentity: &identity}).Get("WebIdentityToken"))
	}
}
