package stage

import (
	"slices"

	"slipway/internal/awslimits"
)

// Repository is how the stage's ECR repositories are kept.
type Repository struct {
	// ForceDelete tells whether `pulumi destroy` removes a repository that still holds images. The images go with it,
	// those that other stages run too.
	//
	// Example: forceDelete: true
	// Rule: [ECR DeleteRepository](https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DeleteRepository.html)
	ForceDelete bool `json:"forceDelete" default:"false"`

	// KeepImages is how many tagged images ECR keeps of each repository of the stage, the newest ones. Older ones expire,
	// but never one that a stage pins, nor one of the revisions that `keepRevisions` counts.
	//
	// Example: keepImages: 20
	// Rule: [ECR lifecycle policies](https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html),
	// [ECR quotas](https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html)
	KeepImages int `json:"keepImages" default:"100" min:"1" max:"100000"`

	// KeepRevisions is how many revisions of each service and each task of the stage keep their images, the newest ones,
	// in whichever repositories the stage's `images` are: so many updates a service can go back. The revision that a
	// service is pinned to keeps its image, too, however old it is.
	//
	// Example: keepRevisions: 50
	// Rule: [ECS ListTaskDefinitions](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTaskDefinitions.html)
	KeepRevisions int `json:"keepRevisions" default:"30" min:"1" max:"100"`

	// Readers are the other accounts that may pull the images of the stage's repositories: those of stages that run them
	// as `ref`. Such a stage should have `mirror` beside it: what another account runs from here is not known, and expires
	// with `keepImages`.
	//
	// Default: none; the stage's account only
	// Allowed: numbers of accounts, as text of 12 digits, or the id of an organisation of AWS (`o-…`), whose every account
	// may
	// Example: readers: ["210987654321"]
	// Rule: [ECR repository policies](https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policies.html)
	Readers []string `json:"readers"`
}

func (c *checker) checkRepository(repository Repository) {
	for i, reader := range repository.Readers {
		here := c.at("repository", "readers", i)
		switch {
		case !awslimits.AccountID.MatchString(reader) && !awslimits.OrganizationID.MatchString(reader):
			here.fail("is %q; write an account's number, 12 digits in quotes, or an organisation's id, as in o-a1b2c3d4e5",
				shorten(reader))
		case slices.Contains(repository.Readers[:i], reader):
			here.fail("duplicates %q; remove it", reader)
		}
	}
}
