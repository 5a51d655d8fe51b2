package account

import (
	"fmt"
	"strings"
	"time"
)

// Object is what AWS remembers of a thing that has no life of its own (a role, a log group, a security group): its
// properties by name.
type Object map[string]any

// Kinds of objects, each with the property that identifies it.
const (
	Cluster         = "cluster"         // name
	LifecyclePolicy = "lifecyclePolicy" // repository
	LogGroup        = "logGroup"        // name
	Repository      = "repository"      // name
	Role            = "role"            // name
	RolePolicy      = "rolePolicy"      // role:name
	SecurityGroup   = "securityGroup"   // sg-…
	// RolePolicyAttachment is a managed policy of a role.
	RolePolicyAttachment = "rolePolicyAttachment" // role-ARN
	SecurityGroupRule    = "securityGroupRule"    // sgr-…
)

func (o Object) text(key string) string {
	s, _ := o[key].(string)
	return s
}

// NewID is the id of a new object, such as sg-0a1b…: the prefix and 17 hexadecimal digits.
func (a *Account) NewID(prefix string) (id string, err error) {
	err = a.transact(func(t *tx) error {
		id = prefix + t.newID(prefix, 17)
		return nil
	})
	return id, err
}

// CreateObject records a new object; existing is the refusal where its id is taken.
func (a *Account) CreateObject(kind, id string, o Object, existing error) error {
	return a.transact(func(t *tx) error {
		if get[Object](t, kind, id) != nil {
			return existing
		}
		if err := t.checkReferences(kind, o); err != nil {
			return err
		}
		if err := t.checkObject(kind, id, o); err != nil {
			return err
		}
		t.makeLinkedRole(linkedRoleOf(kind))
		o["createDate"] = t.now.UTC().Format(time.RFC3339Nano)
		put(t, kind, id, o)
		return nil
	})
}

// checkReferences refuses an object that stands on another which does not exist.
func (t *tx) checkReferences(kind string, o Object) error {
	switch kind {
	case RolePolicy:
		if role := o.text("role"); get[Object](t, Role, role) == nil {
			return refuse("NoSuchEntity", "The role with name %s cannot be found.", role)
		}
	case RolePolicyAttachment:
		if role := o.text("role"); get[Object](t, Role, role) == nil {
			return refuse("NoSuchEntity", "The role with name %s cannot be found.", role)
		}
		if arn := o.text("policyArn"); get[Object](t, Policy, arn) == nil {
			return refuse("NoSuchEntity", "Policy %s does not exist or is not attachable.", arn)
		}
	case LifecyclePolicy:
		_, err := t.repository(o.text("repository"))
		return err
	case SecurityGroup:
		if id := o.text("vpcId"); id != DefaultVPC {
			return refuse("InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", id)
		}
	}
	return nil
}

// Object returns one object, or nil where there is none.
func (a *Account) Object(kind, id string) (found Object, err error) {
	err = a.transact(func(t *tx) error {
		if o := get[Object](t, kind, id); o != nil {
			found = *o
		}
		return nil
	})
	return found, err
}

// Objects returns every object of a kind.
func (a *Account) Objects(kind string) (found []Object, err error) {
	err = a.transact(func(t *tx) error {
		for _, o := range list[Object](t, kind) {
			found = append(found, *o)
		}
		return nil
	})
	return found, err
}

// UpdateObject merges changed properties into an object that exists.
func (a *Account) UpdateObject(kind, id string, changed Object) error {
	return a.transact(func(t *tx) error {
		o := get[Object](t, kind, id)
		if o == nil {
			return refuse("ResourceNotFoundException", "The %s '%s' does not exist.", kind, id)
		}
		for key, value := range changed {
			(*o)[key] = value
		}
		if err := t.checkObject(kind, id, *o); err != nil {
			return err
		}
		put(t, kind, id, *o)
		return nil
	})
}

// DeleteObject forgets an object; one that is gone already is no error. What others still stand on is refused:
// a repository with images (unless force), a cluster with services, a role with policies.
func (a *Account) DeleteObject(kind, id string, force bool) error {
	return a.transact(func(t *tx) error {
		o := get[Object](t, kind, id)
		if o == nil {
			return nil
		}
		if err := t.release(kind, id, *o); err != nil {
			return err
		}
		switch kind {
		case Repository:
			if err := t.emptyRepository(id, force); err != nil {
				return err
			}
			remove(t, LifecyclePolicy, id)
		case LogGroup:
			t.removeLogs(id)
		case Cluster:
			for _, s := range list[Service](t, serviceKind) {
				if s.cluster() == id && s.Status != statusInactive {
					return refuse("ClusterContainsServicesException",
						"The Cluster cannot be deleted while Services are active.")
				}
			}
			for _, task := range t.standaloneTasks() {
				if task.LastStatus != taskStopped && task.ClusterARN() == o.text("arn") {
					return refuse("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
				}
			}
		case Role:
			for _, p := range append(list[Object](t, RolePolicy), list[Object](t, RolePolicyAttachment)...) {
				if p.text("role") == id {
					return refuse("DeleteConflict", "Cannot delete entity, must delete policies first.")
				}
			}
		case Policy:
			for _, p := range list[Object](t, RolePolicyAttachment) {
				if p.text("policyArn") == id {
					return refuse("DeleteConflict", "Cannot delete a policy attached to entities.")
				}
			}
		}
		remove(t, kind, id)
		return nil
	})
}

// ARN names a regional thing of this account, such as ARN("ecs", region, "cluster/web").
func ARN(service, region, resource string) string {
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, region, ID, resource)
}

// afterSlash is the name at the end of an ARN: "web" of arn:aws:ecs:…:cluster/web.
func afterSlash(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }
