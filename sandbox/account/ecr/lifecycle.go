package ecr

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"slipway/sandbox/account"
)

// LifecycleRules are the rules of a repository's lifecycle policy, by priority. Their properties:
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html How they are evaluated:
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html#lp_evaluation_rules
type LifecycleRules []lifecycleRule

type lifecycleRule struct {
	RulePriority int    `json:"rulePriority"`
	Description  string `json:"description"`
	Selection    struct {
		TagStatus      string   `json:"tagStatus"`
		TagPrefixList  []string `json:"tagPrefixList"`
		TagPatternList []string `json:"tagPatternList"`
		CountType      string   `json:"countType"`
		CountUnit      string   `json:"countUnit"`
		CountNumber    int      `json:"countNumber"`
	} `json:"selection"`
	Action struct {
		Type string `json:"type"`
	} `json:"action"`
}

// ParseLifecyclePolicy reads the text of a policy. It knows the rules that slipway writes, and refuses others.
func ParseLifecyclePolicy(text string) (LifecycleRules, error) {
	var policy struct {
		Rules LifecycleRules `json:"rules"`
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&policy); err != nil {
		return nil, lifecycleFailure(err.Error())
	}
	if len(policy.Rules) == 0 {
		return nil, lifecycleFailure("the policy has no rules")
	}
	slices.SortStableFunc(policy.Rules, func(x, y lifecycleRule) int {
		return cmp.Compare(x.RulePriority,
			y.RulePriority)
	})
	for i, rule := range policy.Rules {
		switch {
		case !rule.isKnown():
			return nil, lifecycleFailure(fmt.Sprintf("the sandbox does not know rules such as that of priority %d",
				rule.RulePriority))
		case i > 0 && policy.Rules[i-1].RulePriority == rule.RulePriority:
			return nil, lifecycleFailure("Rule priorities must be unique")
		}
	}
	return policy.Rules, nil
}

func lifecycleFailure(reason string) error {
	return account.Refuse("InvalidParameterException",
		"Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: "+
			"'Lifecycle policy validation failure: %s'", reason)
}

// isKnown tells of a rule that expires untagged images by their age, or those beyond a number: of images with any tag,
// or with a tag of one prefix.
func (r lifecycleRule) isKnown() bool {
	s := r.Selection
	byAge := s.TagStatus == "untagged" && s.TagPrefixList == nil && s.TagPatternList == nil &&
		s.CountType == "sinceImagePushed" && s.CountUnit == "days"
	onePrefix := len(s.TagPrefixList) == 1 && s.TagPrefixList[0] != "" && s.TagPatternList == nil
	anyTag := s.TagPrefixList == nil && slices.Equal(s.TagPatternList, []string{"*"})
	byCount := s.TagStatus == "tagged" && (onePrefix || anyTag) && s.CountType == "imageCountMoreThan" && s.CountUnit == ""
	return (byAge || byCount) && s.CountNumber >= 1 && r.RulePriority >= 1 && r.Action.Type == "expire"
}

// taggedImage is an image of a repository with all its tags.
type taggedImage struct {
	digest   string
	tags     []string
	pushedAt time.Time
}

// expired are the digests that the rules expire. An image that meets the tagging requirements of a rule cannot be
// expired by one that comes later, where it still counts.
func (rules LifecycleRules) expired(images []taggedImage, now time.Time) []string {
	newestFirst := slices.Clone(images)
	slices.SortStableFunc(newestFirst, func(x, y taggedImage) int {
		return cmp.Or(y.pushedAt.Compare(x.pushedAt), cmp.Compare(x.digest, y.digest))
	})
	taken := map[string]bool{} // by a rule of higher priority
	var expired []string
	for _, rule := range rules {
		var selected []taggedImage
		for _, image := range newestFirst {
			if rule.selects(image.tags) {
				selected = append(selected, image)
			}
		}
		for i, image := range selected {
			if !taken[image.digest] && rule.exceeded(i, now.Sub(image.pushedAt)) {
				expired = append(expired, image.digest)
			}
		}
		for _, image := range selected {
			taken[image.digest] = true
		}
	}
	return expired
}

// selects tells whether an image meets the tagging requirements.
func (r lifecycleRule) selects(tags []string) bool {
	switch prefixes := r.Selection.TagPrefixList; {
	case r.Selection.TagStatus == "untagged":
		return len(tags) == 0
	case prefixes != nil:
		return slices.ContainsFunc(tags, func(tag string) bool { return strings.HasPrefix(tag, prefixes[0]) })
	}
	return len(tags) > 0
}

// exceeded tells whether the rule expires an image of that age, of which so many newer ones are selected.
func (r lifecycleRule) exceeded(newer int, age time.Duration) bool {
	if r.Selection.CountType == "imageCountMoreThan" {
		return newer >= r.Selection.CountNumber
	}
	return age > time.Duration(r.Selection.CountNumber)*24*time.Hour
}

// expireImages removes what the repositories' policies expire, whether or not a task runs it. AWS takes up to 24 hours
// for that; here it is done whenever images are looked at.
func expireImages(t *account.Tx) {
	policies := map[string]LifecycleRules{}
	for _, o := range account.List[account.Object](t, LifecyclePolicy) {
		rules, err := ParseLifecyclePolicy(o.Text("policy"))
		if err == nil { // it was checked when it was put
			policies[o.Text("repository")] = rules
		}
	}
	if len(policies) == 0 {
		return
	}
	held := map[string]map[string]taggedImage{}
	listed := map[string]bool{} // by an index
	for _, image := range account.List[Image](t, imageKind) {
		for _, digest := range image.Platforms {
			listed[image.Repository+"@"+digest] = true
		}
		images := held[image.Repository]
		if images == nil {
			images = map[string]taggedImage{}
			held[image.Repository] = images
		}
		one := taggedImage{digest: image.Digest, tags: images[image.Digest].tags, pushedAt: image.PushedAt}
		if image.Tag != "" {
			one.tags = append(one.tags, image.Tag)
		}
		images[image.Digest] = one
	}
	for repository, rules := range policies {
		images := held[repository]
		for _, digest := range rules.expired(slices.Collect(maps.Values(images)), t.Now) {
			if listed[repository+"@"+digest] {
				continue
			}
			for _, tag := range images[digest].tags {
				account.Remove(t, imageKind, Image{Repository: repository, Tag: tag}.id())
			}
			account.Remove(t, imageKind, Image{Repository: repository, Digest: digest}.id())
		}
	}
}

// PutLifecyclePolicy sets a repository's policy, in place of another.
func PutLifecyclePolicy(a *account.Account, repository, text string, o account.Object) error {
	if _, err := ParseLifecyclePolicy(text); err != nil {
		return err
	}
	return a.Transact(func(t *account.Tx) error {
		if _, err := findRepository(t, repository); err != nil {
			return err
		}
		account.Put(t, LifecyclePolicy, repository, o)
		return nil
	})
}
