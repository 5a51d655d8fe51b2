package ecr

import (
	"fmt"
	"slipway/sandbox/account"
	"slipway/sandbox/account/accounttest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// rules is a policy of rules that each expire what a selection says.
func rules(selections ...string) string {
	var written []string
	for i, selection := range selections {
		written = append(written, fmt.Sprintf(`{"rulePriority": %d, "selection": {%s}, "action": {"type": "expire"}}`, i+1,
			selection))
	}
	return `{"rules": [` + strings.Join(written, ",") + `]}`
}

const (
	keepMany = `"tagStatus": "tagged", "tagPrefixList": ["keep-"], "countType": "imageCountMoreThan", ` +
		`"countNumber": 100000`
	untaggedWeek = `"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 7`
	lastTwo      = `"tagStatus": "tagged", "tagPatternList": ["*"], "countType": "imageCountMoreThan", "countNumber": 2`
)

func TestLifecycleRulesExpireWhatAWSExpires(t *testing.T) {
	t.Parallel()
	for sentence, c := range map[string]struct {
		policy string
		images []string // "digest tag tag…", pushed a day after each other, the last one just now
		want   []string
	}{
		"only the newest images are left": {rules(lastTwo), []string{"1 a", "2 b", "3 c", "4 d"}, []string{"3", "4"}},
		"as many as the count may stay":   {rules(lastTwo), []string{"1 a", "2 b"}, []string{"1", "2"}},
		"an image is one, however many tags it has": {rules(lastTwo), []string{"1 a b c", "2 d e f"},
			[]string{"1", "2"}},
		"images without a tag are not tagged": {rules(lastTwo), []string{"1", "2", "3 a", "4 b"},
			[]string{"1", "2", "3", "4"}},
		"an image that a rule of higher priority matches is not expired by a lower one": {rules(keepMany, lastTwo),
			[]string{"1 a keep-1", "2 b", "3 c", "4 d"}, []string{"1", "3", "4"}},
		"but it counts there": {rules(keepMany, lastTwo), []string{"1 a", "2 b", "3 c keep-3", "4 d keep-4"},
			[]string{"3", "4"}},
		"whichever of its tags it is that matches": {rules(keepMany, lastTwo),
			[]string{"1 keep-1 z", "2 keep-2", "3 c", "4 d"},
			[]string{"1", "2", "3", "4"}},
		"a tag that only holds the prefix does not match": {rules(keepMany, lastTwo), []string{"1 not-keep-1", "2 b", "3 c"},
			[]string{"2", "3"}},
		"the order of priorities decides, not that of the text": {`{"rules": [
			{"rulePriority": 9, "selection": {` + lastTwo + `}, "action": {"type": "expire"}},
			{"rulePriority": 2, "selection": {` + keepMany + `}, "action": {"type": "expire"}}]}`,
			[]string{"1 a keep-1", "2 b", "3 c", "4 d"}, []string{"1", "3", "4"}},
		"a rule of lower priority cannot protect": {rules(lastTwo, keepMany), []string{"1 keep-1", "2 b", "3 c"},
			[]string{"2", "3"}},
		"images without a tag go by their age": {rules(untaggedWeek),
			[]string{"1", "2 a", "3", "4", "5", "6", "7", "8", "9", "10"},
			[]string{"2", "3", "4", "5", "6", "7", "8", "9", "10"}},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			s := accounttest.New(t)
			s.Object(Repository, "shop", account.Object{"imageTagMutability": "MUTABLE"})
			for i, image := range c.images {
				if i > 0 {
					s.Clock = s.Clock.Add(24 * time.Hour)
				}
				digest, tags, _ := strings.Cut(image, " ")
				for _, tag := range strings.Split(tags, " ") {
					require.NoError(t, TagImage(s.Account, "shop", tag, digest, 1))
				}
			}
			require.NoError(t, PutLifecyclePolicy(s.Account, "shop", c.policy, account.Object{"repository": "shop",
				"policy": c.policy}))
			images, err := Images(s.Account)
			require.NoError(t, err)
			left, all := map[string]bool{}, []string{}
			for _, image := range images {
				if image.Repository == "shop" && !left[image.Digest] {
					left[image.Digest] = true
					all = append(all, image.Digest)
				}
			}
			require.ElementsMatch(t, c.want, all)
		})
	}
}

