package account

import (
	"strings"

	"slipway/awslimits"
)

// checkLimits refuses what goes beyond AWS's own quotas, or is called as AWS does not take it.
func (t *tx) checkLimits(kind, id string, o Object) error {
	name := o.text("name")
	switch kind {
	case Role:
		name = id
		if !awslimits.IAMName.MatchString(name) || len(name) > awslimits.RoleName {
			return refuse("ValidationError", "1 validation error detected: Value at 'roleName' failed to satisfy constraint: Member must have "+
				"length less than or equal to %d", awslimits.RoleName)
		}
		for _, other := range list[Object](t, Role) {
			if found := other.text("name"); found != name && strings.EqualFold(found, name) {
				return refuse("EntityAlreadyExists", "Role with name %s already exists.", name)
			}
		}
	case RolePolicy:
		together := awslimits.Policy(o.text("policy"))
		for _, other := range list[Object](t, RolePolicy) {
			if other.text("role") == o.text("role") && other.text("name") != name {
				together += awslimits.Policy(other.text("policy"))
			}
		}
		if together > awslimits.InlinePolicies {
			return refuse("LimitExceeded", "Maximum policy size of %d bytes exceeded for role %s", awslimits.InlinePolicies, o.text("role"))
		}
	case Policy:
		if awslimits.Policy(o.text("policy")) > awslimits.ManagedPolicy {
			return refuse("LimitExceeded", "Cannot exceed quota for PolicySize: %d", awslimits.ManagedPolicy)
		}
	case RolePolicyAttachment:
		attached := 1
		for _, other := range list[Object](t, RolePolicyAttachment) {
			if other.text("role") == o.text("role") && other.text("policyArn") != o.text("policyArn") {
				attached++
			}
		}
		if attached > awslimits.ManagedPolicies {
			return refuse("LimitExceeded", "Cannot exceed quota for PoliciesPerRole: %d", awslimits.ManagedPolicies)
		}
	}
	return nil
}
