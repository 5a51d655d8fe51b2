package awsclient

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRoleAdviceNamesWhatTheDeployingRoleLacks(t *testing.T) {
	t.Parallel()
	refusal := func(role, action string) error {
		return fmt.Errorf("AccessDenied: User: arn:aws:sts::123456789012:assumed-role/%s/i is not authorized to perform: %s on "+
			"resource: *", role, action)
	}
	advice := RoleAdvice(fmt.Errorf("web: %w", refusal("deploy", "ecs:CreateService")), "dev")
	require.Equal(t, "The credentials lack ecs:CreateService: `slipway iam dev` prints all that the role needs that deploys "+
		"the stage.", advice)
	require.Equal(t, advice, RoleAdvice(errors.Join(refusal("shop-dev-web-execution", "ssm:GetParameters"),
		refusal("deploy", "ecs:CreateService")), "dev"))
	const elsewhere = "DENIED: User: arn:aws:iam::222222222222:user/ci is not authorized to perform: ecr:BatchGetImage on " +
		"resource: arn:aws:ecr:eu-west-1:111111111111:repository/shop/web"
	require.Contains(t, RoleAdvice(errors.New(elsewhere+" because no identity-based policy allows the ecr:BatchGetImage action"),
		"dev"), "The credentials lack ecr:BatchGetImage: ")
	for _, other := range []error{errors.New("AccessDenied"), refusal("shop-dev-web-task", "s3:GetObject"),
		refusal("ci", "sts:AssumeRole"), errors.New(elsewhere),
		errors.New(elsewhere + " because no resource-based policy allows the ecr:BatchGetImage action")} {
		require.Empty(t, RoleAdvice(other, "dev"), "%v", other)
	}
}
