package aws

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"reflect"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"

	"slipway/sandbox/account"
	"slipway/sandbox/account/dns"
	"slipway/sandbox/account/iam"
	"slipway/sandbox/account/instances"
	"slipway/sandbox/account/vpc"
	"slipway/sandbox/policy"
)

// authorize asks whether the caller may do to a resource what an operation takes.
func (c *call) authorize(resource urn.URN, operation string) error {
	if !c.account.Guarded() {
		return nil
	}
	token := string(resource.Type())
	of, known := callsOf[token]
	if !known {
		return fmt.Errorf("the sandbox does not know which actions %s takes", token)
	}
	before, after := c.tags(c.olds), c.tags(c.state)
	if operation == "delete" || operation == "read" {
		before = after
	}
	existing := policy.Tags("aws:ResourceTag", before)
	requested := policy.Tags("aws:RequestTag", after)
	if _, tagged := c.kind.properties["tagsAll"]; !tagged { // but what it belongs to is there, and may be
		requested = policy.Tags("aws:ResourceTag", after)
	}
	var calls []account.Call
	add := func(actions string, context map[string][]string) error {
		more, err := c.calls(of, actions, context)
		calls = append(calls, more...)
		return err
	}
	var err error
	switch operation {
	case "create":
		err = add(of.create, requested)
		if len(after) > 0 && err == nil {
			err = add(of.tag, requested)
		}
		if err == nil {
			err = add(of.then+" "+of.read, policy.Tags("aws:ResourceTag", after))
		}
		if err == nil && of.linked != "" {
			calls, err = c.linkedRole(calls, of.linked)
		}
	case "update":
		if !reflect.DeepEqual(before, after) {
			err = add(changedTags(of, before, after), existing)
		}
		if c.changes() && err == nil {
			err = add(of.update, existing)
		}
		if err == nil {
			err = add(of.read, existing)
		}
	case "read":
		err = add(of.read, existing)
	case "delete":
		if !isTrue(c.state, "skipDestroy") {
			err = add(of.delete, existing)
		}
	}
	if err != nil {
		return err
	}
	return c.account.Authorize(calls...)
}

func changedTags(of apiCalls, before, after values) string {
	var actions []string
	for key, value := range after {
		if before[key] != value {
			actions = []string{of.tag}
		}
	}
	for key := range before {
		if _, kept := after[key]; !kept {
			return strings.Join(append(actions, of.untag), " ")
		}
	}
	return strings.Join(actions, " ")
}

// changes tells whether an update changes more than tags.
func (c *call) changes() bool {
	for key := range c.kind.properties {
		if key != "tags" && key != "tagsAll" && c.changed(key) {
			return true
		}
	}
	return false
}

func (c *call) changed(key string) bool {
	return !c.kind.properties[key].output && !reflect.DeepEqual(canonical(c.olds[key]), canonical(c.state[key]))
}

// tags are those that the resource has, or the one that it belongs to.
func (c *call) tags(state values) values {
	var owner account.Object
	switch {
	case state == nil:
		return nil
	case state["securityGroupId"] != nil:
		owner, _ = c.account.Object(vpc.SecurityGroup, text(state, "securityGroupId"))
	case c.kind == certificateValidation:
		owner, _ = dns.FindCertificate(c.account, text(state, "certificateArn"))
	default:
		all, _ := state["tagsAll"].(values)
		return all
	}
	all, _ := owner["tagsAll"].(values)
	return all
}

var placeholder = regexp.MustCompile(`\{(\w+)\}`)

// calls are those of actions in the table's form.
func (c *call) calls(of apiCalls, actions string, context map[string][]string) (calls []account.Call, err error) {
	for _, entry := range strings.Fields(actions) {
		if key, action, is := strings.Cut(entry, "+"); is {
			if !c.changed(key) || isEmpty(c.state[key]) {
				continue
			}
			entry = action
		} else if key, action, is := strings.Cut(entry, "!"); is {
			if !c.changed(key) || !isEmpty(c.state[key]) {
				continue
			}
			entry = action
		}
		action, resource, named := strings.Cut(entry, "@")
		if !named {
			resource = of.resource
		}
		resource, err = c.resource(resource)
		if err != nil {
			return nil, err
		}
		if action == "iam:PassRole" && resource == "" {
			continue // there is no such role
		}
		if action, _, err = c.fill(action); err != nil {
			return nil, err
		}
		more := maps.Clone(context)
		if more == nil {
			more = map[string][]string{}
		}
		maps.Copy(more, c.context(of))
		calls = append(calls, account.Call{Action: action, Resource: resource, Context: more})
	}
	return calls, nil
}

