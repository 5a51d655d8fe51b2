package iam

import (
	"strings"
	"time"

	"slipway/sandbox/account"
)

// The roles with which AWS's services act in an account. Each is made by the first call that needs it, and can be
// assumed only some seconds later
// (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using-service-linked-roles.html).
const (
	ECSLinkedRole     = "AWSServiceRoleForECS"
	ELBLinkedRole     = "AWSServiceRoleForElasticLoadBalancing"
	ScalingLinkedRole = "AWSServiceRoleForApplicationAutoScaling_ECSService"
	// AutoScalingLinkedRole is EC2 Auto Scaling's.
	AutoScalingLinkedRole = "AWSServiceRoleForAutoScaling"
)

const linkedRoleKind = "linkedRole"

// linkedRole is when a role was made.
type linkedRole struct {
	MadeAt time.Time `json:"madeAt"`
}

// MakeLinkedRole makes a role that a fresh account does not have. Any other account has all of them.
func MakeLinkedRole(t *account.Tx, name string) {
	if t.Faults()[account.FreshAccount] != "" && account.Get[linkedRole](t, linkedRoleKind, name) == nil {
		account.Put(t, linkedRoleKind, name, linkedRole{t.Now})
	}
}

// AssumeECSRole refuses what ECS cannot do yet with its own role.
func AssumeECSRole(t *account.Tx) error {
	faults := t.Faults()
	made := account.Get[linkedRole](t, linkedRoleKind, ECSLinkedRole)
	if faults[account.FreshAccount] == "" || made != nil && t.Now.Sub(made.MadeAt) >= account.FaultDuration(faults,
		account.FreshAccount, 0) {
		return nil
	}
	return account.Refuse("InvalidParameterException",
		"Unable to assume the service linked role. Please verify that the ECS service linked role exists.")
}

// HasLinkedRole reports whether the account has a service-linked role of this name.
func HasLinkedRole(a *account.Account, name string) (has bool, err error) {
	if !strings.HasPrefix(name, "AWSServiceRoleFor") {
		return false, nil
	}
	err = a.Transact(func(t *account.Tx) error {
		has = t.Faults()[account.FreshAccount] == "" || account.Get[linkedRole](t, linkedRoleKind, name) != nil
		return nil
	})
	return has, err
}
