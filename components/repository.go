package components

import (
	"encoding/json"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const repositoryType = "slipway:components:Repository"

// untaggedDays is how long an image without a tag is kept. Nothing that was deployed is without one.
const untaggedDays = 14

// RepositoryArgs says what a Repository is made from.
type RepositoryArgs struct {
	// Name of the ECR repository: 2 to 256 characters, lower case letters, digits and . _ - /
	// (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html).
	Name string
	// ForceDelete lets `pulumi destroy` delete the repository with the images in it.
	ForceDelete bool
	// Tags of the repository.
	Tags map[string]string
}

// Repository is an ECR repository whose tags never move, so that its list of images is a history.
type Repository struct {
	pulumi.ResourceState

	// URL is the registry and name that images are pushed to, without a tag.
	URL pulumi.StringOutput `pulumi:"url"`
}

// NewRepository declares an ECR repository for the images of one build.
func NewRepository(ctx *pulumi.Context, name string, args *RepositoryArgs, opts ...pulumi.ResourceOption) (*Repository, error) {
	component := &Repository{}
	if err := ctx.RegisterComponentResource(repositoryType, name, component, opts...); err != nil {
		return nil, err
	}
	repository, err := ecr.NewRepository(ctx, name, &ecr.RepositoryArgs{
		Name:               pulumi.String(args.Name),
		ForceDelete:        pulumi.Bool(args.ForceDelete),
		ImageTagMutability: pulumi.String("IMMUTABLE"),
		ImageScanningConfiguration: &ecr.RepositoryImageScanningConfigurationArgs{
			ScanOnPush: pulumi.Bool(true),
		},
		Tags: pulumi.ToStringMap(args.Tags),
	}, pulumi.Parent(component))
	if err != nil {
		return nil, err
	}
	policy, err := lifecyclePolicy()
	if err != nil {
		return nil, err
	}
	_, err = ecr.NewLifecyclePolicy(ctx, name, &ecr.LifecyclePolicyArgs{
		Repository: repository.Name,
		Policy:     pulumi.String(policy),
	}, pulumi.Parent(component))
	if err != nil {
		return nil, err
	}
	component.URL = repository.RepositoryUrl
	return component, ctx.RegisterResourceOutputs(component, pulumi.Map{"url": component.URL})
}

// lifecyclePolicy keeps every tagged image: a tag is what a stage or an earlier revision refers to.
func lifecyclePolicy() (string, error) {
	type selection struct {
		TagStatus   string `json:"tagStatus"`
		CountType   string `json:"countType"`
		CountUnit   string `json:"countUnit"`
		CountNumber int    `json:"countNumber"`
	}
	type rule struct {
		RulePriority int               `json:"rulePriority"`
		Description  string            `json:"description"`
		Selection    selection         `json:"selection"`
		Action       map[string]string `json:"action"`
	}
	policy, err := json.Marshal(map[string][]rule{"rules": {{
		RulePriority: 1,
		Description:  "expire images without a tag",
		Selection:    selection{"untagged", "sinceImagePushed", "days", untaggedDays},
		Action:       map[string]string{"type": "expire"},
	}}})
	return string(policy), err
}
