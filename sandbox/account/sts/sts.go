// Package sts is AWS STS: who signs a request, and sessions of roles.
package sts

import (
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"slipway/sandbox/account"
	"slipway/sandbox/account/iam"
)

// Credentials are what requests are signed with.
type Credentials struct {
	AccessKeyID, SecretAccessKey, SessionToken string
	Expiration                                 time.Time
	Caller                                     account.Caller
}

const (
	plainKey   = "AKIA" // begins the access key of a user
	sessionKey = "ASIA" // begins that of a session
)

// PlainKey is the access key of an account's user: the account's number is in it, as it is in AWS's own. Its secret is
// any text, as no signature is checked.
func PlainKey(id string) string { return plainKey + id }

// session is what a session token says, which AWS encrypts.
type session struct {
	Key     string
	Caller  account.Caller
	Expires time.Time
}

// Identify tells who signs with an access key and a session token, which is empty for plain keys.
func Identify(a *account.Account, accessKey, token string) (account.Caller, error) {
	invalid := account.Refuse("InvalidClientTokenId", "The security token included in the request is invalid.")
	if id, isPlain := strings.CutPrefix(accessKey, plainKey); isPlain && account.IsID(id) && token == "" {
		return account.User(id), nil
	}
	text, err := base64.StdEncoding.DecodeString(token)
	var s session
	if err != nil || json.Unmarshal(text, &s) != nil || s.Key != accessKey {
		return account.Caller{}, invalid
	}
	now, err := a.Now()
	if err == nil && now.After(s.Expires) {
		err = account.Refuse("ExpiredToken", "The security token included in the request is expired")
	}
	return s.Caller, err
}

// Request is a call of AssumeRole.
type Request struct {
	RoleARN, SessionName, ExternalID string
	IsWebIdentity                    bool          // by a token instead of the caller's keys
	Duration                         time.Duration // zero for an hour
}

var (
	roleARN     = regexp.MustCompile(`^arn:aws:iam::([0-9]{12}):role(/[!-~]+/|/)([A-Za-z0-9+=,.@_-]{1,64})$`)
	sessionName = regexp.MustCompile(`^[A-Za-z0-9+=,.@_-]{2,64}$`)
)

// What a session may last: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
const (
	leastDuration    = 15 * time.Minute
	standardDuration = time.Hour
	mostChained      = time.Hour // of a role that another role assumes
	mostDuration     = 12 * time.Hour
)

// AssumeRole makes a session of a role in any account. A role that its account has must trust the caller. One that the
// account does not have is taken to trust everybody: nothing else could deploy to an account that is still empty.
func AssumeRole(a *account.Account, r Request) (made Credentials, err error) {
	match := roleARN.FindStringSubmatch(r.RoleARN)
	if r.Duration == 0 {
		r.Duration = standardDuration
	}
	isSession := strings.Contains(a.Caller.ARN, ":assumed-role/") && !r.IsWebIdentity
	switch {
	case match == nil:
		return made, account.Refuse("ValidationError", "%s is invalid", r.RoleARN)
	case !sessionName.MatchString(r.SessionName):
		return made, account.Refuse("ValidationError", "1 validation error detected: Value '%s' at 'roleSessionName' failed "+
			"to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*", r.SessionName)
	case r.Duration < leastDuration || r.Duration > mostDuration:
		return made, account.Refuse("ValidationError", "1 validation error detected: Value '%.0f' at 'durationSeconds' failed "+
			"to satisfy constraint: Member must have value between 900 and 43200", r.Duration.Seconds())
	case isSession && r.Duration > mostChained:
		return made, account.Refuse("ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for "+
			"roles assumed by role chaining")
	}
	id, name := match[1], match[3]
	err = a.Transact(func(t *account.Tx) error {
		in := t.In(id)
		if role := account.Get[account.Object](in, iam.Role, name); role != nil {
			if err := checkTrust(in, *role, r); err != nil {
				return err
			}
		}
		made, err = newSession(in, account.Session(id, name, r.SessionName), r.Duration)
		return err
	})
	return made, err
}

func newSession(in *account.Tx, caller account.Caller, duration time.Duration) (made Credentials, err error) {
	key := sessionKey + in.ID + strings.ToUpper(in.NewID("session", 4))
	made = Credentials{AccessKeyID: key, SecretAccessKey: "sandbox", Expiration: in.Now.Add(duration).UTC(),
		Caller: caller}
	token, err := json.Marshal(session{key, made.Caller, made.Expiration})
	made.SessionToken = base64.StdEncoding.EncodeToString(token)
	return made, err
}

// taskDuration is how long ECS has the credentials of a task last.
const taskDuration = 6 * time.Hour

// TaskSession is a session that a task has of its role, which lets it do what the role's policies allow.
func TaskSession(a *account.Account, role, task string) (made Credentials, err error) {
	err = a.Transact(func(t *account.Tx) error {
		caller := account.Session(a.ID, role, task)
		caller.Task = true
		made, err = newSession(t, caller, taskDuration)
		return err
	})
	return made, err
}

// checkTrust refuses a session of a role that its account has.
func checkTrust(in *account.Tx, role account.Object, r Request) error {
	if longest := time.Duration(role.Number("maxSessionDuration", 3600)) * time.Second; r.Duration > longest {
		return account.Refuse("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this "+
			"role.")
	}
	if r.IsWebIdentity { // nobody here issues tokens
		return account.Refuse("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
	}
	keys := map[string]string{}
	if r.ExternalID != "" {
		keys["sts:ExternalId"] = r.ExternalID
	}
	decision, err := iam.DecideFor(in.Caller, role.Text("assumeRolePolicy"), "sts:AssumeRole", r.RoleARN, keys)
	if err == nil && (decision != iam.Allowed || role.Text("arn") != "" && role.Text("arn") != r.RoleARN) {
		err = account.Refuse("AccessDenied", "User: %s is not authorized to perform: sts:AssumeRole on "+
			"resource: %s", in.Caller.ARN, r.RoleARN)
	}
	return err
}
