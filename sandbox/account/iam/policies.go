// Package iam is IAM: roles, their policies, what those allow, and service-linked roles.
package iam

import (
	"encoding/json"
	"path"
	"slices"

	"slipway/sandbox/account"
)

// Kinds of objects of IAM.
const (
	Role       = "role"       // name
	RolePolicy = "rolePolicy" // role:name
	// RolePolicyAttachment is a managed policy of a role.
	RolePolicyAttachment = "rolePolicyAttachment" // role-ARN
	// Policy is the kind of managed policies, each by its ARN: boundaries of roles, and those that are attached.
	Policy = "policy"
)

func init() {
	account.Register(Role, account.Rules{Check: checkRole, Delete: func(t *account.Tx, id string, _ account.Object,
		_ bool) error {
		for _, p := range append(account.List[account.Object](t, RolePolicy), account.List[account.Object](t,
			RolePolicyAttachment)...) {
			if p.Text("role") == id {
				return account.Refuse("DeleteConflict", "Cannot delete entity, must delete policies first.")
			}
		}
		return nil
	}})
	account.Register(RolePolicy, account.Rules{Check: checkRolePolicy})
	account.Register(Policy, account.Rules{Check: checkPolicy, Delete: func(t *account.Tx, id string, _ account.Object,
		_ bool) error {
		for _, p := range account.List[account.Object](t, RolePolicyAttachment) {
			if p.Text("policyArn") == id {
				return account.Refuse("DeleteConflict", "Cannot delete a policy attached to entities.")
			}
		}
		return nil
	}})
	account.Register(RolePolicyAttachment, account.Rules{Check: checkAttachment})
}

// texts is a string or a list of strings, as IAM policies have both.
type texts []string

func (l *texts) UnmarshalJSON(body []byte) error {
	var one string
	if json.Unmarshal(body, &one) == nil {
		*l = texts{one}
		return nil
	}
	return json.Unmarshal(body, (*[]string)(l))
}

func (l texts) match(text string) bool {
	return slices.ContainsFunc(l, func(pattern string) bool { return account.Wildcard(pattern, text) })
}

type policyStatement struct {
	Effect                                   string
	Action, NotAction, Resource, NotResource texts
	Principal                                principals // of a resource's policy
	Condition                                map[string]any
}

func parsePolicy(text string) ([]policyStatement, error) {
	var one struct{ Statement policyStatement }
	var policy struct{ Statement []policyStatement }
	if json.Unmarshal([]byte(text), &policy) == nil {
		return policy.Statement, nil
	}
	if err := json.Unmarshal([]byte(text), &one); err != nil {
		return nil, account.Refuse("MalformedPolicyDocument", "Syntax errors in policy: %s", err)
	}
	return []policyStatement{one.Statement}, nil
}

func (s policyStatement) match(action, resource string) bool {
	actions := s.Action.match(action) || s.NotAction != nil && !s.NotAction.match(action)
	resources := s.Resource.match(resource) || s.NotResource != nil && !s.NotResource.match(resource)
	return actions && resources
}

// Decisions of IAM on one action.
const (
	Allowed      = "allowed"
	ExplicitDeny = "explicitDeny"
	ImplicitDeny = "implicitDeny"
)

// Simulation is what IAM would decide on an action of a role.
type Simulation struct {
	Decision string
	// Bounded is set where the role has a permissions boundary, and InBounds where that allows the action.
	Bounded, InBounds bool
}

// Simulate decides on an action of a role with its own policies and more of them. A boundary that the account does not
// have is its owner's: it limits nothing here. Conditions are beyond it.
func Simulate(a *account.Account, role, action, resource string, more []string) (found Simulation, err error) {
	err = a.Transact(func(t *account.Tx) error {
		found, err = Decide(t, role, action, resource, more)
		return err
	})
	return found, err
}

// Decide is Simulate within a transaction.
func Decide(t *account.Tx, role, action, resource string, more []string) (found Simulation, err error) {
	if account.Get[account.Object](t, Role, role) == nil {
		return found, account.Refuse("NoSuchEntity", "The role with name %s cannot be found.", role)
	}
	own, boundary := PoliciesOf(t, role)
	if found.Decision, err = decide(slices.Concat(more, own), action, resource); err != nil {
		return found, err
	}
	if boundary == "" {
		return found, nil
	}
	inBounds, err := decide([]string{boundary}, action, resource)
	found.Bounded, found.InBounds = true, inBounds == Allowed
	switch {
	case inBounds == ExplicitDeny:
		found.Decision = ExplicitDeny
	case inBounds == ImplicitDeny && found.Decision == Allowed:
		found.Decision = ImplicitDeny
	}
	return found, err
}

// PoliciesOf are the identity-based policies of a role that the account has, and its permissions boundary; empty where
// there is none, or the account does not have it.
func PoliciesOf(t *account.Tx, role string) (policies []string, boundary string) {
	for _, own := range account.List[account.Object](t, RolePolicy) {
		if own.Text("role") == role {
			policies = append(policies, own.Text("policy"))
		}
	}
	for _, attached := range account.List[account.Object](t, RolePolicyAttachment) {
		if policy, exists := managedPolicy(t, attached.Text("policyArn")); exists && attached.Text("role") == role {
			policies = append(policies, policy)
		}
	}
	if o := account.Get[account.Object](t, Role, role); o != nil {
		if policy := account.Get[account.Object](t, Policy, o.Text("permissionsBoundary")); policy != nil {
			boundary = policy.Text("policy")
		}
	}
	return policies, boundary
}

// decide is the decision of these policies alone.
func decide(policies []string, action, resource string) (string, error) {
	decision := ImplicitDeny
	for _, text := range policies {
		statements, err := parsePolicy(text)
		if err != nil {
			return "", err
		}
		for _, statement := range statements {
			switch {
			case !statement.match(action, resource):
			case len(statement.Condition) > 0:
				return "", account.Refuse("InvalidInput", "The sandbox does not evaluate conditions of policies.")
			case statement.Effect == "Deny":
				return ExplicitDeny, nil
			default:
				decision = Allowed
			}
		}
	}
	return decision, nil
}

// AddPolicy records a managed policy, and returns its ARN.
func AddPolicy(a *account.Account, name, document string) (arn string, err error) {
	if _, err := parsePolicy(document); err != nil {
		return "", err
	}
	arn = account.ARN(a.ID, "iam", "", "policy/"+name)
	return arn, a.CreateObject(Policy, arn, account.Object{"arn": arn, "name": path.Base(name), "policy": document},
		account.Refuse("EntityAlreadyExists", "A policy called %s already exists.", name))
}
