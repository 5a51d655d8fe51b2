package account

import (
	"regexp"
	"strings"
)

var idPattern = regexp.MustCompile(`^[0-9]{12}$`)

// IsID tells whether a text may be the number of an account.
func IsID(text string) bool { return idPattern.MatchString(text) }

// Caller is who a call comes from, as STS's GetCallerIdentity names it.
type Caller struct {
	ARN string
	// ID is the unique one: AIDA… of a user, AROA…:SESSION of a role's session.
	ID string
	// Task tells that it is a session that a task has of its role.
	Task bool `json:",omitempty"`
}

// User is an account's own user, whose plain keys `sandbox exec` hands out.
func User(id string) Caller {
	return Caller{ARN: ARN(id, "iam", "", "user/sandbox"), ID: "AIDASANDBOX" + id}
}

// Account is the number of the account that the caller belongs to.
func (c Caller) Account() string { return Owner(c.ARN) }

// Role is the name of the role that the caller has a session of; empty where it has none.
func (c Caller) Role() string {
	session, isSession := strings.CutPrefix(c.ARN, ARN(c.Account(), "sts", "", "assumed-role/"))
	if !isSession {
		return ""
	}
	role, _, _ := strings.Cut(session, "/")
	return role
}

// Session is a session of an account's role.
func Session(id, role, name string) Caller {
	return Caller{ARN: ARN(id, "sts", "", "assumed-role/"+role+"/"+name), ID: "AROASANDBOX" + id + ":" + name}
}
