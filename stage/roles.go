package stage

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"slipway/internal/awslimits"
)

// Roles is how the stage's IAM roles are kept.
type Roles struct {
	// Path is that of every role. It is part of a role's ARN, so changing it deletes the roles and makes others: running
	// tasks lose their permissions, earlier revisions start no tasks any more, and a rollout that fails cannot go back.
	// Set it before the first deployment.
	//
	// Allowed: `/`, or up to 512 printable characters between two `/`
	// Example: path: /slipway/
	// Rule: [IAM identifiers](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html)
	Path string `json:"path" default:"/"`

	// PermissionsBoundary is the policy that limits what any role of the stage can be allowed.
	//
	// Allowed: the ARN of an IAM policy
	// Example: permissionsBoundary: arn:aws:iam::123456789012:policy/boundary
	// Rule: [Permissions boundaries](https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html)
	PermissionsBoundary string `json:"permissionsBoundary"`
}

func (c *checker) checkRoles(roles Roles) {
	path, boundary := c.at("roles", "path"), c.at("roles", "permissionsBoundary")
	path.expect(len(roles.Path) <= awslimits.IAMPath && awslimits.RolePath.MatchString(roles.Path), roles.Path,
		fmt.Sprintf("a path of up to %d characters that begins and ends with /, as in /slipway/", awslimits.IAMPath))
	policy, err := arn.Parse(roles.PermissionsBoundary)
	isPolicy := err == nil && awslimits.PolicyARN.MatchString(roles.PermissionsBoundary)
	boundary.expect(isPolicy, roles.PermissionsBoundary,
		"the ARN of a policy, as in arn:aws:iam::123456789012:policy/boundary")
	if isPolicy {
		mistake := c.foreignPartition(policy)
		if mistake == "" && policy.AccountID != "aws" {
			mistake = c.foreignAccount(policy.AccountID)
		}
		boundary.failIf(mistake)
	}
}
