package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/components/internal/retention"
	"slipway/stage"
)

const repositoryType = "slipway:components:Repository"

// imageRepository is an ECR repository whose tags never move, so that its list of images is a history.
type imageRepository struct {
	pulumi.ResourceState

	// URL is the registry and name that images are pushed to, without a tag.
	URL pulumi.StringOutput `pulumi:"url"`
}

// newRepository declares an ECR repository for an image that the stage builds or copies.
func newRepository(ctx *pulumi.Context, name string, settings *stage.Stage, account *stageAccount) (
	*imageRepository, error) {
	component := &imageRepository{}
	if err := ctx.RegisterComponentResource(repositoryType, name, component); err != nil {
		return nil, err
	}
	repository, err := ecr.NewRepository(ctx, name, &ecr.RepositoryArgs{
		Name:               pulumi.String(settings.RepositoryName(name)),
		ForceDelete:        pulumi.Bool(settings.Repository.ForceDelete),
		ImageTagMutability: pulumi.String("IMMUTABLE"),
		ImageScanningConfiguration: &ecr.RepositoryImageScanningConfigurationArgs{
			ScanOnPush: pulumi.Bool(true),
		},
		Tags: pulumi.ToStringMap(settings.ImageTags(name)),
	}, pulumi.Parent(component))
	if err != nil {
		return nil, err
	}
	policy, err := retention.LifecyclePolicy(settings.Repository.KeepImages)
	if err != nil {
		return nil, err
	}
	_, err = ecr.NewLifecyclePolicy(ctx, name, &ecr.LifecyclePolicyArgs{
		Repository: repository.Name,
		Policy:     pulumi.String(policy),
	}, pulumi.Parent(component),
		// A changed policy is another resource to the provider. Deleting the former one last would delete the only one that
		// the repository has.
		pulumi.DeleteBeforeReplace(true))
	if err != nil {
		return nil, err
	}
	if readers := settings.Repository.Readers; len(readers) > 0 {
		if err := newRepositoryPolicy(ctx, name, repository, account, readers, pulumi.Parent(component)); err != nil {
			return nil, err
		}
	}
	component.URL = repository.RepositoryUrl
	return component, ctx.RegisterResourceOutputs(component, pulumi.Map{"url": component.URL})
}
