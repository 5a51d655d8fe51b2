// A web app with a database of the program's own, and a migration that runs before each deployment.
package main

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/secretsmanager"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"

	"slipway/components"
	"slipway/stage"
)

func main() { components.Run(deployStage) }

// deployStage loads the stage and asks AWS what must be known first, deploys it, and exports what a person and a script
// can use.
func deployStage(ctx *pulumi.Context) error {
	input, err := stage.FromEnvironment()
	if err != nil {
		return err
	}
	preflight, err := components.RunPreflight(ctx, input)
	if err != nil {
		return err
	}
	database, err := newDatabase(ctx, preflight.Stage.Cluster())
	if err != nil {
		return err
	}
	deployed, err := components.Deploy(ctx, preflight, components.Handovers{"database": database})
	if err != nil {
		return err
	}
	deployed.Export(ctx)
	return nil
}

// newDatabase declares a database and the secret that holds its password, and hands both over. The password stands
// encrypted in the stage file, as database:databasePassword.
func newDatabase(ctx *pulumi.Context, name string) (handover components.Handover, err error) {
	password, err := config.New(ctx, "").TrySecret("databasePassword")
	if err != nil {
		return handover, err
	}
	database, err := rds.NewInstance(ctx, "database", &rds.InstanceArgs{
		Identifier:        pulumi.String(name),
		Engine:            pulumi.String("postgres"),
		EngineVersion:     pulumi.String("17"),
		InstanceClass:     pulumi.String("db.t4g.micro"),
		AllocatedStorage:  pulumi.Int(20), // GiB
		StorageEncrypted:  pulumi.Bool(true),
		DbName:            pulumi.String("app"),
		Username:          pulumi.String("app"),
		Password:          password,
		SkipFinalSnapshot: pulumi.Bool(true), // a real one keeps it, with FinalSnapshotIdentifier
	})
	if err != nil {
		return handover, err
	}
	secret, err := secretsmanager.NewSecret(ctx, "database", nil)
	if err != nil {
		return handover, err
	}
	// Handed over with the version, so that the containers start only once there is a value.
	version, err := secretsmanager.NewSecretVersion(ctx, "database", &secretsmanager.SecretVersionArgs{
		SecretId: secret.ID(), SecretString: password,
	})
	if err != nil {
		return handover, err
	}
	return components.Handover{
		Environment: pulumi.StringMap{"DATABASE_HOST": database.Address, "DATABASE_NAME": database.DbName},
		Secrets:     pulumi.StringMap{"DATABASE_PASSWORD": pulumi.Sprintf("%s:::%s", secret.Arn, version.VersionId)},
	}, nil
}
