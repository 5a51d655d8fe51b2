package stage

// Repository is how the stage's ECR repositories are kept.
type Repository struct {
	// ForceDelete tells whether `pulumi destroy` removes a repository that still holds images. The images go with it, those
	// that other stages run too.
	//
	// Example: forceDelete: true
	// Rule: [ECR DeleteRepository](https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DeleteRepository.html)
	ForceDelete bool `json:"forceDelete" default:"false"`
}
