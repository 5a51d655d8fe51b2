// Package secretref reads what a container definition, or a stage file, says of where a secret value is kept.
package secretref

import (
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"slipway/internal/awslimits"
)

// Reference is what a container definition, or a stage file, says of where a secret value is kept
// (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html,
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-ssm-paramstore.html).
type Reference struct {
	// ARN is the secret's or the parameter's own; empty where a parameter is named alone, as one of the task's region.
	ARN             string
	Region, Account string
	// Name is that of the secret, with the six characters that Secrets Manager adds, or of the parameter.
	Name string
	// Parameter says that Systems Manager keeps it, and not Secrets Manager.
	Parameter bool
	// Key is that of a part of the secret's JSON, Label the version stage, Version the version id; empty for none.
	Key, Label, Version string
}

var (
	// With ! as in rds!db-…, the name of a password that RDS keeps.
	secretResource    = regexp.MustCompile(`^secret:([A-Za-z0-9/_+=.@!-]+-[A-Za-z0-9]{6})(?::([^:]*):([^:]*):([^:]*))?$`)
	parameterResource = regexp.MustCompile(`^parameter((?:/[A-Za-z0-9_.-]+)+)$`)
	parameterName     = regexp.MustCompile(`^/?[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*$`)
)

// Parse reads the ARN of a secret, alone or followed by :JSON-KEY:VERSION-STAGE:VERSION-ID, of which the
// last two exclude each other, or the ARN or the name of a parameter. False where the text is none of these.
func Parse(text string) (Reference, bool) {
	if !arn.IsARN(text) {
		return Reference{Name: text, Parameter: true}, parameterName.MatchString(text)
	}
	parsed, err := arn.Parse(text)
	if err != nil || parsed.Region == "" || !awslimits.AccountID.MatchString(parsed.AccountID) {
		return Reference{}, false
	}
	found := Reference{ARN: text, Region: parsed.Region, Account: parsed.AccountID}
	switch parsed.Service {
	case "secretsmanager":
		match := secretResource.FindStringSubmatch(parsed.Resource)
		if match == nil || match[3] != "" && match[4] != "" {
			return Reference{}, false
		}
		found.Name, found.Key, found.Label, found.Version = match[1], match[2], match[3], match[4]
		parsed.Resource = "secret:" + found.Name
		found.ARN = parsed.String()
	case "ssm":
		match := parameterResource.FindStringSubmatch(parsed.Resource)
		if match == nil {
			return Reference{}, false
		}
		// The name of one in no hierarchy has no slash, and its ARN has one.
		found.Parameter, found.Name = true, match[1]
		if name := strings.TrimPrefix(found.Name, "/"); !strings.Contains(name, "/") {
			found.Name = name
		}
	default:
		return Reference{}, false
	}
	return found, true
}

// IsOf tells the secret that a stage keeps for a service or a task, by its task definition family, after which Pulumi
// names it.
func (r Reference) IsOf(family string) bool {
	return !r.Parameter && strings.HasPrefix(r.Name, family+"-")
}

// IsARN tells the ARN of a secret or a parameter, which may name a part and a version, from any other text.
func IsARN(text string) bool {
	found, ok := Parse(text)
	return ok && found.ARN != ""
}

// IsParameter tells the ARN of a parameter from that of a secret, and from any other text.
func IsParameter(text string) bool {
	found, ok := Parse(text)
	return ok && found.ARN != "" && found.Parameter
}

// ARN drops the JSON key, version stage and version id that may follow a secret's ARN. What is no ARN stays as
// it is.
func ARN(reference string) string {
	if found, ok := Parse(reference); ok && found.ARN != "" {
		return found.ARN
	}
	return reference
}
