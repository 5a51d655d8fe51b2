package aws

import (
	"cmp"
	"encoding/base64"
	"fmt"

	"slipway/internal/imageref"
	"slipway/sandbox/account"
	"slipway/sandbox/account/ecr"
)

var repository = &resourceType{
	kind: ecr.Repository, noun: "ECR Repository", key: "name", autoname: true,
	existing: "RepositoryAlreadyExistsException: The repository with name '%s' already exists in the registry with id '%a'",
	properties: properties{
		"arn": result, "registryId": result, "repositoryUrl": result,
		"name": {replaces: true},
		"encryptionConfigurations": {replaces: true, kept: true,
			empty:  []any{values{"encryptionType": "AES256", "kmsKey": ""}},
			fields: properties{"encryptionType": {standard: "AES256"}, "kmsKey": {computed: true, empty: ""}}},
		"forceDelete":                optional,
		"imageScanningConfiguration": {fields: properties{"scanOnPush": {required: true}}},
		"imageTagMutability":         {standard: "MUTABLE"},
		"tags":                       tags, "tagsAll": tagsAll,
	},
	validate: func(path string, inputs values, fail func(string)) {
		switch mutability := text(inputs, "imageTagMutability"); mutability {
		case "MUTABLE", "IMMUTABLE", unknown:
		default:
			fail(fmt.Sprintf("expected image_tag_mutability to be one of [\"MUTABLE\" \"IMMUTABLE\"], got %s. Examine values at "+
				"'%s.imageTagMutability'.", mutability, path))
		}
	},
	fill: func(c *call) {
		c.state["arn"] = c.arn("ecr", "repository/"+c.id)
		c.state["registryId"] = c.account.ID
		c.state["repositoryUrl"] = imageref.ECRHost(c.account.ID, c.region) + "/" + c.id
	},
}

var lifecyclePolicy = &resourceType{
	kind: ecr.LifecyclePolicy, noun: "ECR Lifecycle Policy", key: "repository",
	properties: properties{"policy": {required: true, replaces: true, same: sameJSON}, "repository": given,
		"registryId": result},
	custom: &operations{create: putLifecyclePolicy},
}

// putLifecyclePolicy puts a policy in place of one that is there, and AWS has checked it only then.
func putLifecyclePolicy(c *call) error {
	c.id = text(c.state, "repository")
	c.state["registryId"] = c.account.ID
	return ecr.PutLifecyclePolicy(c.account, c.id, text(c.state, "policy"), c.state)
}

// repositoryPolicy says which other accounts may use a repository.
var repositoryPolicy = &resourceType{
	kind: ecr.RepositoryPolicy, noun: "ECR Repository Policy", key: "repository",
	properties: properties{"policy": document, "repository": given, "registryId": result},
	custom:     &operations{create: putRepositoryPolicy, update: putRepositoryPolicy},
}

func putRepositoryPolicy(c *call) error {
	c.id = text(c.state, "repository")
	c.state["registryId"] = c.account.ID
	return ecr.PutRepositoryPolicy(c.account, c.id, text(c.state, "policy"), c.state)
}

func getAuthorizationToken(a *account.Account, region string, args values) (values, error) {
	password := ecr.Password(a.Caller)
	return values{
		"authorizationToken": base64.StdEncoding.EncodeToString([]byte(ecr.Username + ":" + password)),
		"expiresAt":          "2015-01-01T00:00:00Z",
		"id":                 region,
		"password":           password,
		"proxyEndpoint":      "https://" + imageref.ECRHost(cmp.Or(text(args, "registryId"), a.ID), region),
		"userName":           ecr.Username,
	}, nil
}
