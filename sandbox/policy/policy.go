// Package policy decides by an IAM policy what a command may do in a sandbox account, and notes what it does.
package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"

	"slipway/internal/awslimits"
	"slipway/sandbox/account"
)

// Policy is the only identity-based policy of who makes the calls.
type Policy struct {
	Version   string
	Statement statements
}

// statements is one or a list of them.
type statements []statement

func (s *statements) UnmarshalJSON(body []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) {
		body = slices.Concat([]byte("["), body, []byte("]"))
	}
	return strictly(body, (*[]statement)(s))
}

func strictly(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

type statement struct {
	Sid              string
	Effect           string
	Action, Resource texts
	Condition        map[string]map[string]texts
}

// texts is a string or a list of strings.
type texts []string

func (t *texts) UnmarshalJSON(body []byte) error {
	var one string
	if json.Unmarshal(body, &one) == nil {
		*t = texts{one}
		return nil
	}
	return json.Unmarshal(body, (*[]string)(t))
}

// Parse reads a policy. What it does not know of policies is an error: it would decide otherwise than AWS.
func Parse(text []byte) (*Policy, error) {
	p := &Policy{}
	if err := strictly(text, p); err != nil {
		return nil, fmt.Errorf("the sandbox cannot read the policy: %w", err)
	}
	for i, s := range p.Statement {
		if s.Effect != "Allow" && s.Effect != "Deny" || len(s.Action) == 0 || len(s.Resource) == 0 {
			return nil, fmt.Errorf("statement %d of the policy has not all of Effect, Action and Resource", i+1)
		}
		for operator := range s.Condition {
			if comparisons[operator] == nil {
				return nil, fmt.Errorf("the sandbox does not know the operator %s of statement %d", operator, i+1)
			}
		}
	}
	return p, nil
}

// comparisons tell whether the values of a key in a call satisfy one of a policy.
var comparisons = map[string]func(values, patterns []string) bool{
	"StringEquals": func(values, want []string) bool { return len(values) == 1 && slices.Contains(want, values[0]) },
	"ArnEquals":    func(values, patterns []string) bool { return len(values) == 1 && matchesAny(patterns, values[0]) },
	"StringLike":   func(values, patterns []string) bool { return len(values) == 1 && matchesAny(patterns, values[0]) },
	"ForAllValues:StringLike": func(values, patterns []string) bool {
		return !slices.ContainsFunc(values, func(value string) bool { return !matchesAny(patterns, value) })
	},
}

func matchesAny(patterns []string, text string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return awslimits.Match(pattern, text) })
}

// keys are the condition keys of which the sandbox has values, where a call has them at all.
var keys = []string{"application-autoscaling:service-namespace", "aws:RequestTag/", "aws:ResourceTag/", "ecs:cluster",
	"iam:AWSServiceName", "iam:PassedToService", "iam:PermissionsBoundary",
	"route53:ChangeResourceRecordSetsNormalizedRecordNames"}

func (s statement) holds(call account.Call) (bool, error) {
	for operator, conditions := range s.Condition {
		for key, patterns := range conditions {
			if !slices.ContainsFunc(keys, func(known string) bool { return strings.HasPrefix(key, known) }) {
				return false, fmt.Errorf("the sandbox does not know the condition key %s", key)
			}
			if !comparisons[operator](call.Context[key], patterns) {
				return false, nil
			}
		}
	}
	return true, nil
}

// decide is nil for a call that the policy allows, and otherwise what AWS says.
func (p *Policy) decide(call account.Call) error {
	allowed := false
	lower := func(texts []string) (all []string) { // actions are the same in any case
		for _, text := range texts {
			all = append(all, strings.ToLower(text))
		}
		return all
	}
	for _, s := range p.Statement {
		if !matchesAny(lower(s.Action), strings.ToLower(call.Action)) || !matchesAny(s.Resource, call.Resource) {
			continue
		}
		holds, err := s.holds(call)
		switch {
		case err != nil:
			return err
		case holds && s.Effect == "Deny":
			return denied(call, "with an explicit deny in an identity-based policy")
		case holds:
			allowed = true
		}
	}
	if !allowed {
		return denied(call, "because no identity-based policy allows the "+call.Action+" action")
	}
	return nil
}

// denied is AWS's refusal, by the code of the service.
func denied(call account.Call, why string) error {
	message := fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s %s", call.Caller, call.Action,
		call.Resource, why)
	switch service, _, _ := strings.Cut(call.Action, ":"); service {
	case "ec2":
		return account.Refuse("UnauthorizedOperation", "You are not authorized to perform this operation. %s", message)
	case "cloudwatch", "elasticloadbalancing", "iam", "route53", "sqs":
		return account.Refuse("AccessDenied", "%s", message)
	}
	return account.Refuse("AccessDeniedException", "%s", message)
}

// Guard is what an account asks for each call: the policy in a file, if one is named, which refuses what it does not
// allow; and it appends each call to another file, if one is named.
func Guard(policyFile, logFile string) (func(account.Call) error, error) {
	var policy *Policy
	if policyFile != "" {
		text, err := os.ReadFile(policyFile)
		if err != nil {
			return nil, err
		}
		if policy, err = Parse(text); err != nil {
			return nil, err
		}
	}
	var log *os.File
	if logFile != "" {
		var err error
		if log, err = os.OpenFile(logFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644); err != nil {
			return nil, err
		}
	}
	var mutex sync.Mutex
	seen := map[string]bool{}
	return func(call account.Call) error {
		mutex.Lock()
		if line := call.Action + " " + call.Resource + "\n"; log != nil && !seen[line] {
			seen[line] = true
			_, _ = log.WriteString(line) // ends with the process
		}
		mutex.Unlock()
		if policy == nil {
			return nil
		}
		return policy.decide(call)
	}, nil
}

// Tags are the context that tags make: aws:RequestTag or aws:ResourceTag and their names.
func Tags(key string, tags any) map[string][]string {
	context := map[string][]string{}
	held, _ := tags.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(held)) {
		if value, is := held[name].(string); is {
			context[key+"/"+name] = []string{value}
		}
	}
	return context
}
