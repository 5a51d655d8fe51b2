package api

import (
	"slices"
	"strings"
	"time"

	"slipway/sandbox/account"
	"slipway/sandbox/account/secrets"
)

func describeSecret(a *account.Account, _ string, p struct{ SecretID string }) (any, error) {
	secret, versions, err := secrets.DescribeSecret(a, p.SecretID)
	if err != nil {
		return nil, err
	}
	answer := object{"ARN": secret["arn"], "Name": secret["name"], "VersionIdsToStages": versions}
	if key, _ := secret["kmsKeyId"].(string); key != "" {
		answer["KmsKeyId"] = key
	}
	if text, _ := secret["deletedDate"].(string); text != "" {
		deleted, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return nil, err
		}
		answer["DeletedDate"] = account.Seconds(deleted)
	}
	return answer, nil
}

// getSecretValue has the current value.
func getSecretValue(a *account.Account, _ string, p struct{ SecretID string }) (any, error) {
	version, err := secrets.FindSecretVersion(a, p.SecretID, "")
	if err != nil {
		return nil, err
	}
	return object{"ARN": version.ARN, "VersionId": version.VersionID, "VersionStages": version.Stages,
		"SecretString": version.String}, nil
}

// listSecrets has those that are not deleted, by the beginning of their names.
func listSecrets(a *account.Account, _ string, p struct {
	Filters []struct {
		Key    string
		Values []string
	}
}) (any, error) {
	var prefixes []string
	for _, filter := range p.Filters {
		if filter.Key != "name" {
			return nil, &account.Error{Code: "InvalidParameterException",
				Message: "The sandbox filters secrets by name only, not by " + filter.Key + "."}
		}
		prefixes = append(prefixes, filter.Values...)
	}
	all, err := a.Objects(secrets.Secret)
	listed := []object{}
	for _, each := range all {
		name, _ := each["name"].(string)
		named := func(prefix string) bool { return strings.HasPrefix(name, prefix) }
		if each["deletedDate"] == nil && (len(prefixes) == 0 || slices.ContainsFunc(prefixes, named)) {
			listed = append(listed, object{"ARN": each["arn"], "Name": name, "Tags": tagsOf(each)})
		}
	}
	return object{"SecretList": listed}, err
}

func listSecretVersionIDs(a *account.Account, _ string, p struct {
	SecretID          string
	IncludeDeprecated bool
}) (any, error) {
	versions, err := secrets.SecretVersions(a, p.SecretID)
	listed := []object{}
	for _, v := range versions {
		if len(v.Stages) > 0 || p.IncludeDeprecated {
			listed = append(listed, object{"VersionId": v.VersionID, "VersionStages": v.Stages,
				"CreatedDate": account.Seconds(v.CreatedAt)})
		}
	}
	return object{"ARN": p.SecretID, "Versions": listed}, err
}

func getParameters(a *account.Account, region string, p struct {
	Names          []string
	WithDecryption bool
}) (any, error) {
	if p.WithDecryption {
		return nil, &account.Error{Code: "ValidationException", Message: "The sandbox does not decrypt parameters."}
	}
	found, invalid := []object{}, []string{}
	for _, name := range p.Names {
		arn := name
		if !strings.HasPrefix(name, "arn:") {
			arn = account.ARN(a.ID, "ssm", region, "parameter/"+strings.TrimPrefix(name, "/"))
		}
		parameter, err := a.Object(secrets.Parameter, arn)
		if err != nil {
			return nil, err
		}
		if parameter == nil {
			invalid = append(invalid, name)
			continue
		}
		found = append(found, object{"ARN": arn, "Name": parameter["name"], "Type": "SecureString", "Value": "AQICAHh…",
			"Version": 1})
	}
	return object{"Parameters": found, "InvalidParameters": invalid}, nil
}
