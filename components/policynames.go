package components

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"sync"
	"time"

	iamsdk "github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"golang.org/x/sync/errgroup"

	"slipway/internal/awsclient"
	"slipway/stage"
)

// policyNames are the names of the inline policies that a stage's roles have, by role. A role that is not there yet, or
// that may not be looked at, has none.
type policyNames map[string][]string

// policiesLimit is how long IAM, which lets one account ask only so often, may take for all roles of a stage.
const policiesLimit = 30 * time.Second

// lookupPolicies asks IAM for them.
func lookupPolicies(ctx context.Context, account *Account, settings *stage.Stage) (policyNames, error) {
	ctx, cancel := context.WithTimeout(ctx, policiesLimit)
	defer cancel()
	clients, err := account.Clients(ctx)
	if err != nil {
		return nil, nil // what matters of it, the services say
	}
	var mutex sync.Mutex
	var asking errgroup.Group
	asking.SetLimit(lookups)
	found := policyNames{}
	for _, role := range settings.RolesWithPolicies() {
		asking.Go(func() error {
			answer, err := clients.IAM.ListRolePolicies(ctx, &iamsdk.ListRolePoliciesInput{RoleName: &role})
			switch {
			case errors.As(err, new(*iamtypes.NoSuchEntityException)), awsclient.Denied(err):
				return nil
			case err != nil:
				return fmt.Errorf("the policies of the role %s, by which changed ones are named, could not be read; try again: %w",
					role, err)
			}
			mutex.Lock()
			defer mutex.Unlock()
			found[role] = answer.PolicyNames
			return nil
		})
	}
	return found, asking.Wait()
}

// managedChanges say which roles are about to get managed policies in place of an inline one.
func (p policyNames) managedChanges(account *Account, settings *stage.Stage) (changes []string) {
	for _, name := range settings.TaskDefinitions() {
		for _, role := range settings.ManagedRoles(name, account.ARN) {
			if change := role.Change(p[role.Name]); change != "" {
				changes = append(changes, change)
			}
		}
	}
	return changes
}

// forText is what the policy of a role is called that has a text: after the text, and with a number where another one
// was there before. An update that fails leaves the policy that it has replaced, and the next one that succeeds deletes
// that by its name. So going back to the earlier text needs another name than that had: it would be deleted, too.
func (p policyNames) forText(role, kind, text string) string {
	name := kind + "-" + hashOf(text)
	pattern := regexp.MustCompile("^(" + regexp.QuoteMeta(kind) + "-[0-9a-f]{8})(?:-([0-9]+))?$")
	newest, same, tied := -1, false, false
	for _, each := range p[role] {
		match := pattern.FindStringSubmatch(each)
		if match == nil { // somebody else's
			continue
		}
		number, _ := strconv.Atoi(match[2]) // 0 without one
		if number >= newest {
			newest, same, tied = number, match[1] == name, number == newest
		}
	}
	switch {
	case newest < 0, newest == 0 && same && !tied:
		return name
	case same && !tied:
		return fmt.Sprintf("%s-%d", name, newest)
	}
	return fmt.Sprintf("%s-%d", name, newest+1)
}
