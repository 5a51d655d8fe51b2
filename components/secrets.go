package components

import (
	"encoding/json"
	"maps"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/secretsmanager"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/stage"
)

const secretsType = "slipway:components:Secrets"

// secretRecoveryDays is how long AWS keeps a secret that was deleted, for somebody to restore it: the longest it
// offers.
const secretRecoveryDays = 30

// Secrets are the encrypted values of one service or task, kept in Secrets Manager as one JSON object.
type Secrets struct {
	pulumi.ResourceState

	// Arn of the secret.
	Arn pulumi.StringOutput `pulumi:"arn"`
	// References are what containers are given, by variable: a key of one version of the secret. A changed value is
	// another version, and so another revision; an earlier revision goes on to see the value that it began with.
	References pulumi.StringMap
}

// SecretsArgs says what Secrets are made from.
type SecretsArgs struct {
	// Family is the task definition's, which the secret is named after.
	Family string
	// Values by variable.
	Values map[string]stage.SecretValue
	// Tags of the secret.
	Tags map[string]string
}

// NewSecrets declares the secret of a service or a task that names encrypted values. Its name is made up, as AWS keeps
// the name of a deleted secret for as long as that can be restored.
func NewSecrets(ctx *pulumi.Context, name string, args *SecretsArgs, opts ...pulumi.ResourceOption) (*Secrets, error) {
	component := &Secrets{}
	if err := ctx.RegisterComponentResource(secretsType, name, component, opts...); err != nil {
		return nil, err
	}
	parent := pulumi.Parent(component)
	plain := map[string]string{}
	for variable, value := range args.Values {
		plain[variable] = value.Reveal()
	}
	text, err := json.Marshal(plain)
	if err != nil {
		return nil, err
	}
	secret, err := secretsmanager.NewSecret(ctx, args.Family, &secretsmanager.SecretArgs{
		Description:          pulumi.String("secret variables of " + args.Family),
		RecoveryWindowInDays: pulumi.Int(secretRecoveryDays),
		Tags:                 pulumi.ToStringMap(args.Tags),
	}, parent)
	if err != nil {
		return nil, err
	}
	version, err := secretsmanager.NewSecretVersion(ctx, args.Family, &secretsmanager.SecretVersionArgs{
		SecretId:     secret.ID(),
		SecretString: pulumi.ToSecret(pulumi.String(text)).(pulumi.StringOutput),
	}, parent)
	if err != nil {
		return nil, err
	}
	component.Arn, component.References = secret.Arn, pulumi.StringMap{}
	for variable := range args.Values {
		component.References[variable] = pulumi.Sprintf("%s:%s::%s", secret.Arn, variable, version.VersionId)
	}
	return component, ctx.RegisterResourceOutputs(component, pulumi.Map{"arn": component.Arn})
}

// newSecretsOf gathers where the values of the secret variables of a service or a task come from, by variable, and
// keeps those that the stage file has encrypted: those of all containers together. own is the ARN of the secret that
// holds them, empty where there are none.
func newSecretsOf(ctx *pulumi.Context, name string, settings *stage.Stage, opts ...pulumi.ResourceOption,
) (references pulumi.StringMapOutput, own pulumi.StringOutput, err error) {
	all, values := pulumi.StringMap{}, map[string]stage.SecretValue{}
	for variable, secret := range settings.TaskDefinition(name).AllSecrets() {
		if secret.ARN != "" {
			all[variable] = pulumi.String(secret.ARN)
		} else {
			values[variable] = secret.Value
		}
	}
	if len(values) == 0 {
		return all.ToStringMapOutput(), pulumi.String("").ToStringOutput(), nil
	}
	kept, err := NewSecrets(ctx, name, &SecretsArgs{Family: settings.Family(name), Values: values,
		Tags: settings.TagsOf(name)}, opts...)
	if err != nil {
		return references, own, err
	}
	maps.Copy(all, kept.References)
	return all.ToStringMapOutput(), kept.Arn, nil
}
