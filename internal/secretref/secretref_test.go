package secretref

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReferencesToSecrets(t *testing.T) {
	t.Parallel()
	const secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:"
	const parameter = "arn:aws-cn:ssm:cn-north-1:123456789012:parameter"
	own := Reference{ARN: secret + "team/url-AbCdEf", Region: "eu-west-1", Account: "123456789012",
		Name: "team/url-AbCdEf"}
	with := func(change func(r *Reference)) Reference {
		changed := own
		change(&changed)
		return changed
	}
	for text, want := range map[string]Reference{
		secret + "team/url-AbCdEf":                 own,
		secret + "team/url-AbCdEf:::":              own,
		secret + "team/url-AbCdEf:user::":          with(func(r *Reference) { r.Key = "user" }),
		secret + "team/url-AbCdEf::AWSPREVIOUS:":   with(func(r *Reference) { r.Label = "AWSPREVIOUS" }),
		secret + "team/url-AbCdEf:user::0123-4567": with(func(r *Reference) { r.Key, r.Version = "user", "0123-4567" }),
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
		found, ok := Parse(text)
		require.True(t, ok, text)
		require.Equal(t, want, found, text)
		require.Equal(t, want.ARN != "", IsARN(text), text)
	}
	for _, text := range []string{"", "a b", "/", secret + "url", secret + "url-AbCdEf:key",
		secret + "url-AbCdEf:key:label:version", secret + "url-AbCdEf:key:label:version:more",
		"arn:aws:secretsmanager::123456789012:secret:url-AbCdEf", "arn:aws:secretsmanager:eu-west-1:12:secret:url-AbCdEf",
		parameter, parameter + ":url", "arn:aws:s3:::bucket"} {
		_, ok := Parse(text)
		require.False(t, ok, text)
		require.False(t, IsARN(text), text)
	}
	require.True(t, IsParameter(parameter+"/url"))
	require.False(t, IsParameter(secret+"ssm-AbCdEf:ssm::"))
	require.False(t, IsParameter("/dev/url"), "the name of one")
	require.Equal(t, own.ARN, ARN(secret+"team/url-AbCdEf:user::0123-4567"))
	require.Equal(t, "/dev/url", ARN("/dev/url"))
}
