package verify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"slipway/cmd/slipway/internal/exit"
	"slipway/internal/secretref"
)

// checkSecrets looks for the secrets that services and tasks name and somebody else keeps. Their values are not read,
// so JSON keys in them are not looked for.
func (v *verifier) checkSecrets() {
	used := map[string]string{}
	for _, user := range v.stage.TaskDefinitions() {
		for name, secret := range v.stage.TaskDefinition(user).AllSecrets() {
			if secret.ARN != "" {
				used[name] = secret.ARN
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(used)) {
		v.add("secret", v.stage.Where("secrets", name), func(ctx context.Context) (string, error) {
			if secretref.IsParameter(used[name]) {
				return v.parameter(ctx, used[name])
			}
			return v.secret(ctx, name, used[name])
		})
	}
}

func (v *verifier) parameter(ctx context.Context, name string) (string, error) {
	reference, _ := secretref.Parse(name) // which was checked
	answer, err := v.SSM.GetParameters(ctx, &ssm.GetParametersInput{Names: []string{name},
		WithDecryption: aws.Bool(false)},
		func(o *ssm.Options) { o.Region = reference.Region })
	if err != nil {
		return "", err
	}
	if len(answer.Parameters) == 0 {
		return "", exit.Refuse("there is no parameter %s: put it there with `aws ssm put-parameter`, or correct the ARN",
			name)
	}
	return "the parameter is there", nil
}

func (v *verifier) secret(ctx context.Context, name, arn string) (string, error) {
	reference, _ := secretref.Parse(arn) // which was checked
	id, region := reference.ARN, reference.Region
	answer, err := v.DescribeSecret(ctx, id, region)
	if err != nil {
		return "", err
	}
	if answer == nil {
		return "", exit.Refuse("there is no secret %s: make it, or correct the ARN, whose last six characters are new for "+
			"every secret", id)
	}
	if answer.DeletedDate != nil {
		return "", exit.Refuse("the secret is scheduled for deletion: restore it with `aws secretsmanager restore-secret "+
			"--region %s --secret-id %s`, or name another", region, id)
	}
	label, version := reference.Label, reference.Version
	if label == "" && version == "" {
		label = "AWSCURRENT"
	}
	labelled := func(labels []string) bool { return slices.Contains(labels, label) }
	switch {
	case version != "" && answer.VersionIdsToStages[version] == nil:
		return "", exit.Refuse("the secret has no version %s with a label, and AWS removes those without: name a version "+
			"that `aws secretsmanager list-secret-version-ids` lists", version)
	case label == "AWSCURRENT" && !slices.ContainsFunc(sortedValues(answer.VersionIdsToStages), labelled):
		return "", exit.Refuse("the secret has no value yet: store one with `aws secretsmanager put-secret-value`")
	case label != "" && !slices.ContainsFunc(sortedValues(answer.VersionIdsToStages), labelled):
		return "", exit.Refuse("the secret has no version with the label %s: name a label that it has", label)
	}
	if key := aws.ToString(answer.KmsKeyId); key != "" && !strings.HasSuffix(key, "alias/aws/secretsmanager") {
		return "", noted("the secret is there, encrypted with the KMS key %s, whose policy must let %s decrypt (kms:Decrypt)",
			key, strings.Join(v.readersOf(name), " and "))
	}
	return "the secret is there", nil
}

// readersOf are the execution roles of the services and tasks that name a secret.
func (v *verifier) readersOf(secret string) (roles []string) {
	for _, user := range v.stage.TaskDefinitions() {
		if _, reads := v.stage.TaskDefinition(user).AllSecrets()[secret]; reads {
			roles = append(roles, v.stage.ExecutionRole(user))
		}
	}
	return roles
}

func sortedValues[V any](m map[string]V) (values []V) {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		values = append(values, m[key])
	}
	return values
}

// regionOf is the region in an ARN that the stage file has, which was checked.
func regionOf(text string) string {
	parsed, err := arn.Parse(text)
	if err != nil {
		panic(fmt.Sprintf("slipway: %q was checked to be an ARN", text))
	}
	return parsed.Region
}