func TestLifecyclePoliciesThatTheSandboxDoesNotKnow(t *testing.T) {
	t.Parallel()
	const tagged, unknown = `"tagStatus": "tagged", "countType": "imageCountMoreThan", "countNumber": 1`, "does not know"
	for policy, says := range map[string]string{
		`{"rules": []}`:                          "the policy has no rules",
		`{"rules": [], "more": 1}`:               "unknown field",
		rules(tagged + `, "tagPrefixes": ["a"]`): `unknown field "tagPrefixes"`,
		`{`:                                      "EOF",
		strings.ReplaceAll(rules(lastTwo), `"countNumber": 2`, `"countNumber": "2"`):           "cannot unmarshal string",
		strings.ReplaceAll(rules(lastTwo, keepMany), `"rulePriority": 2`, `"rulePriority": 1`): "must be unique",
		strings.ReplaceAll(rules(lastTwo), `"rulePriority": 1`, `"rulePriority": 0`):           unknown,
		strings.ReplaceAll(rules(lastTwo), "expire", "archive"):                                unknown,
		strings.ReplaceAll(rules(lastTwo), `"countNumber": 2`, `"countNumber": 0`):             unknown,
		strings.ReplaceAll(rules(lastTwo), "imageCountMoreThan", "sinceImagePulled"):           unknown,
		rules(tagged): unknown,
		rules(tagged + `, "tagPrefixList": ["a"], "tagPatternList": ["*"]`):              unknown,
		rules(tagged + `, "tagPrefixList": ["a", "b"]`):                                  unknown,
		rules(tagged + `, "tagPrefixList": [""]`):                                        unknown,
		rules(tagged + `, "tagPatternList": ["a*"]`):                                     unknown,
		rules(lastTwo + `, "countUnit": "days"`):                                         unknown,
		rules(untaggedWeek + `, "tagPrefixList": []`):                                    unknown,
		rules(strings.ReplaceAll(untaggedWeek, `"days"`, `"weeks"`)):                     unknown,
		rules(`"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1`): unknown,
	} {
		_, err := ParseLifecyclePolicy(policy)
		require.True(t, account.IsCode(err, "InvalidParameterException"), policy)
		require.ErrorContains(t, err, "Lifecycle policy validation failure")
		require.ErrorContains(t, err, says)
	}
}

func TestAnImageThatAnIndexListsNeitherExpiresNorCanBeDeletedBefore(t *testing.T) {
	t.Parallel()
	s := accounttest.New(t)
	s.Object(Repository, "shop-dev/web", account.Object{"imageTagMutability": "IMMUTABLE"})
	require.NoError(t, PutImage(s.Account, "shop-dev/web", "one", "sha256:1", 1))
	put := func(tag, digest string, platforms ...string) error {
		return PutImage(s.Account, "shop-dev/web", tag, digest, 1, platforms...)
	}
	require.True(t, account.IsCode(put("index", "sha256:3", "sha256:2"), "ReferencedImagesNotFoundException"))
	require.NoError(t, put("", "sha256:2"))
	require.NoError(t, put("", "sha256:4"))
	require.NoError(t, put("index", "sha256:3", "sha256:2"))
	week := rules(untaggedWeek)
	require.NoError(t, PutLifecyclePolicy(s.Account, "shop-dev/web", week,
		account.Object{"repository": "shop-dev/web", "policy": week}))
	s.Clock = s.Clock.Add(30 * 24 * time.Hour)
	_, err := FindImage(s.Account, "shop-dev/web", "", "sha256:2")
	require.NoError(t, err)
	_, err = FindImage(s.Account, "shop-dev/web", "", "sha256:4")
	require.True(t, account.IsCode(err, "ImageNotFoundException"))
	_, err = DeleteImage(s.Account, "shop-dev/web", "", "sha256:3")
	require.NoError(t, err)
	_, err = FindImage(s.Account, "shop-dev/web", "", "sha256:2")
	require.True(t, account.IsCode(err, "ImageNotFoundException"), "nothing lists it any more")
}