// resource is an ARN from the table's form of it; empty where nothing is known of it.
func (c *call) resource(template string) (string, error) {
	for form := range strings.SplitSeq(template, "|") {
		filled, known, err := c.fill(form)
		switch service, rest, _ := strings.Cut(filled, ":"); {
		case err != nil:
			return "", err
		case !known:
		case filled == "*" || strings.HasPrefix(filled, "arn:"):
			return filled, nil
		default:
			return c.arn(service, rest), nil
		}
	}
	return "", nil
}

// fill puts in place of placeholders what they stand for, and tells whether all of that is known.
func (c *call) fill(form string) (filled string, known bool, err error) {
	known = true
	filled = placeholder.ReplaceAllStringFunc(form, func(named string) string {
		value, failed := c.named(strings.Trim(named, "{}"))
		err, known = cmp.Or(err, failed), known && value != ""
		return value
	})
	return filled, known, err
}

// named is what a placeholder stands for: a property, or what follows from some.
func (c *call) named(name string) (string, error) {
	switch name {
	case "account":
		return c.account.ID, nil
	case "clusterName":
		return path.Base(text(c.state, "cluster")), nil
	case "direction":
		return map[string]string{"ingress": "Ingress", "egress": "Egress"}[text(c.state, "type")], nil
	case "newListener":
		return strings.Replace(text(c.state, "loadBalancerArn"), ":loadbalancer/", ":listener/", 1) + "/*", nil
	case "newRule":
		return strings.Replace(text(c.state, "listenerArn"), ":listener/", ":listener-rule/", 1) + "/*", nil
	case "scheduleRole":
		target, _ := c.state["target"].(values)
		return text(target, "roleArn"), nil
	case "instanceRole":
		return instances.RoleOf(c.account, c.state)
	case "roleArn":
		role, err := c.role()
		return text(values(role), "arn"), err
	}
	return text(c.state, name), nil
}

// role is the one that a policy is put into.
func (c *call) role() (account.Object, error) {
	return c.account.Object(iam.Role, text(c.state, "role"))
}

// context are the values of condition keys that follow from the resource.
func (c *call) context(of apiCalls) map[string][]string {
	context := map[string][]string{}
	set := func(key, value string) {
		if value != "" {
			context[key] = []string{value}
		}
	}
	set("iam:PassedToService", of.passedTo)
	set("iam:PermissionsBoundary", text(c.state, "permissionsBoundary"))
	if text(c.state, "role") != "" {
		if role, err := c.role(); err == nil {
			set("iam:PermissionsBoundary", text(values(role), "permissionsBoundary"))
		}
	}
	set("application-autoscaling:service-namespace", text(c.state, "serviceNamespace"))
	if c.kind == record {
		set("route53:ChangeResourceRecordSetsNormalizedRecordNames",
			strings.ReplaceAll(strings.ToLower(strings.TrimSuffix(text(c.state, "name"), ".")), "*", `\052`))
	}
	return context
}

// linkedRole adds that AWS makes a role for one of its services, where the account does not have it.
func (c *call) linkedRole(calls []account.Call, linked string) ([]account.Call, error) {
	service, role, _ := strings.Cut(linked, "/")
	has, err := iam.HasLinkedRole(c.account, role)
	if err != nil || has {
		return calls, err
	}
	return append(calls, account.Call{Action: "iam:CreateServiceLinkedRole",
		Resource: account.ARN(c.account.ID, "iam", "", "role/aws-service-role/"+linked),
		Context:  map[string][]string{"iam:AWSServiceName": {service}}}), nil
}

// authorizeFunction asks whether the caller may use a function of the provider.
func authorizeFunction(a *account.Account, region, token string, args values) error {
	actions, known := functionCalls[token]
	if !known {
		return fmt.Errorf("the sandbox does not know which actions %s takes", token)
	}
	calls, err := (&call{account: a, region: region, state: args}).calls(apiCalls{}, actions, nil)
	if err != nil {
		return err
	}
	return a.Authorize(calls...)
}
