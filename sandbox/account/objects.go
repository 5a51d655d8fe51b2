package account

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Object is what AWS remembers of a thing that has no life of its own (a role, a log group, a security group): its
// properties by name.
type Object map[string]any

// Rules are what AWS refuses and does about the objects of one kind.
type Rules struct {
	// Check refuses an object, new or changed, for its values or for what else the account has.
	Check func(t *Tx, id string, o Object) error
	// Created does what comes with a new object.
	Created func(t *Tx)
	// Delete refuses to delete what others still use, and deletes what goes with an object. Where force is set, what is
	// in an object does not keep it.
	Delete func(t *Tx, id string, o Object, force bool) error
}

var rulesOf = map[string][]Rules{}

// Register adds rules to a kind of objects: those of its own service, or of another one that stands on it.
func Register(kind string, r Rules) { rulesOf[kind] = append(rulesOf[kind], r) }

// Check refuses an object that AWS refuses, by the rules of its kind.
func (t *Tx) Check(kind, id string, o Object) error {
	if err := CheckTags(o); err != nil {
		return err
	}
	for _, r := range rulesOf[kind] {
		if r.Check == nil {
			continue
		}
		if err := r.Check(t, id, o); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) created(kind string) {
	for _, r := range rulesOf[kind] {
		if r.Created != nil {
			r.Created(t)
		}
	}
}

// Text is a property that is a text, or "".
func (o Object) Text(key string) string {
	s, _ := o[key].(string)
	return s
}

// Object is a property that is an object; nil where it is none.
func (o Object) Object(key string) Object {
	inner, _ := o[key].(map[string]any)
	return inner
}

// Number is a property that is a number; otherwise where it is none, or 0.
func (o Object) Number(key string, otherwise int) int {
	if n, ok := o[key].(float64); ok && n != 0 {
		return int(n)
	}
	return otherwise
}

// List is a property that is a list of texts.
func (o Object) List(key string) (found []string) {
	entries, _ := o[key].([]any)
	for _, entry := range entries {
		found = append(found, fmt.Sprint(entry))
	}
	return found
}

// Objects are the objects in a list.
func Objects(list any) (found []map[string]any) {
	entries, _ := list.([]any)
	for _, entry := range entries {
		if o, ok := entry.(map[string]any); ok {
			found = append(found, o)
		}
	}
	return found
}

// Member is a field of a value that is an object; nil where it is none.
func Member(value any, key string) any {
	m, _ := value.(map[string]any)
	return m[key]
}

// Text is a value that is a text, or "".
func Text(v any) string {
	s, _ := v.(string)
	return s
}

// Fields are those of a value that is an object.
func Fields(value any) map[string]any {
	o, _ := value.(map[string]any)
	return o
}

// NewID is the id of a new object, such as sg-0a1b…: the prefix and 17 hexadecimal digits.
func (a *Account) NewID(prefix string) (id string, err error) {
	err = a.Transact(func(t *Tx) error {
		id = prefix + t.NewID(prefix, 17)
		return nil
	})
	return id, err
}

// CreateObject records a new object; existing is the refusal where its id is taken.
func (a *Account) CreateObject(kind, id string, o Object, existing error) error {
	return a.Transact(func(t *Tx) error {
		if Get[Object](t, kind, id) != nil {
			return existing
		}
		if err := t.Check(kind, id, o); err != nil {
			return err
		}
		t.created(kind)
		o["createDate"] = t.Now.UTC().Format(time.RFC3339Nano)
		Put(t, kind, id, o)
		return nil
	})
}

// PutObject records an object, in place of an earlier one where there is one, whose properties that AWS decides stay.
func (a *Account) PutObject(kind, id string, o Object, decided func(newID func(length int) string) Object) error {
	return a.Transact(func(t *Tx) error {
		if err := t.Check(kind, id, o); err != nil {
			return err
		}
		own := decided(func(length int) string { return t.NewID(kind, length) })
		old := Get[Object](t, kind, id)
		for key, value := range own {
			if o[key] = value; old != nil && (*old)[key] != nil {
				o[key] = (*old)[key]
			}
		}
		t.created(kind)
		Put(t, kind, id, o)
		return nil
	})
}

// Object returns one object, or nil where there is none.
func (a *Account) Object(kind, id string) (found Object, err error) {
	err = a.Transact(func(t *Tx) error {
		if o := Get[Object](t, kind, id); o != nil {
			found = *o
		}
		return nil
	})
	return found, err
}

// Objects returns every object of a kind.
func (a *Account) Objects(kind string) (found []Object, err error) {
	err = a.Transact(func(t *Tx) error {
		for _, o := range List[Object](t, kind) {
			found = append(found, *o)
		}
		return nil
	})
	return found, err
}

// UpdateObject merges changed properties into an object that exists.
func (a *Account) UpdateObject(kind, id string, changed Object) error {
	return a.Transact(func(t *Tx) error {
		o := Get[Object](t, kind, id)
		if o == nil {
			return Refuse("ResourceNotFoundException", "The %s '%s' does not exist.", kind, id)
		}
		for key, value := range changed {
			(*o)[key] = value
		}
		if err := t.Check(kind, id, *o); err != nil {
			return err
		}
		Put(t, kind, id, *o)
		return nil
	})
}

// DeleteObject forgets an object; one that is gone already is no error. What others still stand on is refused: a
// repository with images (unless force), a cluster with services, a role with policies.
func (a *Account) DeleteObject(kind, id string, force bool) error {
	return a.Transact(func(t *Tx) error {
		o := Get[Object](t, kind, id)
		if o == nil {
			return nil
		}
		for _, r := range rulesOf[kind] {
			if r.Delete == nil {
				continue
			}
			if err := r.Delete(t, id, *o, force); err != nil {
				return err
			}
		}
		Remove(t, kind, id)
		return nil
	})
}

// ARN names a thing of an account, such as ARN(id, "ecs", region, "cluster/web"). Those of IAM have no region.
func ARN(id, service, region, resource string) string {
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, region, id, resource)
}

// AfterSlash is the name at the end of an ARN: "web" of arn:aws:ecs:…:cluster/web.
func AfterSlash(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }

// Region is that of an ARN.
func Region(arn string) string { return strings.Split(arn, ":")[3] }

// Owner is the number of the account that an ARN names; empty where it is no ARN.
func Owner(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		return parts[4]
	}
	return ""
}

// UUID is an identifier in the form of a UUID that follows from a text.
func UUID(text string) string {
	sum := sha256.Sum256([]byte(text))
	id := hex.EncodeToString(sum[:])
	return strings.Join([]string{id[:8], id[8:12], id[12:16], id[16:20], id[20:32]}, "-")
}
