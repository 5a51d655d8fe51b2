package components

import (
	"context"
	"errors"
	"fmt"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	iamsdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"slipway/stage"
)

// checkOwners looks for tasks whose names another stage has taken; for services, preflight does.
func checkOwners(ctx context.Context, account *stageAccount, settings *stage.Stage) error {
	ctx, cancel := context.WithTimeout(ctx, existingLimit)
	defer cancel()
	var taken []error
	for _, name := range sortedKeys(settings.Tasks) {
		taken = append(taken, checkOwner(ctx, account, settings, name))
	}
	return errors.Join(taken...)
}

// checkOwner is an error where another stage has taken the name of a service or a task: web of the stage dev-eu and
// eu-web of dev both have the family shop-dev-eu-web, and roles that are named after it. A role says by its tags whose
// it is. What cannot be read says nothing: the update finds out.
func checkOwner(ctx context.Context, account *stageAccount, settings *stage.Stage, name string) error {
	if !settings.MayMeet(name) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, existingLimit)
	defer cancel()
	clients, err := account.Clients(ctx)
	if err != nil {
		return nil // what matters of it, the services say
	}
	answer, err := clients.IAM.GetRole(ctx, &iamsdk.GetRoleInput{RoleName: awssdk.String(settings.ExecutionRole(name))})
	if err != nil || answer.Role == nil {
		return nil
	}
	tags := map[string]string{}
	for _, tag := range answer.Role.Tags {
		tags[awssdk.ToString(tag.Key)] = awssdk.ToString(tag.Value)
	}
	if err := settings.CheckOwner(name, tags); err != nil {
		return fmt.Errorf("%s: %w", settings.WhereDefined(name), err)
	}
	return nil
}
