package iam

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"slipway/internal/awslimits"
	"slipway/sandbox/account"
)

func checkRole(t *account.Tx, id string, o account.Object) error {
	if !awslimits.IAMName.MatchString(id) || len(id) > awslimits.RoleName {
		return account.Refuse("ValidationError",
			"1 validation error detected: Value at 'roleName' failed to satisfy constraint: "+
				"Member must have length less than or equal to %d", awslimits.RoleName)
	}
	if err := checkCase(t, Role, id); err != nil {
		return err
	}
	path := o.Text("path")
	if path != "" && (len(path) > awslimits.IAMPath || !awslimits.RolePath.MatchString(path)) {
		return account.Refuse("ValidationError", "The specified value for path is invalid. It must begin and end with / and "+
			"contain only alphanumeric characters and/or / characters.")
	}
	return checkTagCase(o)
}

func checkRolePolicy(t *account.Tx, _ string, o account.Object) error {
	if err := hasRole(t, o.Text("role")); err != nil {
		return err
	}
	size := awslimits.Policy(o.Text("policy")) // of all inline policies
	for _, other := range account.List[account.Object](t, RolePolicy) {
		if other.Text("role") == o.Text("role") && other.Text("name") != o.Text("name") {
			size += awslimits.Policy(other.Text("policy"))
		}
	}
	if size > awslimits.InlinePolicies {
		return account.Refuse("LimitExceeded", "Maximum policy size of %d bytes exceeded for role %s",
			awslimits.InlinePolicies,
			o.Text("role"))
	}
	return checkDocument(o.Text("policy"))
}

func checkPolicy(_ *account.Tx, _ string, o account.Object) error {
	name, path := o.Text("name"), o.Text("path")
	switch {
	case awslimits.Policy(o.Text("policy")) > awslimits.ManagedPolicy:
		return account.Refuse("LimitExceeded", "Cannot exceed quota for PolicySize: %d", awslimits.ManagedPolicy)
	case path != "" && (len(path) > awslimits.IAMPath || !awslimits.PolicyPath.MatchString(path)):
		return account.MustMatch("path", path, awslimits.PolicyPath.MatchString, "ValidationError")
	case name != "" && !awslimits.IAMName.MatchString(name):
		return account.MustMatch("policyName", name, awslimits.IAMName.MatchString, "ValidationError")
	}
	if err := checkTagCase(o); err != nil {
		return err
	}
	return checkDocument(o.Text("policy"))
}

func checkAttachment(t *account.Tx, _ string, o account.Object) error {
	if err := hasRole(t, o.Text("role")); err != nil {
		return err
	}
	if _, exists := managedPolicy(t, o.Text("policyArn")); !exists {
		arn := o.Text("policyArn")
		return account.Refuse("NoSuchEntity", "Policy %s does not exist or is not attachable.", arn)
	}
	attached := 1
	for _, other := range account.List[account.Object](t, RolePolicyAttachment) {
		if other.Text("role") == o.Text("role") && other.Text("policyArn") != o.Text("policyArn") {
			attached++
		}
	}
	if attached > awslimits.ManagedPolicies {
		return account.Refuse("LimitExceeded", "Cannot exceed quota for PoliciesPerRole: %d", awslimits.ManagedPolicies)
	}
	return nil
}

func hasRole(t *account.Tx, name string) error {
	if account.Get[account.Object](t, Role, name) == nil {
		return account.Refuse("NoSuchEntity", "The role with name %s cannot be found.", name)
	}
	return nil
}

// checkCase refuses a name that differs from another one in its case only.
func checkCase(t *account.Tx, kind, name string) error {
	for _, other := range account.List[account.Object](t, kind) {
		if found := other.Text("name"); found != name && strings.EqualFold(found, name) {
			return account.Refuse("EntityAlreadyExists", "Role with name %s already exists.", name)
		}
	}
	return nil
}

// checkTagCase refuses tags whose keys IAM takes for the same.
func checkTagCase(o account.Object) error {
	tags, _ := o["tagsAll"].(map[string]any)
	folded := map[string]bool{}
	for key := range tags {
		if folded[strings.ToLower(key)] {
			return account.Refuse("InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		folded[strings.ToLower(key)] = true
	}
	return nil
}

// checkDocument refuses a policy that IAM does not read. Services and their actions, IAM does not know.
func checkDocument(document string) error {
	if !json.Valid([]byte(document)) {
		return nil // which is told elsewhere, where it matters
	}
	if !awslimits.PolicyText.MatchString(document) {
		return account.Refuse("ValidationError", "The specified value for policyDocument is invalid. It must contain only "+
			"printable ASCII and Latin-1 characters.")
	}
	malformed := func(format string, args ...any) error {
		return account.Refuse("MalformedPolicyDocument", format, args...)
	}
	statements, err := parsePolicy(document)
	if err != nil {
		return err
	}
	for _, statement := range statements {
		switch {
		case len(statement.Action)+len(statement.NotAction) == 0:
			return malformed("Policy statement must contain actions.")
		case len(statement.Resource)+len(statement.NotResource) == 0:
			return malformed("Policy statement must contain resources.")
		}
		for _, action := range slices.Concat(statement.Action, statement.NotAction) {
			if vendor, verb, is := strings.Cut(action, ":"); action != "*" && (!is || vendor == "" || verb == "") {
				return malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
			}
		}
		for _, resource := range slices.Concat(statement.Resource, statement.NotResource) {
			if err := checkResource(resource); err != nil {
				return err
			}
		}
		for _, operator := range slices.Sorted(maps.Keys(statement.Condition)) {
			if !awslimits.ConditionOperator(operator) {
				return malformed("Invalid Condition type : %s.", operator)
			}
			keys, _ := statement.Condition[operator].(map[string]any)
			for key := range keys {
				if !strings.Contains(key, ":") {
					return malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
				}
			}
		}
	}
	return nil
}

// checkResource refuses what is no ARN, or of a partition that this account is not in.
func checkResource(resource string) error {
	if resource == "*" {
		return nil
	}
	parts := strings.SplitN(resource, ":", 6)
	switch {
	case len(parts) < 6 || parts[0] != "arn":
		return account.Refuse("MalformedPolicyDocument", `Resource %s must be in ARN format or "*".`, resource)
	case !awslimits.Match(parts[1], "aws"):
		return account.Refuse("MalformedPolicyDocument", `Partition "%s" is not valid for resource "%s".`, parts[1], resource)
	}
	return nil
}
