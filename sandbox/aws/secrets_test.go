package aws

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/secrets"
)

const (
	secretToken  = "aws:secretsmanager/secret:Secret"
	versionToken = "aws:secretsmanager/secretVersion:SecretVersion"
)

func TestSecretValuesAreKeptAndMarked(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	s := c.create(secretToken, "web", values{"name": "shop/dev/web", "tags": values{"Stage": "dev"}})
	require.Regexp(t, `^arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:shop/dev/web-[0-9a-f]{6}$`, s.id)
	c.update(s, values{"name": "shop/dev/web", "description": "of the shop"})
	require.Equal(t, "of the shop", s.outputs["description"])
	c.refresh(s)
	require.Empty(t, c.diff(s, s.inputs).GetDiffs())
	first := c.create(versionToken, "one", values{"secretId": s.id, "secretString": `{"KEY":"1"}`})
	require.Equal(t, conceal(`{"KEY":"1"}`), first.outputs["secretString"])
	require.Equal(t, conceal(`{"KEY":"1"}`), first.inputs["secretString"])
	require.Equal(t, []any{"AWSCURRENT"}, first.outputs["versionStages"])
	next := c.create(versionToken, "two", values{"secretId": s.id, "secretString": `{"KEY":"2"}`})
	c.refresh(first)
	require.Equal(t, []any{"AWSPREVIOUS"}, first.outputs["versionStages"])
	require.Empty(t, c.diff(first, first.inputs).GetDiffs(), "a label that moved on is no difference")
	require.NoError(t, c.remove(first))
	c.refresh(first)
	require.Equal(t, []any{}, first.outputs["versionStages"])
	for reference, want := range map[string]string{
		s.id:            `{"KEY":"2"}`,
		s.id + ":KEY::": "2",
		s.id + ":KEY::" + text(first.outputs, "versionId"): "1",
		s.id + "::AWSCURRENT:":                             `{"KEY":"2"}`,
	} {
		value, err := secrets.SecretValue(c.account, reference)
		require.NoError(t, err, reference)
		require.Equal(t, want, value, reference)
	}
	require.NoError(t, c.remove(next))
	c.refresh(next)
	require.Equal(t, []any{"AWSCURRENT"}, next.outputs["versionStages"], "the current value stays")
	require.NoError(t, c.remove(s))
	c.refresh(s)
	require.Empty(t, s.id)
	c.refresh(next)
	require.Empty(t, next.id)
}

func TestSecretsThatAreRefused(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	s := c.create(secretToken, "web", values{"name": "web"})
	_, err := c.tryCreate(secretToken, "web", values{"name": "web"})
	require.ErrorContains(t, err,
		"creating Secrets Manager Secret (web): ResourceExistsException: The operation failed because the secret web "+
			"already exists.")
	_, err = c.tryCreate(versionToken, "web", values{"secretId": s.id})
	require.ErrorContains(t, err, "InvalidRequestException: You must provide either SecretString or SecretBinary.")
	_, err = c.tryCreate(versionToken, "web", values{"secretId": s.id, "secretString": strings.Repeat("x", 65537)})
	require.ErrorContains(t, err, "ValidationException: ")
	require.NoError(t, c.remove(s))
	_, err = c.tryCreate(secretToken, "web", values{"name": "web"})
	require.ErrorContains(t, err,
		"InvalidRequestException: You can't create this secret because a secret with this name is already scheduled for "+
			"deletion.")
	_, err = c.tryCreate(versionToken, "web", values{"secretId": s.id, "secretString": "x"})
	require.ErrorContains(t, err,
		"InvalidRequestException: You can't perform this operation on the secret because it was marked for deletion.")

	at := c.create(secretToken, "once", values{"name": "once", "recoveryWindowInDays": 0.0})
	require.NoError(t, c.remove(at))
	require.NotEqual(t, at.id, c.create(secretToken, "once", values{"name": "once", "recoveryWindowInDays": 0.0}).id)
	_, err = secrets.SecretValue(c.account, at.id)
	require.True(t, account.IsCode(err, "ResourceNotFoundException"))

	_, reasons := c.check(secretToken, "web", nil, values{"recoveryWindowInDays": 5.0})
	require.Equal(t, []string{
		"expected recovery_window_in_days to be in the range (7 - 30), got 5. Examine values at 'web.recoveryWindowInDays'.",
		"expected recovery_window_in_days to be one of [0], got 5. Examine values at 'web.recoveryWindowInDays'."}, reasons)
}
