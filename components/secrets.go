package components

import (
	"encoding/json"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/secretsmanager"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/stage"
)

const secretsType = "slipway:components:Secrets"

// secretRecoveryDays is how long AWS keeps a secret that was deleted, for somebody to restore it: the longest it
// offers.
const secretRecoveryDays = 30

// secrets are the encrypted values of one service or task, kept in Secrets Manager as one JSON object.
type secrets struct {
	pulumi.ResourceState
}

// newSecrets gathers where the values of the secret variables of a service or a task come from, by variable, and keeps
// those that the stage file has encrypted: those of all containers together. own is the ARN of the secret that holds
// them, empty where there are none. A changed value is another version, and so another revision; an earlier revision
// goes on to see the value that it began with.
func newSecrets(ctx *pulumi.Context, name string, settings *stage.Stage, parent pulumi.ResourceOption) (
	references pulumi.StringMapOutput, own pulumi.StringOutput, err error) {
	all, values := pulumi.StringMap{}, map[string]string{}
	for variable, secret := range settings.TaskDefinition(name).AllSecrets() {
		if secret.ARN != "" {
			all[variable] = pulumi.String(secret.ARN)
		} else {
			values[variable] = secret.Value.Reveal()
		}
	}
	if len(values) == 0 {
		return all.ToStringMapOutput(), pulumi.String("").ToStringOutput(), nil
	}
	component, family := &secrets{}, settings.Family(name)
	if err := ctx.RegisterComponentResource(secretsType, name, component, parent); err != nil {
		return references, own, err
	}
	text, err := json.Marshal(values)
	if err != nil {
		return references, own, err
	}
	// Its name is made up, as AWS keeps the name of a deleted secret for as long as that can be restored.
	secret, err := secretsmanager.NewSecret(ctx, family, &secretsmanager.SecretArgs{
		Description:          pulumi.String("secret variables of " + family),
		RecoveryWindowInDays: pulumi.Int(secretRecoveryDays),
		Tags:                 pulumi.ToStringMap(settings.TagsOf(name)),
	}, pulumi.Parent(component))
	if err != nil {
		return references, own, err
	}
	version, err := secretsmanager.NewSecretVersion(ctx, family, &secretsmanager.SecretVersionArgs{
		SecretId:     secret.ID(),
		SecretString: pulumi.ToSecret(pulumi.String(text)).(pulumi.StringOutput),
	}, pulumi.Parent(component))
	if err != nil {
		return references, own, err
	}
	for variable := range values {
		all[variable] = pulumi.Sprintf("%s:%s::%s", secret.Arn, variable, version.VersionId)
	}
	err = ctx.RegisterResourceOutputs(component, pulumi.Map{"arn": secret.Arn})
	return all.ToStringMapOutput(), secret.Arn, err
}
