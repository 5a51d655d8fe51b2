package iam

import (
	"strings"
	"time"

	"slipway/internal/awslimits"
	"slipway/sandbox/account"
)

// InstanceProfile is the kind of instance profiles, each by its name: they give a role to EC2 instances.
const InstanceProfile = "instanceProfile"

func init() {
	account.Register(InstanceProfile, account.Rules{Check: func(t *account.Tx, id string, o account.Object) error {
		path := o.Text("path")
		switch {
		case !awslimits.IAMName.MatchString(id):
			return account.MustMatch("instanceProfileName", id, awslimits.IAMName.MatchString, "ValidationError")
		case path != "" && (len(path) > awslimits.IAMPath || !awslimits.RolePath.MatchString(path)):
			return account.MustMatch("path", path, awslimits.RolePath.MatchString, "ValidationError")
		case o.Text("role") != "":
			return hasRole(t, o.Text("role"))
		}
		return nil
	}})
	account.Register(Role, account.Rules{Delete: func(t *account.Tx, id string, _ account.Object, _ bool) error {
		for _, profile := range account.List[account.Object](t, InstanceProfile) {
			if profile.Text("role") == id {
				return account.Refuse("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.")
			}
		}
		return nil
	}})
}

// FindInstanceProfile finds an instance profile that EC2 knows already; nil where there is none.
func FindInstanceProfile(t *account.Tx, name string) account.Object {
	o := account.Get[account.Object](t, InstanceProfile, name)
	if o == nil {
		return nil
	}
	made, err := time.Parse(time.RFC3339Nano, o.Text("createDate"))
	if err == nil && t.Now.Sub(made) < account.FaultDuration(t.Faults(), account.IAMDelay, 0) {
		return nil
	}
	return *o
}

// TrustedByInstances reports whether EC2 can give a role to an instance.
func TrustedByInstances(t *account.Tx, role string) bool {
	o := account.Get[account.Object](t, Role, role)
	return o != nil && strings.Contains(o.Text("assumeRolePolicy"), "ec2.amazonaws.com")
}
