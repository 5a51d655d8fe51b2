package awsclient

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"slices"
)

// Explain says of the failure of a first call to AWS which setting decides what failed, and what to do. file is the
// name of the stage file, in which the aws:* keys stand. It goes by the texts, as an error of the provider's has
// nothing else.
func (s Settings) Explain(err error, file string) error {
	text := err.Error()
	says := func(signs ...string) bool {
		return slices.ContainsFunc(signs, func(sign string) bool { return hasWords(text, sign) })
	}
	profile := s.given("aws:profile", s.Profile, file, "AWS_PROFILE", "AWS_DEFAULT_PROFILE")
	region := s.given("aws:region", s.Region, file, "AWS_REGION", "AWS_DEFAULT_REGION")
	var what string
	switch {
	case says("shared config profile", "failed to get shared config"):
		what = profile + ": the AWS configuration of this machine has no such profile, or cannot be read; correct the " +
			"name, or make it with `aws configure sso`"
	case says("missing region", "invalid aws region", "not a valid endpoint", "invalid region",
		"an aws region is required"):
		what = region + ": AWS has no such region; write one such as eu-central-1"
	case says("assumerole") && says("accessdenied", "access denied", "not authorized"):
		what = fmt.Sprintf("aws:assumeRole (%s): these credentials may not assume the role; correct its ARN, or let its "+
			"trust policy name them", file)
	case says("no such host", "connection refused", "dial tcp", "network is unreachable", "i/o timeout", "tls:", "x509",
		"deadline exceeded", "request send failed"):
		what = region + ": AWS does not answer there; correct it, or check this machine's network and proxy"
		if len(s.Endpoints) > 0 {
			what = fmt.Sprintf("aws:endpoints (%s): nothing answers there; correct them, or check this machine's network and proxy", file)
		}
	case says("sso", "ssotoken") && says("expired", "refresh", "token", "invalidgrant"):
		what = profile + ": the session has ended; sign in with `" + s.login() + "`"
	case says("expired", "requestexpired", "invalidclienttokenid", "unrecognizedclient", "signaturedoesnotmatch",
		"no ec2 imds role",
		"no valid credential", "refresh cached credentials", "get credentials", "get identity"):
		what = profile + ": there are no credentials, or AWS does not take them; sign in with `" + s.login() +
			"`, or name others with aws:profile or the AWS_* variables"
	default:
		what = fmt.Sprintf("aws:profile, aws:region (%s): AWS was asked which account the credentials belong to, and did "+
			"not say; "+
			"sign in with `%s`, or correct them", file, s.login())
	}
	return fmt.Errorf("%s: %w", what, err)
}

// hasWords tells whether a text has a sign that begins with a word, whatever the case: "expired" is in ExpiredToken,
// too, and "sso" is a word of its own, not the middle of "associated" nor the start of another.
func hasWords(text, sign string) bool {
	const short = 4 // letters, which begin too many words
	pattern := `(?i)\b` + regexp.QuoteMeta(sign)
	if len(sign) < short {
		pattern += `\b`
	}
	return regexp.MustCompile(pattern).MatchString(text)
}

// given names where a setting comes from: its key, or the variable that is set.
func (s Settings) given(key, value, file string, variables ...string) string {
	if value != "" {
		return fmt.Sprintf("%s (%s) is %q", key, file, value)
	}
	for _, variable := range variables {
		if value := os.Getenv(variable); value != "" {
			return fmt.Sprintf("%s is not set in %s, and %s is %q", key, file, variable, value)
		}
	}
	return fmt.Sprintf("%s (%s) is not set", key, file)
}

func (s Settings) login() string {
	if profile := cmp.Or(s.Profile, os.Getenv("AWS_PROFILE")); profile != "" {
		return "aws sso login --profile " + profile
	}
	return "aws sso login"
}
