package api

import (
	"cmp"
	"net/url"
	"strings"

	"slipway/sandbox/account"
	"slipway/sandbox/account/iam"
)

func getRole(a *account.Account, _ string, form url.Values) (any, error) {
	name := form.Get("RoleName")
	role, err := a.Object(iam.Role, name)
	if err != nil {
		return nil, err
	}
	linked, err := iam.HasLinkedRole(a, name)
	if err != nil {
		return nil, err
	}
	if linked {
		role = account.Object{"arn": account.ARN(a.ID, "iam", "", "role/aws-service-role/"+name),
			"path": "/aws-service-role/", "uniqueId": "AROALINKED", "createDate": "2026-01-01T00:00:00Z"}
	}
	if role == nil {
		return nil, &account.Error{Code: "NoSuchEntity", Message: "The role with name " + name + " cannot be found."}
	}
	text := func(key string) string { s, _ := role[key].(string); return s }
	type boundary struct{ PermissionsBoundaryType, PermissionsBoundaryArn string }
	type described struct {
		Arn, RoleName, Path, AssumeRolePolicyDocument string
		RoleID                                        string `xml:"RoleId"`
		CreateDate                                    string
		PermissionsBoundary                           *boundary
		Tags                                          []tag `xml:"Tags>member"`
	}
	answer := struct{ Role described }{described{text("arn"), name, cmp.Or(text("path"), "/"),
		url.QueryEscape(text("assumeRolePolicy")),
		text("uniqueId"), text("createDate"), nil, nil}}
	answer.Role.Tags = tagsOf(role)
	// A space is %20 there.
	answer.Role.AssumeRolePolicyDocument = strings.ReplaceAll(answer.Role.AssumeRolePolicyDocument, "+", "%20")
	if arn := text("permissionsBoundary"); arn != "" {
		answer.Role.PermissionsBoundary = &boundary{"Policy", arn}
	}
	return answer, nil
}

func getPolicy(a *account.Account, _ string, form url.Values) (any, error) {
	arn := form.Get("PolicyArn")
	policy, err := a.Object(iam.Policy, arn)
	if err != nil {
		return nil, err
	}
	if policy == nil {
		return nil, &account.Error{Code: "NoSuchEntity", Message: "Policy " + arn + " was not found."}
	}
	return struct {
		Arn  string `xml:"Policy>Arn"`
		Name any    `xml:"Policy>PolicyName"`
	}{arn, policy["name"]}, nil
}

// listRolePolicies names the inline policies of a role.
func listRolePolicies(a *account.Account, _ string, form url.Values) (any, error) {
	name := form.Get("RoleName")
	if role, err := a.Object(iam.Role, name); err != nil || role == nil {
		return nil, cmp.Or(err, error(&account.Error{Code: "NoSuchEntity", Message: "The role with name " + name +
			" cannot be found."}))
	}
	policies, err := a.Objects(iam.RolePolicy)
	answer := struct {
		PolicyNames []any `xml:"PolicyNames>member"`
		IsTruncated bool
	}{}
	for _, policy := range policies {
		if policy["role"] == name {
			answer.PolicyNames = append(answer.PolicyNames, policy["name"])
		}
	}
	return answer, err
}

// simulatePrincipalPolicy decides on each action and resource.
func simulatePrincipalPolicy(a *account.Account, _ string, form url.Values) (any, error) {
	for key := range form {
		switch name, _, _ := strings.Cut(key, "."); name {
		case "Action", "Version", "PolicySourceArn", "PolicyInputList", "ActionNames", "ResourceArns":
		default:
			return nil, &account.Error{Code: "InvalidInput", Message: "The sandbox has no parameter " + name +
				" of SimulatePrincipalPolicy."}
		}
	}
	role := form.Get("PolicySourceArn")
	if !strings.Contains(role, ":role/") {
		return nil, &account.Error{Code: "InvalidInput", Message: "The sandbox simulates the policies of roles only."}
	}
	resources := members(form, "ResourceArns.member")
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	type boundary struct{ AllowedByPermissionsBoundary bool }
	type result struct {
		EvalActionName, EvalResourceName, EvalDecision string
		PermissionsBoundaryDecisionDetail              *boundary
	}
	var answer struct {
		IsTruncated bool
		Results     []result `xml:"EvaluationResults>member"`
	}
	for _, action := range members(form, "ActionNames.member") {
		for _, resource := range resources {
			found, err := iam.Simulate(a, lastPart(role), action, resource, members(form, "PolicyInputList.member"))
			if err != nil {
				return nil, err
			}
			one := result{EvalActionName: action, EvalResourceName: resource, EvalDecision: found.Decision}
			if found.Bounded {
				one.PermissionsBoundaryDecisionDetail = &boundary{found.InBounds}
			}
			answer.Results = append(answer.Results, one)
		}
	}
	return answer, nil
}
