package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"slipway/stage"
)

// role is an IAM role as GetRole describes it.
type role struct {
	ARN      string `xml:"GetRoleResult>Role>Arn"`
	Trust    string `xml:"GetRoleResult>Role>AssumeRolePolicyDocument"` // percent-encoded
	Boundary string `xml:"GetRoleResult>Role>PermissionsBoundary>PermissionsBoundaryArn"`
}

// checkRoles checks that ECS can assume the roles of services and tasks, and that nothing takes from the execution roles what the
// update gives them.
func (v *verifier) checkRoles() {
	if boundary := v.stage.Roles.PermissionsBoundary; boundary != "" {
		v.add("role", v.stage.Where("roles", "permissionsBoundary"), func(ctx context.Context) (string, error) {
			return v.boundary(ctx, boundary)
		})
	}
	for _, name := range v.stage.TaskDefinitions() {
		v.pending = append(v.pending, func(ctx context.Context) []check { return v.rolesOf(ctx, name) })
	}
}

func (v *verifier) boundary(ctx context.Context, policy string) (string, error) {
	var answer struct{}
	err := v.query.ask(ctx, "iam", "GetPolicy", url.Values{"PolicyArn": {policy}}, &answer)
	if isCode(err, "NoSuchEntity") {
		return "", refuse("there is no policy %s: make it, or name one that `aws iam list-policies --policy-usage-filter PermissionsBoundary` lists", policy)
	}
	return "the policy is there", err
}

// rolesOf checks the two roles of a service or a task, and what the execution role may do.
func (v *verifier) rolesOf(ctx context.Context, of string) []check {
	key := v.stage.WhereDefined(of)
	var checks []check
	for _, name := range []string{v.stage.ExecutionRole(of), v.stage.TaskRole(of)} {
		found, err := v.role(ctx, name)
		if err != nil {
			checks = append(checks, newCheck("role", key, "", err))
			continue
		}
		if found == nil {
			checks = append(checks, newCheck("role", key, "", noted("the role %s is made by the update, and can be checked from then on", name)))
			continue
		}
		said, err := v.trusted(name, found)
		checks = append(checks, newCheck("role", key, said, err))
		if name == v.stage.ExecutionRole(of) {
			said, err := v.allowed(ctx, of, name, found)
			checks = append(checks, newCheck("role", key, said, err))
		}
	}
	return checks
}

// role describes a role; nil where there is none.
func (v *verifier) role(ctx context.Context, name string) (*role, error) {
	var found role
	err := v.query.ask(ctx, "iam", "GetRole", url.Values{"RoleName": {name}}, &found)
	if isCode(err, "NoSuchEntity") {
		return nil, nil
	}
	return &found, err
}

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

const ecsTasks = "ecs-tasks.amazonaws.com"

// trusted checks that ECS may give a role to tasks of this account and region. An update writes the trust policy only
// where the stage file changes it, so what was changed by hand stays until a refresh.
func (v *verifier) trusted(name string, found *role) (string, error) {
	mend := fmt.Sprintf("run `pulumi up --refresh --stack %s`, which sets its trust policy back", v.stack)
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
		applies := statement.isFor(ecsTasks)
		holds, known := v.conditionsHold(statement.Condition)
		switch {
		case !applies:
		case !known:
			unsure = true
		case holds && statement.Effect == "Deny":
			return "", refuse("the trust policy of the role %s denies %s to assume it: %s", name, ecsTasks, mend)
		case holds:
			trusts = true
		}
	}
	if unsure {
		return "", noted("the trust policy of the role %s has conditions that slipway does not know: "+
			"make sure that they let %s assume it, or %s", name, ecsTasks, mend)
	}
	if !trusts {
		return "", refuse("the trust policy of the role %s does not let %s assume it for tasks of this account and region: %s", name, ecsTasks, mend)
	}
	return "the role " + name + " can be assumed by tasks", nil
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
	return slices.ContainsFunc(s.Action, func(action string) bool { return matches(strings.ToLower(action), "sts:assumerole") })
}

// conditionsHold tells whether conditions hold for tasks of the stage, as far as they are of the kind that slipway writes.
func (v *verifier) conditionsHold(conditions map[string]map[string]texts) (holds, known bool) {
	for operator, keys := range conditions {
		if !slices.Contains([]string{"StringEquals", "StringLike", "ArnLike", "ArnEquals"}, operator) {
			return false, false
		}
		for key, patterns := range keys {
			var value string
			switch strings.ToLower(key) {
			case "aws:sourceaccount":
				value = v.account
			case "aws:sourcearn":
				value = fmt.Sprintf("ecs:%s:%s:", v.region, v.account) // a task, a service or anything else of ECS
			default:
				return false, false
			}
			if !slices.ContainsFunc(patterns, func(pattern string) bool {
				if parts := strings.SplitN(pattern, ":", 6); len(parts) == 6 { // an ARN
					return matches(strings.Join(parts[2:5], ":")+":", value)
				}
				return matches(pattern, value)
			}) {
				return false, true
			}
		}
	}
	return true, true
}

