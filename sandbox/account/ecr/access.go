package ecr

import (
	"strings"

	"slipway/sandbox/account"
	"slipway/sandbox/account/iam"
)

// PullActions are what a caller needs in a repository to pull an image.
var PullActions = []string{"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}

// PushActions are what a caller needs in a repository to push an image.
var PushActions = []string{"ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart",
	"ecr:CompleteLayerUpload", "ecr:PutImage"}

// CheckAccess refuses an action that the caller of t may not do in a repository of t's account. A repository that is
// the caller's own takes every action; that of another account takes what its policy says, so one that is not there
// takes nothing.
func CheckAccess(t *account.Tx, repository, action string) error {
	if t.Caller.Account() == t.ID {
		return nil
	}
	arn := account.ARN(t.ID, "ecr", "*", "repository/"+repository) // the store knows no region of what is not there
	if found := account.Get[account.Object](t, Repository, repository); found != nil {
		arn = found.Text("arn")
	}
	decision := iam.ImplicitDeny
	if policy := account.Get[account.Object](t, RepositoryPolicy, repository); policy != nil {
		var err error
		if decision, err = iam.DecideFor(t.Caller, policy.Text("policy"), action, arn, nil); err != nil {
			return err
		}
	}
	switch decision {
	case iam.Allowed:
		return nil
	case iam.ExplicitDeny:
		return account.Refuse("AccessDeniedException", "User: %s is not authorized to perform: %s on resource: %s with an "+
			"explicit deny in a resource-based policy", t.Caller.ARN, action, arn)
	}
	return account.Refuse("AccessDeniedException", "User: %s is not authorized to perform: %s on resource: %s because no "+
		"resource-based policy allows the %s action", t.Caller.ARN, action, arn, action)
}

// Access is CheckAccess for a caller and a repository that an account sees.
func Access(a *account.Account, repository string, actions ...string) error {
	return a.Transact(func(t *account.Tx) error {
		for _, action := range actions {
			if err := CheckAccess(t, repository, action); err != nil {
				return err
			}
		}
		return nil
	})
}

// PutRepositoryPolicy says which other accounts may use a repository.
func PutRepositoryPolicy(a *account.Account, repository, policy string, o account.Object) error {
	return a.Transact(func(t *account.Tx) error {
		if _, err := findRepository(t, repository); err != nil {
			return err
		}
		if err := iam.CheckResourcePolicy(policy); err != nil {
			return account.Refuse("InvalidParameterException", "Invalid parameter at 'PolicyText' failed to satisfy "+
				"constraint: 'Invalid repository policy provided'")
		}
		account.Put(t, RepositoryPolicy, repository, o)
		return nil
	})
}

// Username is what clients of a registry log in as.
const Username = "AWS"

const tokenSuffix = "-auth-token"

// Password is what ECR's authorization token holds for a caller. It opens each registry as far as the repositories let
// the caller.
func Password(caller account.Caller) string {
	if id := caller.Account(); caller == account.User(id) {
		return id + tokenSuffix
	}
	return caller.ARN + tokenSuffix
}

// Holder is whose password this is; false where it is nobody's.
func Holder(password string) (caller account.Caller, known bool) {
	holder, isToken := strings.CutSuffix(password, tokenSuffix)
	switch {
	case !isToken:
	case account.IsID(holder):
		return account.User(holder), true
	case account.IsID(account.Owner(holder)):
		return account.Caller{ARN: holder}, true
	}
	return account.Caller{}, false
}
