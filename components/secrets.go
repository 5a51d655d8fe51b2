package components

import (
	"encoding/json"
	"maps"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/secretsmanager"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/stage"
)

const secretsType = "slipway:components:Secrets"

// secretRecoveryDays is how long AWS keeps a secret that was deleted, for somebody to restore it: the longest it offers.
const secretRecoveryDays = 30

// Secrets are the encrypted values of one service, kept in Secrets Manager as one JSON object.
type Secrets struct {
	pulumi.ResourceState

	// Arn of the secret.
	Arn pulumi.StringOutput `pulumi:"arn"`
	// References are what the container is given, by variable: a key of one version of the secret. A changed value is
	// another version, and so another revision; an earlier revision goes on to see the value that it began with.
	References pulumi.StringMap
}

// NewSecrets declares the secret of a service that names encrypted values. Its name is made up, as AWS keeps the name of a deleted secret
// for as long as that can be restored.
func NewSecrets(ctx *pulumi.Context, name, family string, values map[string]stage.SecretValue, tags map[string]string, opts ...pulumi.ResourceOption,
) (*Secrets, error) {
	component := &Secrets{}
	if err := ctx.RegisterComponentResource(secretsType, name, component, opts...); err != nil {
		return nil, err
	}
	parent := pulumi.Parent(component)
	plain := map[string]string{}
	for variable, value := range values {
		plain[variable] = value.Reveal()
	}
	text, err := json.Marshal(plain)
	if err != nil {
		return nil, err
	}
	secret, err := secretsmanager.NewSecret(ctx, family, &secretsmanager.SecretArgs{
		Description:          pulumi.String("secret variables of " + family),
		RecoveryWindowInDays: pulumi.Int(secretRecoveryDays),
		Tags:                 pulumi.ToStringMap(tags),
	}, parent)
	if err != nil {
		return nil, err
	}
	version, err := secretsmanager.NewSecretVersion(ctx, family, &secretsmanager.SecretVersionArgs{
		SecretId:     secret.ID(),
		SecretString: pulumi.ToSecret(pulumi.String(text)).(pulumi.StringOutput),
	}, parent)
	if err != nil {
		return nil, err
	}
	component.Arn, component.References = secret.Arn, pulumi.StringMap{}
	for variable := range values {
		component.References[variable] = pulumi.Sprintf("%s:%s::%s", secret.Arn, variable, version.VersionId)
	}
	return component, ctx.RegisterResourceOutputs(component, pulumi.Map{"arn": component.Arn})
}

// newServiceSecrets gathers where the values of a service's secret variables come from, by variable, and keeps those that the stage file has
// encrypted. own is the ARN of the secret that holds them, empty where there are none.
func newServiceSecrets(ctx *pulumi.Context, name, family string, secrets map[string]stage.Secret, tags map[string]string, opts ...pulumi.ResourceOption,
) (references pulumi.StringMapOutput, own pulumi.StringOutput, err error) {
	all, values := pulumi.StringMap{}, map[string]stage.SecretValue{}
	for variable, secret := range secrets {
		if secret.ARN != "" {
			all[variable] = pulumi.String(secret.ARN)
		} else {
			values[variable] = secret.Value
		}
	}
	if len(values) == 0 {
		return all.ToStringMapOutput(), pulumi.String("").ToStringOutput(), nil
	}
	kept, err := NewSecrets(ctx, name, family, values, tags, opts...)
	if err != nil {
		return references, own, err
	}
	maps.Copy(all, kept.References)
	return all.ToStringMapOutput(), kept.Arn, nil
}