// matches compares a text with a pattern of IAM, in which * stands for any text and ? for any character.
func matches(pattern, text string) bool {
	for i := 0; i < len(pattern); i++ {
		switch {
		case pattern[i] == '*':
			for rest := 0; rest <= len(text); rest++ {
				if matches(pattern[i+1:], text[rest:]) {
					return true
				}
			}
			return false
		case text == "" || pattern[i] != '?' && pattern[i] != text[0]:
			return false
		}
		text = text[1:]
	}
	return text == ""
}

// simulation is the answer of SimulatePrincipalPolicy.
type simulation struct {
	Results []simulated `xml:"SimulatePrincipalPolicyResult>EvaluationResults>member"`
}

type simulated struct {
	Action   string   `xml:"EvalActionName"`
	Decision string   `xml:"EvalDecision"`
	Missing  []string `xml:"MissingContextValues>member"`
	// InBounds and InOrganization are "" where there is no boundary, and no organization.
	InBounds       string `xml:"PermissionsBoundaryDecisionDetail>AllowedByPermissionsBoundary"`
	InOrganization string `xml:"OrganizationsDecisionDetail>AllowedByOrganizations"`
}

// allowed asks IAM whether an execution role that is there could do what the update lets it. What the update gives the
// role goes into the question, so that only what no update mends is found.
func (v *verifier) allowed(ctx context.Context, of, name string, found *role) (string, error) {
	if boundary := v.stage.Roles.PermissionsBoundary; boundary != "" && boundary != found.Boundary {
		return "", noted("the role %s gets another permissions boundary with the update, and what that permits can be checked from then on", name)
	}
	partition := strings.Split(found.ARN, ":")[1]
	arn := func(service, resource string) string {
		return fmt.Sprintf("arn:%s:%s:%s:%s:%s", partition, service, v.region, v.account, resource)
	}
	ownSecret := ""
	for _, secret := range v.stage.TaskDefinition(of).AllSecrets() {
		if secret.ARN == "" { // The program keeps it, under a name like this.
			ownSecret = arn("secretsmanager", "secret:"+v.stage.Family(of)+"-0000000-AAAAAA")
		}
	}
	statements := v.stage.ExecutionStatements(of, arn, ownSecret)
	policy, err := stage.PolicyText(statements...)
	if err != nil {
		return "", err
	}
	var denied, unsure []string
	for _, statement := range statements {
		for _, resource := range statement.Resource {
			answer, err := v.simulate(ctx, found.ARN, policy, statement.Action, resource)
			if err != nil {
				return "", err
			}
			for _, result := range answer.Results {
				switch what := result.Action + " on " + resource; {
				case result.Decision == "allowed":
				case len(result.Missing) > 0:
					unsure = append(unsure, what+" (depends on "+strings.Join(result.Missing, ", ")+")")
				default:
					denied = append(denied, what+" ("+result.because(found.Boundary)+")")
				}
			}
		}
	}
	switch {
	case len(denied) > 0:
		return "", refuse("the role %s could not do %s: allow it there", name, strings.Join(denied, ", "))
	case len(unsure) > 0:
		return "", noted("whether the role %s could do %s cannot be told from here", name, strings.Join(unsure, ", "))
	}
	return fmt.Sprintf("the role %s may pull its images, write its log and read its secrets", name), nil
}

func (v *verifier) simulate(ctx context.Context, role, policy string, actions []string, resource string) (answer simulation, err error) {
	// The first member of a list has the number 1.
	form := url.Values{
		"PolicySourceArn": {role}, "PolicyInputList.member.1": {policy}, "ResourceArns.member.1": {resource},
	}
	for i, action := range actions {
		form.Set(fmt.Sprintf("ActionNames.member.%d", i+1), action)
	}
	err = v.query.ask(ctx, "iam", "SimulatePrincipalPolicy", form, &answer)
	return answer, err
}

// because says what takes a permission away.
func (s simulated) because(boundary string) string {
	switch {
	case s.InOrganization == "false":
		return "a policy of the organization forbids it"
	case s.InBounds == "false":
		return "the permissions boundary " + boundary + " does not allow it"
	case s.Decision == "explicitDeny":
		return "another policy of the role denies it"
	default:
		return "nothing allows it"
	}
}
