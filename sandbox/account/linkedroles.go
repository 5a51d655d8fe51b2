package account

import (
	"strings"
	"time"
)

// The roles with which AWS's services act in an account. Each is made by the first call that needs it, and can be
// assumed only some seconds later
// (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using-service-linked-roles.html).
const (
	ecsLinkedRole     = "AWSServiceRoleForECS"
	elbLinkedRole     = "AWSServiceRoleForElasticLoadBalancing"
	scalingLinkedRole = "AWSServiceRoleForApplicationAutoScaling_ECSService"
)

const linkedRoleKind = "linkedRole"

// linkedRole is when a role was made.
type linkedRole struct {
	MadeAt time.Time `json:"madeAt"`
}

// makeLinkedRole makes a role that a fresh account does not have. Any other account has all of them.
func (t *Tx) makeLinkedRole(name string) {
	if t.Faults()[FreshAccount] != "" && Get[linkedRole](t, linkedRoleKind, name) == nil {
		Put(t, linkedRoleKind, name, linkedRole{t.Now})
	}
}

// assumeLinkedRole refuses what ECS cannot do yet with its own role.
func (t *Tx) assumeLinkedRole() error {
	faults := t.Faults()
	made := Get[linkedRole](t, linkedRoleKind, ecsLinkedRole)
	if faults[FreshAccount] == "" || made != nil && t.Now.Sub(made.MadeAt) >= FaultDuration(faults, FreshAccount, 0) {
		return nil
	}
	return Refuse("InvalidParameterException",
		"Unable to assume the service linked role. Please verify that the ECS service linked role exists.")
}

// HasLinkedRole reports whether the account has a service-linked role of this name.
func (a *Account) HasLinkedRole(name string) (has bool, err error) {
	if !strings.HasPrefix(name, "AWSServiceRoleFor") {
		return false, nil
	}
	err = a.Transact(func(t *Tx) error {
		has = t.Faults()[FreshAccount] == "" || Get[linkedRole](t, linkedRoleKind, name) != nil
		return nil
	})
	return has, err
}
