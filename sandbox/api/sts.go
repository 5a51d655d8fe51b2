package api

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"slipway/sandbox/account"
	"slipway/sandbox/account/iam"
	"slipway/sandbox/account/sts"
	"slipway/sandbox/policy"
)

// identified has each request answered by the account that it was signed for.
func identified(a *account.Account, answer answerer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, blobPath) { // whose address alone lets in
			answer(w, r, a)
			return
		}
		if r.Header.Get("Authorization") == "" && r.FormValue("Action") == withWebIdentity { // the token is the signature
			answer(w, r, a)
			return
		}
		caller, err := sts.Identify(a, scope(r, scopeKey), r.Header.Get("X-Amz-Security-Token"))
		own := a.As(caller)
		if err == nil && caller.Task {
			own, err = guardedByRole(own)
		}
		if err == nil {
			answer(w, r, own)
			return
		}
		refusal := new(account.Error)
		if errors.As(err, &refusal) && r.Header.Get("X-Amz-Target") != "" {
			fail(w, &account.Error{Code: jsonCodes[refusal.Code], Message: refusal.Message})
			return
		}
		failQuery(w, scope(r, scopeService), err)
	})
}

// guardedByRole is the account as a task sees it, which may do what its role may.
func guardedByRole(a *account.Account) (*account.Account, error) {
	var policies []string
	var boundary string
	err := a.Transact(func(t *account.Tx) error {
		policies, boundary = iam.PoliciesOf(t, a.Caller.Role())
		return nil
	})
	if err != nil {
		return nil, err
	}
	guard, err := policy.OfRole(policies, boundary)
	if err != nil {
		return nil, err
	}
	return a.GuardedBy(guard), nil
}

// jsonCodes are the codes of services that speak JSON.
var jsonCodes = map[string]string{"InvalidClientTokenId": "UnrecognizedClientException",
	"ExpiredToken": "ExpiredTokenException"}

func getCallerIdentity(a *account.Account, _ string, _ url.Values) (any, error) {
	return struct {
		Arn     string
		UserID  string `xml:"UserId"`
		Account string
	}{a.Caller.ARN, a.Caller.ID, a.ID}, nil
}

// withWebIdentity is the action of those who have a token of somebody whom a role trusts, and no keys.
const withWebIdentity = "AssumeRoleWithWebIdentity"

func assumeRole(a *account.Account, _ string, form url.Values) (any, error) {
	isWeb := form.Get("Action") == withWebIdentity
	for key := range form {
		switch name, _, _ := strings.Cut(key, "."); {
		case slices.Contains([]string{"Action", "Version", "RoleArn", "RoleSessionName", "DurationSeconds"}, name):
		case isWeb && name == "WebIdentityToken":
		case !isWeb && slices.Contains([]string{"ExternalId", "SourceIdentity", "Tags", "TransitiveTagKeys"}, name):
		default:
			return nil, account.Refuse("ValidationError", "The sandbox has no parameter %s of %s.", name, form.Get("Action"))
		}
	}
	if isWeb && form.Get("WebIdentityToken") == "" {
		return nil, account.Refuse("InvalidIdentityToken", "The web identity token is missing.")
	}
	seconds, _ := strconv.Atoi(form.Get("DurationSeconds")) // none is zero
	made, err := sts.AssumeRole(a, sts.Request{RoleARN: form.Get("RoleArn"), SessionName: form.Get("RoleSessionName"),
		ExternalID: form.Get("ExternalId"), IsWebIdentity: isWeb, Duration: time.Duration(seconds) * time.Second})
	if err != nil {
		return nil, err
	}
	type credentials struct {
		AccessKeyID                               string `xml:"AccessKeyId"`
		SecretAccessKey, SessionToken, Expiration string
	}
	type user struct {
		ID  string `xml:"AssumedRoleId"`
		Arn string
	}
	return struct {
		Credentials     credentials
		AssumedRoleUser user
	}{credentials{made.AccessKeyID, made.SecretAccessKey, made.SessionToken, made.Expiration.Format(time.RFC3339)},
		user{made.Caller.ID, made.Caller.ARN}}, nil
}
