package aws

import (
	"fmt"
	"strings"

	"slipway/internal/awslimits"
	"slipway/sandbox/account"
	"slipway/sandbox/account/iam"
)

var role = &resourceType{
	kind: iam.Role, noun: "IAM Role", key: "name", autoname: true,
	existing: "EntityAlreadyExists: Role with name %s already exists.",
	properties: properties{
		"arn": result, "createDate": result, "uniqueId": result,
		"assumeRolePolicy":    document,
		"description":         {empty: ""},
		"forceDetachPolicies": {standard: false},
		"inlinePolicies":      {computed: true, set: true, empty: texts},
		"managedPolicyArns":   {computed: true, set: true, empty: texts},
		"maxSessionDuration":  {standard: 3600.0},
		"name":                {replaces: true},
		"namePrefix":          {replaces: true, computed: true, unsupported: true, empty: ""},
		"path":                {replaces: true, standard: "/"},
		"permissionsBoundary": {empty: ""},
		"tags":                tags, "tagsAll": tagsAll,
	},
	validate: func(path string, inputs values, fail func(string)) {
		if boundary := text(inputs, "permissionsBoundary"); boundary != "" && boundary != unknown &&
			!awslimits.PolicyARN.MatchString(boundary) {
			reason := "is no policy"
			if !strings.HasPrefix(boundary, "arn:") {
				reason = "arn: invalid prefix"
			}
			fail(fmt.Sprintf(`"permissions_boundary" (%s) is an invalid ARN: %s. Examine values at '%s.permissionsBoundary'.`,
				boundary, reason, path))
		}
	},
	identify: func(c *call) (string, error) {
		return text(c.state, "name"), nil
	},
	fill: func(c *call) {
		c.state["arn"] = account.ARN(c.account.ID, "iam", "", "role"+text(c.state, "path")+c.id)
		c.state["uniqueId"] = "AROA" + strings.ToUpper(strings.NewReplacer("-", "", "_", "").Replace(c.id))
	},
}

var rolePolicy = &resourceType{
	kind: iam.RolePolicy, noun: "IAM Role Policy", key: "name", autoname: true,
	properties: properties{
		"name":       {replaces: true},
		"namePrefix": {replaces: true, computed: true, unsupported: true},
		"policy":     document,
		"role":       given,
	},
	identify: func(c *call) (string, error) { return text(c.state, "role") + ":" + text(c.state, "name"), nil },
	custom:   &operations{create: putRolePolicy},
}

// putRolePolicy is as PutRolePolicy: a policy of that name that the role has already gets the new text.
func putRolePolicy(c *call) (err error) {
	if c.id, err = c.identify(); err != nil {
		return err
	}
	there, err := c.account.Object(iam.RolePolicy, c.id)
	switch {
	case err != nil:
		return err
	case there == nil:
		return c.account.CreateObject(iam.RolePolicy, c.id, c.state, nil)
	}
	return c.account.UpdateObject(iam.RolePolicy, c.id, c.state)
}

var managedPolicy = &resourceType{
	kind: iam.Policy, noun: "IAM Policy", key: "name", autoname: true, nameLimit: 128,
	existing: "EntityAlreadyExists: A policy called %s already exists. Duplicate names are not allowed.",
	properties: properties{
		"arn": result, "attachmentCount": result, "policyId": result,
		"description": {replaces: true, empty: ""},
		"name":        {replaces: true},
		"namePrefix":  {replaces: true, computed: true, empty: ""},
		"path":        {replaces: true, standard: "/"},
		"policy":      document,
		"tags":        tags, "tagsAll": tagsAll,
	},
	identify: func(c *call) (string, error) {
		return account.ARN(c.account.ID, "iam", "", "policy"+text(c.state, "path")+text(c.state, "name")), nil
	},
	fill: func(c *call) {
		c.state["arn"], c.state["attachmentCount"] = c.id, 0.0
		c.state["policyId"] = "ANPA" + strings.ToUpper(strings.NewReplacer("-", "", "_", "").Replace(text(c.state, "name")))
	},
}

var rolePolicyAttachment = &resourceType{
	kind: iam.RolePolicyAttachment, noun: "IAM Role Policy Attachment", key: "role",
	properties: properties{"policyArn": given, "role": given},
	identify: func(c *call) (string, error) {
		return text(c.state, "role") + "-" + text(c.state, "policyArn"), nil
	},
}
