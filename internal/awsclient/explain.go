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
		what = s.explainAssumeRole(text, file)
	case says("account id not allowed"):
		what = fmt.Sprintf("aws:allowedAccountIds (%s): %s; use credentials of an account in the list, or correct the list",
			file, s.WrongAccount(notAllowed.FindString(text), file))
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

// notAllowed is the account that the provider refuses.
var notAllowed = regexp.MustCompile(`[0-9]{12}`)

// refusedUser is who asked for a role in vain, in AWS's words.
var refusedUser = regexp.MustCompile(`User: (\S+) is not authorized to perform: sts:AssumeRole on resource: ([^\s,]+)`)

// explainAssumeRole says which role was refused to whom.
func (s Settings) explainAssumeRole(text, file string) string {
	key, role := fmt.Sprintf("aws:profile (%s) is %q, whose role_arn", file, s.Profile), "the role"
	if s.AssumeRole != nil {
		key, role = fmt.Sprintf("aws:assumeRole (%s)", file), s.AssumeRole.RoleArn
	}
	who := "these credentials"
	if match := refusedUser.FindStringSubmatch(text); match != nil {
		who, role = match[1], match[2]
	}
	return fmt.Sprintf("%s: %s may not assume %s; let the trust policy of the role name it (and its externalId, where it "+
		"asks for one), allow it sts:AssumeRole, or correct the ARN", key, who, role)
}

// WrongAccount says which account the credentials belong to, and where they come from.
func (s Settings) WrongAccount(account, file string) string {
	from := "those of this shell"
	switch {
	case s.AssumeRole != nil:
		from = fmt.Sprintf("of the role %s (aws:assumeRole in %s)", s.AssumeRole.RoleArn, file)
	case s.AssumeWebIdentity != nil:
		from = fmt.Sprintf("of the role %s (aws:assumeRoleWithWebIdentity in %s)", s.AssumeWebIdentity.RoleArn, file)
	case s.Profile != "":
		from = fmt.Sprintf("of the profile %s (aws:profile in %s)", s.Profile, file)
	case s.AccessKey != "":
		from = fmt.Sprintf("of aws:accessKey in %s", file)
	case os.Getenv("AWS_PROFILE") != "":
		from = fmt.Sprintf("of the profile %s (AWS_PROFILE)", os.Getenv("AWS_PROFILE"))
	}
	return fmt.Sprintf("the credentials, %s, belong to account %s", from, account)
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
