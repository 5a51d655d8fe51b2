package account

import "regexp"

var idPattern = regexp.MustCompile(`^[0-9]{12}$`)

// IsID tells whether a text may be the number of an account.
func IsID(text string) bool { return idPattern.MatchString(text) }

// Caller is who a call comes from, as STS's GetCallerIdentity names it.
type Caller struct {
	ARN string
	// ID is the unique one: AIDA… of a user, AROA…:SESSION of a role's session.
	ID string
}

// User is an account's own user, whose plain keys `sandbox exec` hands out.
func User(id string) Caller {
	return Caller{ARN(id, "iam", "", "user/sandbox"), "AIDASANDBOX" + id}
}

// Account is the number of the account that the caller belongs to.
func (c Caller) Account() string { return Owner(c.ARN) }

// Session is a session of an account's role.
func Session(id, role, name string) Caller {
	return Caller{ARN(id, "sts", "", "assumed-role/"+role+"/"+name), "AROASANDBOX" + id + ":" + name}
}
