package aws

import (
	"fmt"
	"slices"
	"strings"

	"slipway/sandbox/account"
	"slipway/sandbox/account/secrets"
)

var secret = &resourceType{
	kind: secrets.Secret, noun: "Secrets Manager Secret", key: "name", autoname: true, nameLimit: 512,
	properties: properties{
		"arn":                         result,
		"description":                 {empty: ""},
		"forceOverwriteReplicaSecret": {standard: false},
		"kmsKeyId":                    {empty: ""},
		"name":                        {replaces: true},
		"namePrefix":                  {replaces: true, computed: true, unsupported: true, empty: ""},
		"policy":                      {computed: true, unsupported: true, empty: ""},
		"recoveryWindowInDays":        {standard: 30.0},
		"replicas":                    {computed: true, unsupported: true, empty: texts},
		"tags":                        tags, "tagsAll": tagsAll,
	},
	validate: func(path string, inputs values, fail func(string)) {
		if days, known := inputs["recoveryWindowInDays"].(float64); known && days != 0 && (days < 7 || days > 30) {
			for _, allowed := range []string{"in the range (7 - 30)", "one of [0]"} {
				fail(fmt.Sprintf("expected recovery_window_in_days to be %s, got %v. Examine values at '%s.recoveryWindowInDays'.",
					allowed, days, path))
			}
		}
	},
	custom: &operations{
		create: func(c *call) (err error) {
			c.id, err = secrets.CreateSecret(c.account, c.region, c.state)
			return err
		},
		read: func(c *call) (values, error) {
			o, err := secrets.FindSecret(c.account, c.id)
			return values(o), err
		},
		delete: func(c *call) error {
			return secrets.DeleteSecret(c.account, c.id, number(c.state, "recoveryWindowInDays"))
		},
	},
}

var secretVersion = &resourceType{
	noun: "Secrets Manager Secret Version", key: "secretId",
	properties: properties{
		"arn": result, "versionId": result,
		"secretBinary":  {replaces: true, secret: true, empty: ""},
		"secretId":      given,
		"secretString":  {replaces: true, secret: true, empty: ""},
		"versionStages": {computed: true, unsupported: true, set: true, empty: texts},
	},
	custom: &operations{create: createSecretVersion, read: readSecretVersion, delete: deleteSecretVersion},
}

func createSecretVersion(c *call) error {
	v, err := secrets.PutSecretValue(c.account, text(c.state, "secretId"), text(c.state, "secretString"),
		text(c.state, "secretBinary"))
	if err != nil {
		return err
	}
	c.id = text(c.state, "secretId") + "|" + v.VersionID
	return nil
}

func readSecretVersion(c *call) (values, error) {
	secretID, versionID, _ := strings.Cut(c.id, "|")
	v, err := secrets.FindSecretVersion(c.account, secretID, versionID)
	if account.IsCode(err, "ResourceNotFoundException") || account.IsCode(err, "InvalidRequestException") {
		return nil, nil // the version, or its secret, is gone or about to be
	}
	if err != nil {
		return nil, err
	}
	stages := []any{}
	for _, stage := range v.Stages {
		stages = append(stages, stage)
	}
	return values{"arn": v.ARN, "secretId": secretID, "secretString": v.String, "secretBinary": v.Binary,
		"versionId": v.VersionID, "versionStages": stages}, nil
}

// deleteSecretVersion leaves the value: AWS has no call that deletes one, and the current one keeps its label.
func deleteSecretVersion(c *call) error {
	secretID, versionID, _ := strings.Cut(c.id, "|")
	stages := slices.DeleteFunc(textList(c.state["versionStages"]),
		func(stage string) bool { return stage == "AWSCURRENT" })
	err := secrets.RemoveSecretStages(c.account, secretID, versionID, stages)
	if account.IsCode(err, "ResourceNotFoundException") || account.IsCode(err, "InvalidRequestException") {
		return nil
	}
	return err
}
