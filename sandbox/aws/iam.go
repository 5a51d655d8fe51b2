package aws

import (
	"strings"

	"slipway/sandbox/account"
)

var role = &resourceType{
	kind: account.Role, noun: "IAM Role", key: "name", autoname: true,
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
		"namePrefix":          {replaces: true, computed: true, empty: ""},
		"path":                {replaces: true, standard: "/"},
		"permissionsBoundary": optional,
		"tags":                tags, "tagsAll": tagsAll,
	},
	fill: func(c *call) {
		c.state["arn"] = "arn:aws:iam::" + account.ID + ":role" + text(c.state, "path") + c.id
		c.state["uniqueId"] = "AROA" + strings.ToUpper(strings.NewReplacer("-", "", "_", "").Replace(c.id))
	},
}

var rolePolicy = &resourceType{
	kind: account.RolePolicy, noun: "IAM Role Policy", key: "name", autoname: true,
	existing: "EntityAlreadyExists: the inline policy %s already exists",
	properties: properties{
		"name":       {replaces: true},
		"namePrefix": {replaces: true, computed: true},
		"policy":     document,
		"role":       given,
	},
	identify: func(c *call) (string, error) { return text(c.state, "role") + ":" + text(c.state, "name"), nil },
}
