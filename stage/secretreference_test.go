package stage

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReferencesToSecrets(t *testing.T) {
	t.Parallel()
	const secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:"
	const parameter = "arn:aws-cn:ssm:cn-north-1:123456789012:parameter"
	own := SecretReference{ARN: secret + "team/url-AbCdEf", Region: "eu-west-1", Account: "123456789012",
		Name: "team/url-AbCdEf"}
	with := func(change func(r *SecretReference)) SecretReference {
		changed := own
		change(&changed)
		return changed
	}
	for text, want := range map[string]SecretReference{
		secret + "team/url-AbCdEf":                 own,
		secret + "team/url-AbCdEf:::":              own,
		secret + "team/url-AbCdEf:user::":          with(func(r *SecretReference) { r.Key = "user" }),
		secret + "team/url-AbCdEf::AWSPREVIOUS:":   with(func(r *SecretReference) { r.Label = "AWSPREVIOUS" }),
		secret + "team/url-AbCdEf:user::0123-4567": with(func(r *SecretReference) { r.Key, r.Version = "user", "0123-4567" }),
		secret + "rds!db-0d1d-AbCdEf:password::": {ARN: secret + "rds!db-0d1d-AbCdEf", Region: "eu-west-1",
			Account: "123456789012", Name: "rds!db-0d1d-AbCdEf",
			Key: "password"},
		parameter + "/dev/url": {ARN: parameter + "/dev/url", Region: "cn-north-1", Account: "123456789012", Name: "/dev/url",
			Parameter: true},
		parameter + "/url": {ARN: parameter + "/url", Region: "cn-north-1", Account: "123456789012", Name: "url",
			Parameter: true},
		"/dev/url": {Name: "/dev/url", Parameter: true},
		"url":      {Name: "url", Parameter: true},
	} {
		found, ok := ParseSecretReference(text)
		require.True(t, ok, text)
		require.Equal(t, want, found, text)
		require.Equal(t, want.ARN != "", IsSecretARN(text), text)
	}
	for _, text := range []string{"", "a b", "/", secret + "url", secret + "url-AbCdEf:key",
		secret + "url-AbCdEf:key:label:version", secret + "url-AbCdEf:key:label:version:more",
		"arn:aws:secretsmanager::123456789012:secret:url-AbCdEf", "arn:aws:secretsmanager:eu-west-1:12:secret:url-AbCdEf",
		parameter, parameter + ":url", "arn:aws:s3:::bucket"} {
		_, ok := ParseSecretReference(text)
		require.False(t, ok, text)
		require.False(t, IsSecretARN(text), text)
	}
	require.True(t, Secret{ARN: parameter + "/url"}.IsParameter())
	require.False(t, Secret{ARN: secret + "ssm-AbCdEf:ssm::"}.IsParameter())
	require.False(t, Secret{}.IsParameter())
	require.Equal(t, own.ARN, SecretARN(secret+"team/url-AbCdEf:user::0123-4567"))
	require.Equal(t, "/dev/url", SecretARN("/dev/url"))
}
