package awsclient

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The first call of the SDK itself fails in all these ways.
func TestFailuresOfTheFirstCallNameTheKey(t *testing.T) {
	for _, variable := range []string{"AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID",
		"AWS_SECRET_ACCESS_KEY"} {
		t.Setenv(variable, "")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	t.Setenv("HOME", t.TempDir())
	first := func(s Settings) error {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // what does not answer is asked again and again
		defer cancel()
		cfg, err := s.Load(ctx)
		if err == nil {
			_, err = s.Account(ctx, cfg)
		}
		require.Error(t, err)
		return s.Explain(err, "Pulumi.dev.yaml")
	}
	require.ErrorContains(t, first(Settings{Region: "eu-central-1", Profile: "shop"}),
		`aws:profile (Pulumi.dev.yaml) is "shop": the AWS configuration`)
	require.ErrorContains(t, first(Settings{Region: "eu-central-1"}),
		"aws:profile (Pulumi.dev.yaml) is not set: there are no credentials")
	require.ErrorContains(t, first(Settings{AccessKey: "a", SecretKey: "b"}),
		"aws:region (Pulumi.dev.yaml) is not set: AWS has no such region")
	require.ErrorContains(t,
		first(Settings{Region: "eu-central-1", AccessKey: "a", SecretKey: "b",
			Endpoints: map[string]string{"sts": "http://127.0.0.1:1"}}),
		"aws:endpoints (Pulumi.dev.yaml): nothing answers there")
}

func TestFailuresAreExplained(t *testing.T) {
	t.Setenv("AWS_PROFILE", "")
	s := Settings{Region: "eu-centrl-1", Profile: "shop"}
	for said, says := range map[string]string{
		"dial tcp: lookup sts.eu-centrl-1.amazonaws.com: no such host":                                   `aws:region (Pulumi.dev.yaml) is "eu-centrl-1": AWS does not answer there`,
		"invalid AWS Region: eu-centrl-1":                                                                `aws:region (Pulumi.dev.yaml) is "eu-centrl-1": AWS has no such region`,
		"the SSO session has expired or is invalid":                                                      "`aws sso login --profile shop`",
		"refresh cached SSO token failed, InvalidGrantException":                                         "`aws sso login --profile shop`",
		"refresh cached SSO token failed: dial tcp: lookup oidc.eu-west-1.amazonaws.com: no such host":   "AWS does not answer there",
		"StatusCode: 403, api error ExpiredToken: The security token included in the request is expired": "or name others with aws:profile",
		"api error InvalidClientTokenId: The security token included in the request is invalid":          "or name others with aws:profile",
		"operation error STS: AssumeRole, api error AccessDenied: User: arn:aws:iam::123456789012:user/me is not authorized to " +
			"perform: sts:AssumeRole on resource: arn:aws:iam::222222222222:role/deploy": `aws:profile (Pulumi.dev.yaml) is ` +
			`"shop", whose role_arn: arn:aws:iam::123456789012:user/me may not assume arn:aws:iam::222222222222:role/deploy; ` +
			`let the trust policy of the role name it`,
		"AWS account ID not allowed: 210987654321": "aws:allowedAccountIds (Pulumi.dev.yaml): the credentials, of the " +
			"profile shop (aws:profile in Pulumi.dev.yaml), belong to account 210987654321; use credentials of an account",
		"api error ExpiredTokenException: the token that is associated with the request has expired": "there are no credentials, or AWS does not take them",
		"api error RequestExpired: Request has expired":                                              "there are no credentials, or AWS does not take them",
		"something else": "aws:profile, aws:region (Pulumi.dev.yaml)",
	} {
		explained := s.Explain(errors.New(said), "Pulumi.dev.yaml")
		require.ErrorContains(t, explained, says)
		require.ErrorContains(t, explained, said)
	}
}

func TestARoleThatIsRefusedIsNamed(t *testing.T) {
	s, err := ReadSettings(func(key string) string {
		return map[string]string{"assumeRole": `{"roleArn": "arn:aws:iam::222222222222:role/deploy", "externalId": "x"}`}[key]
	})
	require.NoError(t, err)
	explained := s.Explain(errors.New("operation error STS: AssumeRole, https response error StatusCode: 403, api error "+
		"AccessDenied: no"), "Pulumi.dev.yaml")
	require.ErrorContains(t, explained, "aws:assumeRole (Pulumi.dev.yaml): these credentials may not assume "+
		"arn:aws:iam::222222222222:role/deploy; let the trust policy")
	require.Equal(t, "the credentials, of the role arn:aws:iam::222222222222:role/deploy (aws:assumeRole in Pulumi.dev.yaml), "+
		"belong to account 222222222222", s.WrongAccount("222222222222", "Pulumi.dev.yaml"))
}
