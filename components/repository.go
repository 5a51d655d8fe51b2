package components

import (
	"encoding/json"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const repositoryType = "slipway:components:Repository"

const (
	// untaggedDays is how long an image without a tag is kept. Nothing that was deployed is without one.
	untaggedDays = 14
	// everyImage is more than a repository has of protected images: the quota of all of its images
	// (https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html).
	everyImage = 100_000
)

// RepositoryArgs says what a Repository is made from.
type RepositoryArgs struct {
	// Name of the ECR repository: 2 to 256 characters, lower case letters, digits and . _ - /
	// (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html).
	Name string
	// ForceDelete lets `pulumi destroy` delete the repository with the images in it.
	ForceDelete bool
	// KeepImages is how many tagged images ECR keeps beside those that Retention protects.
	KeepImages int
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
	policy, err := lifecyclePolicy(args.KeepImages)
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
	component.URL = repository.RepositoryUrl
	return component, ctx.RegisterResourceOutputs(component, pulumi.Map{"url": component.URL})
}

// lifecyclePolicy keeps so many tagged images, the newest, and all that Retention protects: an image that meets the tagging
// requirements of a rule cannot be expired by one of lower priority
// (https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html#lp_evaluation_rules). It counts there, though:
// what is kept are the newest images, and the protected ones among the older.
//
// A rule's count is 1 or more, and has no upper limit of its own; its list of patterns holds "*" for any tag
// (https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html).
func lifecyclePolicy(keepImages int) (string, error) {
	type selection struct {
		TagStatus      string   `json:"tagStatus"`
		TagPrefixList  []string `json:"tagPrefixList,omitempty"`
		TagPatternList []string `json:"tagPatternList,omitempty"`
		CountType      string   `json:"countType"`
		CountUnit      string   `json:"countUnit,omitempty"`
		CountNumber    int      `json:"countNumber"`
	}
	type rule struct {
		RulePriority int               `json:"rulePriority"`
		Description  string            `json:"description"`
		Selection    selection         `json:"selection"`
		Action       map[string]string `json:"action"`
	}
	const count, age = "imageCountMoreThan", "sinceImagePushed"
	rules := []rule{
		{Description: "expire no image that a stage may need", Selection: selection{
			TagStatus: "tagged", TagPrefixList: []string{keepPrefix}, CountType: count, CountNumber: everyImage,
		}},
		{Description: "expire images without a tag", Selection: selection{
			TagStatus: "untagged", CountType: age, CountUnit: "days", CountNumber: untaggedDays,
		}},
		{Description: "expire all but the newest tagged images", Selection: selection{
			TagStatus: "tagged", TagPatternList: []string{"*"}, CountType: count, CountNumber: keepImages,
		}},
	}
	for i := range rules {
		rules[i].RulePriority = i + 1
		rules[i].Action = map[string]string{"type": "expire"}
	}
	policy, err := json.Marshal(map[string][]rule{"rules": rules})
	return string(policy), err
}
