package account

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
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

// The quotas of a policy: https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html
const (
	longestLifecyclePolicy = 30720
	mostLifecycleRules     = 50
	mostWildcards          = 4 // of one pattern
)

// ParseLifecyclePolicy reads the text of a policy, and refuses what ECR refuses.
func ParseLifecyclePolicy(text string) (LifecycleRules, error) {
	var policy struct {
		Rules LifecycleRules `json:"rules"`
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&policy); err != nil {
		return nil, lifecycleFailure(err.Error())
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, lifecycleFailure("text after the policy")
	}
	slices.SortStableFunc(policy.Rules, func(x, y lifecycleRule) int {
		return cmp.Compare(x.RulePriority,
			y.RulePriority)
	})
	switch {
	case len(text) > longestLifecyclePolicy:
		return nil, lifecycleFailure("the policy is too long")
	case len(policy.Rules) == 0:
		return nil, lifecycleFailure("the policy has no rules")
	case len(policy.Rules) > mostLifecycleRules:
		return nil, lifecycleFailure("the policy has too many rules")
	}
	untagged, selections := false, map[string]bool{}
	for i, rule := range policy.Rules {
		selected := fmt.Sprintf("%q %q", sortedTexts(rule.Selection.TagPrefixList),
			sortedTexts(rule.Selection.TagPatternList))
		reason := rule.problem()
		switch {
		case reason != "":
		case i > 0 && policy.Rules[i-1].RulePriority == rule.RulePriority:
			reason = "Rule priorities must be unique"
		case rule.Selection.TagStatus == "any" && i < len(policy.Rules)-1:
			reason = "Rule for tagStatus=ANY must have the lowest priority"
		case rule.Selection.TagStatus == "untagged" && untagged:
			reason = "Only one rule can select Untagged images"
		case rule.Selection.TagStatus == "tagged" && selections[selected]:
			reason = "Rules must have unique sets of tag prefixes and patterns"
		}
		if reason != "" {
			return nil, lifecycleFailure(reason)
		}
		untagged = untagged || rule.Selection.TagStatus == "untagged"
		selections[selected] = true
	}
	return policy.Rules, nil
}

func lifecycleFailure(reason string) error {
	return refuse("InvalidParameterException", "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: "+
		"'Lifecycle policy validation failure: %s'", reason)
}

// problem is what is wrong with a rule by itself.
func (r lifecycleRule) problem() string {
	s := r.Selection
	lists := len(s.TagPrefixList) + len(s.TagPatternList)
	switch {
	case r.RulePriority < 1:
		return "rulePriority must be at least 1"
	case r.Action.Type != "expire":
		return "action.type must be expire"
	case s.TagStatus != "tagged" && s.TagStatus != "untagged" && s.TagStatus != "any":
		return "tagStatus must be tagged, untagged or any"
	case s.TagStatus == "tagged" && lists == 0:
		return "Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED"
	case s.TagStatus != "tagged" && (s.TagPrefixList != nil || s.TagPatternList != nil):
		return "tagPrefixList and tagPatternList are only for tagStatus=TAGGED"
	case s.TagPrefixList != nil && s.TagPatternList != nil:
		return "Must specify only one of tagPrefixList and tagPatternList"
	case slices.Contains(s.TagPrefixList, "") || slices.Contains(s.TagPatternList, ""):
		return "a prefix or pattern is empty"
	case slices.ContainsFunc(s.TagPatternList,
		func(pattern string) bool { return strings.Count(pattern, "*") > mostWildcards }):
		return "a pattern may have four wildcards"
	case s.CountType != "imageCountMoreThan" && s.CountType != "sinceImagePushed":
		return "countType must be imageCountMoreThan or sinceImagePushed"
	case s.CountType == "sinceImagePushed" && s.CountUnit != "days":
		return "countUnit must be days when countType=sinceImagePushed"
	case s.CountType == "imageCountMoreThan" && s.CountUnit != "":
		return "countUnit is only for countType=sinceImagePushed"
	case s.CountNumber < 1:
		return "countNumber must be at least 1"
	}
	return ""
}

func sortedTexts(list []string) []string { return slices.Sorted(slices.Values(list)) }

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

// selects tells whether an image meets the tagging requirements: each prefix or pattern of a list matches one of its
// tags.
func (r lifecycleRule) selects(tags []string) bool {
	switch r.Selection.TagStatus {
	case "any":
		return true
	case "untagged":
		return len(tags) == 0
	}
	for _, prefix := range r.Selection.TagPrefixList {
		if !slices.ContainsFunc(tags, func(tag string) bool { return strings.HasPrefix(tag, prefix) }) {
			return false
		}
	}
	for _, pattern := range r.Selection.TagPatternList {
		expression := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, `.*`) + "$")
		if !slices.ContainsFunc(tags, expression.MatchString) {
			return false
		}
	}
	return true
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
func (t *tx) expireImages() {
	policies := map[string]LifecycleRules{}
	for _, o := range list[Object](t, LifecyclePolicy) {
		rules, err := ParseLifecyclePolicy(o.text("policy"))
		if err == nil { // it was checked when it was put
			policies[o.text("repository")] = rules
		}
	}
	if len(policies) == 0 {
		return
	}
	held := map[string]map[string]taggedImage{}
	for _, image := range list[Image](t, imageKind) {
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
		for _, digest := range rules.expired(slices.Collect(maps.Values(images)), t.now) {
			for _, tag := range images[digest].tags {
				remove(t, imageKind, Image{Repository: repository, Tag: tag}.id())
			}
			remove(t, imageKind, Image{Repository: repository, Digest: digest}.id())
		}
	}
}

// PutLifecyclePolicy sets a repository's policy, in place of another.
func (a *Account) PutLifecyclePolicy(repository, text string, o Object) error {
	if _, err := ParseLifecyclePolicy(text); err != nil {
		return err
	}
	return a.transact(func(t *tx) error {
		if _, err := t.repository(repository); err != nil {
			return err
		}
		put(t, LifecyclePolicy, repository, o)
		return nil
	})
}

// LifecyclePolicy is the text of a repository's policy.
func (a *Account) LifecyclePolicy(repository string) (text string, err error) {
	err = a.transact(func(t *tx) error {
		if _, err := t.repository(repository); err != nil {
			return err
		}
		o := get[Object](t, LifecyclePolicy, repository)
		if o == nil {
			return refuse("LifecyclePolicyNotFoundException",
				"Lifecycle policy does not exist for the repository with name '%s' in "+
					"the registry with id '%s'", repository, ID)
		}
		var compact bytes.Buffer
		must(json.Compact(&compact, []byte(o.text("policy"))))
		text = compact.String()
		return nil
	})
	return text, err
}
