package verify

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"slipway/cmd/slipway/internal/exit"
	"slipway/internal/awslimits"
)

// texts is a string or a list of strings, as IAM policies have both.
type texts []string

func (t *texts) UnmarshalJSON(body []byte) error {
	var one string
	if json.Unmarshal(body, &one) == nil {
		*t = texts{one}
		return nil
	}
	return json.Unmarshal(body, (*[]string)(t))
}

type trustStatement struct {
	Effect    string
	Principal json.RawMessage
	Action    texts
	Condition map[string]map[string]texts
}

// assumer is who is to assume a role.
type assumer struct {
	principal string
	// source is the service in the ARN of what it does that for, which those are in words.
	source, words string
}

// trusted checks that a role can be assumed for tasks, or schedules, of this account and region. An update writes the
// trust policy only where the stage file changes it, so what was changed by hand stays until a refresh.
func (v *verifier) trusted(name string, found *role, by assumer) (string, error) {
	fix := fmt.Sprintf("run `pulumi up --refresh --stack %s`, which sets its trust policy back", v.stack)
	text, err := url.PathUnescape(found.Trust)
	if err != nil {
		return "", fmt.Errorf("the trust policy of %s cannot be read: %w", name, err)
	}
	statements, err := trustStatements(text)
	if err != nil {
		return "", fmt.Errorf("the trust policy of %s cannot be read: %w", name, err)
	}
	trusts, unsure := false, false
	for _, statement := range statements {
		applies := statement.isFor(by.principal)
		holds, known := v.conditionsHold(statement.Condition, by.source)
		switch {
		case !applies:
		case !known:
			unsure = true
		case holds && statement.Effect == "Deny":
			return "", exit.Refuse("the trust policy of the role %s denies %s to assume it: %s", name, by.principal, fix)
		case holds:
			trusts = true
		}
	}
	if unsure {
		return "", noted("the trust policy of the role %s has conditions that slipway does not know: "+
			"make sure that they let %s assume it, or %s", name, by.principal, fix)
	}
	if !trusts {
		return "", exit.Refuse("the trust policy of the role %s does not let %s assume it for %s of this account and "+
			"region: %s", name, by.principal, by.words, fix)
	}
	return "the role " + name + " can be assumed by " + by.words, nil
}

// trustStatements are those of a policy, which may have one without a list.
func trustStatements(text string) ([]trustStatement, error) {
	var policy struct{ Statement json.RawMessage }
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		return nil, err
	}
	var statements []trustStatement
	if err := json.Unmarshal(policy.Statement, &statements); err == nil {
		return statements, nil
	}
	var one trustStatement
	err := json.Unmarshal(policy.Statement, &one)
	return []trustStatement{one}, err
}

// isFor tells whether a statement is about a service that assumes the role.
func (s trustStatement) isFor(service string) bool {
	var principals struct{ Service texts }
	everybody := string(s.Principal) == `"*"`
	if !everybody && (json.Unmarshal(s.Principal, &principals) != nil || !slices.Contains(principals.Service, service)) {
		return false
	}
	return slices.ContainsFunc(s.Action,
		func(action string) bool { return awslimits.Match(strings.ToLower(action), "sts:assumerole") })
}

// conditionsHold tells whether conditions hold for tasks of the stage, as far as they are of the kind that slipway
// writes.
func (v *verifier) conditionsHold(conditions map[string]map[string]texts, source string) (holds, known bool) {
	for operator, keys := range conditions {
		if !slices.Contains([]string{"StringEquals", "StringLike", "ArnLike", "ArnEquals"}, operator) {
			return false, false
		}
		for key, patterns := range keys {
			var value string
			switch strings.ToLower(key) {
			case "aws:sourceaccount":
				value = v.Account
			case "aws:sourcearn":
				value = fmt.Sprintf("%s:%s:%s:", source, v.Region, v.Account) // a task, a service or anything else of ECS
			default:
				return false, false
			}
			if !slices.ContainsFunc(patterns, func(pattern string) bool {
				if parts := strings.SplitN(pattern, ":", 6); len(parts) == 6 { // an ARN
					return awslimits.Match(strings.Join(parts[2:5], ":")+":", value)
				}
				return awslimits.Match(pattern, value)
			}) {
				return false, true
			}
		}
	}
	return true, true
}
