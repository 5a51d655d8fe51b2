package aws

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"slipway/sandbox/account"
)

// resourceType is one row of the table: a type of resource, and where it differs from a plain object of the account.
type resourceType struct {
	kind       string // of account objects; "" for task definitions and services
	noun       string // as the provider's messages have it: ECR Repository
	key        string // the property that its messages name it by
	properties properties
	aliases    map[string]string // other spellings of properties
	autoname   bool              // a name that is not given is made from the resource's logical name
	nameLimit  int               // how long a name that was made may be; 0 for any length
	// the provider deletes it before it makes another in its place, unless the program says otherwise
	deleteBeforeReplace bool
	arnID               bool // its id is its ARN, of which the account's own key is the last part
	// existing is AWS's refusal where the id (%s) is taken in an account (%a); "" where creating again is no error.
	existing string
	// identify gives a new resource its id; by default the property named by key.
	identify func(c *call) (string, error)
	// objectKey is the account's own key of a resource, where it is not made from the id.
	objectKey func(c *call) string
	// fill adds what AWS decides to a new resource's state.
	fill func(c *call)
	// plan adds what a preview of a new resource knows of what AWS decides.
	plan func(state values)
	// replan says what a preview of an update knows of what AWS decides.
	replan func(olds, news, state values)
	// warn says what is wrong with a new resource that AWS takes; empty where nothing is.
	warn func(a *account.Account, inputs values) (string, error)
	// prepare completes the program's properties before they are checked, as the provider does when it plans.
	prepare  func(inputs values)
	validate func(path string, inputs values, fail func(string))
	// differ adds what the provider says of a change as a whole.
	differ func(olds, news values, d *difference)
	custom *operations
}

// operations replace those of a plain object.
type operations struct {
	create, update, delete func(*call) error
	read                   func(*call) (values, error) // nil where it is gone
}

// call is one operation on one resource.
type call struct {
	ctx     context.Context
	account *account.Account
	region  string
	kind    *resourceType
	id      string
	state   values // without secret marks; before the operation, or as it is to become
	inputs  values
	olds    values // what an update starts from, without secret marks
}

func (s *server) call(ctx context.Context, kind *resourceType, id string) *call {
	configured := s.settingsOf(ctx)
	return &call{ctx: ctx, account: configured.account, region: configured.region, kind: kind, id: id}
}

func (c *call) label() string {
	name := text(c.state, c.kind.key)
	if name == "" {
		name = c.id
	}
	return fmt.Sprintf("%s (%s)", c.kind.noun, name)
}

func (c *call) arn(service, resource string) string {
	return account.ARN(c.account.ID, service, c.region, resource)
}

func findType(token string) (*resourceType, error) {
	kind, known := types[token]
	if !known {
		return nil, fmt.Errorf("the sandbox's aws provider has no resource type %s", token)
	}
	return kind, nil
}

func (kind *resourceType) create(c *call) error {
	if kind.custom != nil && kind.custom.create != nil {
		return kind.custom.create(c)
	}
	var err error
	if c.id, err = c.identify(); err != nil {
		return err
	}
	if kind.fill != nil {
		kind.fill(c)
	}
	var existing error
	if kind.existing != "" {
		existing = errors.New(strings.NewReplacer("%s", c.id, "%a", c.account.ID).Replace(kind.existing))
	}
	return c.account.CreateObject(kind.kind, c.objectID(), c.state, existing)
}

func (c *call) identify() (string, error) {
	if c.kind.identify != nil {
		return c.kind.identify(c)
	}
	return text(c.state, c.kind.key), nil
}

func (c *call) objectID() string {
	if c.kind.objectKey != nil {
		return c.kind.objectKey(c)
	}
	if c.kind.arnID {
		return path.Base(c.id)
	}
	return c.id
}

func (kind *resourceType) update(c *call) error {
	if kind.custom != nil && kind.custom.update != nil {
		return kind.custom.update(c)
	}
	return c.account.UpdateObject(kind.kind, c.objectID(), c.state)
}

func (kind *resourceType) delete(c *call) error {
	var err error
	if kind.custom != nil && kind.custom.delete != nil {
		err = kind.custom.delete(c)
	} else {
		err = c.account.DeleteObject(kind.kind, c.objectID(), isTrue(c.state, "forceDelete"))
	}
	if account.IsCode(err, "RepositoryNotEmptyException") {
		return fmt.Errorf("%s not empty, consider using force_delete: %w", c.label(), err)
	}
	if err != nil {
		return fmt.Errorf("deleting %s: %w", c.label(), err)
	}
	return nil
}

// read is the state as AWS reports it, or nil where the resource is gone.
func (c *call) read() (values, error) {
	var found values
	var err error
	if c.kind.custom != nil && c.kind.custom.read != nil {
		found, err = c.kind.custom.read(c)
	} else {
		var o account.Object
		o, err = c.account.Object(c.kind.kind, c.objectID())
		found = o
	}
	if err != nil || found == nil {
		return nil, err
	}
	state := values{"id": c.id}
	for key := range c.kind.properties {
		state[key] = found[key]
	}
	return state, nil
}

// inputs are those that describe a state: the old ones, except where the state has moved away from them. Without old
// ones (an import) they are all that the state holds.
func (ps properties) inputs(olds, state values) values {
	inputs := values{defaultsKey: []any{}}
	if olds[defaultsKey] != nil {
		inputs[defaultsKey] = olds[defaultsKey]
	}
	drift := map[string]bool{}
	for _, key := range ps.diff(state, olds).keys {
		drift[key] = true
	}
	for key, p := range ps {
		switch {
		case p.output || key == "tagsAll" && olds[key] == nil:
		case len(olds) > 0 && olds[key] != nil && !drift[key]:
			inputs[key] = olds[key]
		case len(olds) == 0:
			if value := p.given(state[key]); value != nil {
				inputs[key] = p.conceal(value)
			}
		case drift[key]:
			if !isEmpty(canonical(state[key])) {
				inputs[key] = p.conceal(state[key])
			}
		}
	}
	return inputs
}

// given is what a program would give to have a value: nil for what is empty, unless it must be given, and for what it
// may not give.
func (p property) given(v any) any {
	if p.output || p.unsupported {
		return nil
	}
	switch v := v.(type) {
	case values:
		object, empty := values{}, true
		for key, field := range v {
			if inner, known := p.fields[key]; known {
				field = inner.given(field)
			}
			if field != nil {
				object[key] = field
			}
			empty = empty && isEmpty(field)
		}
		if empty {
			return nil
		}
		return object
	case []any:
		list := make([]any, 0, len(v))
		for _, element := range v {
			if element = p.given(element); element != nil {
				list = append(list, element)
			}
		}
		if len(list) == 0 {
			return nil
		}
		return list
	}
	if !p.required && isEmpty(v) {
		return nil
	}
	return v
}

// await asks again every 100 ms until done says so. No lock is held in between.
func await(ctx context.Context, done func() (bool, error)) error {
	for {
		if finished, err := done(); finished || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}
