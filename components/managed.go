package components

import (
	"context"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	iamsdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"slipway/internal/policies"
	"slipway/stage"
)

// managedChanges say which roles are about to get managed policies in place of an inline one. What cannot be read says
// nothing.
func managedChanges(ctx context.Context, account *stageAccount, settings *stage.Stage) (changes []string) {
	ctx, cancel := context.WithTimeout(ctx, existingLimit)
	defer cancel()
	for _, name := range settings.TaskDefinitions() {
		for _, role := range policies.ManagedRoles(settings, name, account.ARN) {
			clients, err := account.Clients(ctx)
			if err != nil {
				return changes
			}
			answer, err := clients.IAM.ListRolePolicies(ctx, &iamsdk.ListRolePoliciesInput{RoleName: awssdk.String(role.Name)})
			if err != nil {
				continue
			}
			if change := role.Change(answer.PolicyNames); change != "" {
				changes = append(changes, change)
			}
		}
	}
	return changes
}
