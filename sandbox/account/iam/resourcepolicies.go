package iam

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"slipway/sandbox/account"
)

// OrganizationID is the organisation that all of the sandbox's accounts belong to.
const OrganizationID = "o-sandbox12345"

// principals are who a statement of a resource's policy speaks of: `*`, or lists by kind (AWS, Service).
type principals map[string]texts

func (p *principals) UnmarshalJSON(body []byte) error {
	var all string
	if json.Unmarshal(body, &all) != nil {
		return json.Unmarshal(body, (*map[string]texts)(p))
	}
	if all != "*" {
		return errors.New("a principal that is a text must be *")
	}
	*p = principals{"AWS": {"*"}}
	return nil
}

// include tells whether a caller is among them: by account, by ARN, or as a session of a role.
func (p principals) include(caller account.Caller) bool {
	return slices.ContainsFunc(p["AWS"], func(named string) bool {
		return named == "*" || named == caller.Account() || named == caller.ARN || named == roleOf(caller) ||
			named == account.ARN(caller.Account(), "iam", "", "root")
	})
}

// roleOf is the ARN of the role that a caller has a session of; the caller's own where it has none. (A session's ARN
// has no path, and the sandbox's roles that are assumed have none.)
func roleOf(caller account.Caller) string {
	if role := caller.Role(); role != "" {
		return account.ARN(caller.Account(), "iam", "", "role/"+role)
	}
	return caller.ARN
}

// CheckResourcePolicy refuses a policy of a resource that IAM cannot read, or that names nobody.
func CheckResourcePolicy(policy string) error {
	statements, err := parsePolicy(policy)
	if err == nil && (len(statements) == 0 ||
		slices.ContainsFunc(statements, func(s policyStatement) bool { return len(s.Principal) == 0 })) {
		err = account.Refuse("MalformedPolicyDocument", "Missing required field Principal")
	}
	return err
}

// DecideFor is what a resource's policy decides on an action of a caller. keys are the condition keys of the request
// beside those that tell of the caller, such as sts:ExternalId.
func DecideFor(caller account.Caller, policy, action, resource string, keys map[string]string) (string, error) {
	statements, err := parsePolicy(policy)
	if err != nil {
		return "", err
	}
	known := map[string]string{"aws:principalorgid": OrganizationID, "aws:principalaccount": caller.Account(),
		"aws:principalarn": roleOf(caller)}
	for key, value := range keys {
		known[strings.ToLower(key)] = value
	}
	decision := ImplicitDeny
	for _, s := range statements {
		// The policy belongs to one resource, and mostly names none.
		if s.Resource == nil && s.NotResource == nil {
			s.Resource = texts{"*"}
		}
		applies := s.match(action, resource) && s.Principal.include(caller)
		if applies {
			if applies, err = conditionsHold(s.Condition, known); err != nil {
				return "", err
			}
		}
		switch {
		case applies && s.Effect == "Deny":
			return ExplicitDeny, nil
		case applies:
			decision = Allowed
		}
	}
	return decision, nil
}

// conditionsHold evaluates the operators that compare texts.
func conditionsHold(conditions map[string]any, known map[string]string) (bool, error) {
	for operator, keys := range conditions {
		for key, values := range account.Fields(keys) {
			wanted := texts(account.Object(account.Fields(keys)).List(key))
			if wanted == nil {
				wanted = texts{fmt.Sprint(values)}
			}
			value, isSet := known[strings.ToLower(key)]
			var holds bool
			switch operator {
			case "StringEquals", "ForAnyValue:StringEquals", "ArnEquals":
				holds = isSet && slices.Contains(wanted, value)
			case "StringLike", "ForAnyValue:StringLike", "ArnLike":
				holds = isSet && wanted.match(value)
			case "StringNotEquals":
				holds = !slices.Contains(wanted, value)
			default:
				return false, account.Refuse("InvalidInput", "The sandbox does not evaluate the operator %s.", operator)
			}
			if !holds {
				return false, nil
			}
		}
	}
	return true, nil
}
