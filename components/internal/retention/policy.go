package retention

import (
	"encoding/json"
)

const (
	// untaggedDays is how long an image without a tag is kept. Nothing that was deployed is without one.
	untaggedDays = 14
	// everyImage is more than a repository has of protected images: the quota of all of its images
	// (https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html).
	everyImage = 100_000
)

// LifecyclePolicy keeps so many tagged images, the newest, and all that a Protector protects: an image that meets the
// tagging requirements of a rule cannot be expired by one of lower priority
// (https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html#lp_evaluation_rules). It counts there,
// though: what is kept are the newest images, and the protected ones among the older.
//
// A rule's count is 1 or more, and has no upper limit of its own; its list of patterns holds "*" for any tag
// (https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html).
func LifecyclePolicy(keepImages int) (string, error) {
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
