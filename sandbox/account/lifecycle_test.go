package account

import (
	"fmt"
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
		"all prefixes of a list must be matched": {
			rules(`"tagStatus": "tagged", "tagPrefixList": ["a", "b"], "countType": "imageCountMoreThan", "countNumber": 1`),
			[]string{"1 a1", "2 b2", "3 a3 b3", "4 a4 b4"}, []string{"1", "2", "4"}},
		"all patterns of a list must be matched": {
			rules(`"tagStatus": "tagged", "tagPatternList": ["*-x", "b*"], "countType": "imageCountMoreThan", "countNumber": 1`),
			[]string{"1 a-x", "2 b", "3 b-x", "4 a-x b"}, []string{"1", "2", "4"}},
		"only the star is a wildcard": {rules(`"tagStatus": "tagged", "tagPatternList": ["v?.1*"], "countType": ` +
			`"imageCountMoreThan", "countNumber": 1`),
			[]string{"1 v1.1", "2 v2.1", "3 v3.12"}, []string{"1", "2", "3"}},
		"images without a tag go by their age": {rules(untaggedWeek),
			[]string{"1", "2 a", "3", "4", "5", "6", "7", "8", "9", "10"},
			[]string{"2", "3", "4", "5", "6", "7", "8", "9", "10"}},
		"any takes images with and without a tag": {rules(`"tagStatus": "any", "countType": "imageCountMoreThan", ` +
			`"countNumber": 1`),
			[]string{"1", "2 a", "3 b"}, []string{"3"}},
		"any leaves what an earlier rule matches": {rules(keepMany, untaggedWeek,
			`"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1`),
			[]string{"1", "2 keep-2", "3 b", "4 c"}, []string{"1", "2", "4"}},
		"tagged images go by their age, too": {
			rules(`"tagStatus": "tagged", "tagPrefixList": ["a"], "countType": "sinceImagePushed", "countUnit": "days", ` +
				`"countNumber": 1`),
			[]string{"1 a1", "2 b", "3 a3", "4 a4"}, []string{"2", "3", "4"}},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.object(Repository, "shop", Object{"imageTagMutability": "MUTABLE"})
			for i, image := range c.images {
				if i > 0 {
					s.clock = s.clock.Add(24 * time.Hour)
				}
				digest, tags, _ := strings.Cut(image, " ")
				for _, tag := range strings.Split(tags, " ") {
					require.NoError(t, s.TagImage("shop", tag, digest, 1))
				}
			}
			require.NoError(t, s.PutLifecyclePolicy("shop", c.policy, Object{"repository": "shop", "policy": c.policy}))
			images, err := s.Images()
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

func TestPoliciesThatECRRefuses(t *testing.T) {
	t.Parallel()
	const tagged = `"tagStatus": "tagged", "countType": "imageCountMoreThan", "countNumber": 1`
	for says, policy := range map[string]string{
		"the policy has no rules":     `{"rules": []}`,
		"unknown field":               `{"rules": [], "more": 1}`,
		`unknown field "tagPrefixes"`: rules(tagged + `, "tagPrefixes": ["a"]`),
		"EOF":                         `{`,
		"text after the policy":       rules(lastTwo) + "{}",
		"only one of tagPrefixList and tagPatternList": rules(tagged + `, "tagPrefixList": ["a"], "tagPatternList": ["b"]`),
		"Must specify tagPrefixList or tagPatternList": rules(tagged),
		"are only for tagStatus=TAGGED":                rules(untaggedWeek + `, "tagPrefixList": []`),
		"ANY must have the lowest priority": rules(`"tagStatus": "any", "countType": "imageCountMoreThan", `+
			`"countNumber": 1`, lastTwo),
		"Only one rule can select Untagged": rules(untaggedWeek, untaggedWeek),
		"unique sets":                       rules(lastTwo, lastTwo),
		"priorities must be unique": strings.ReplaceAll(rules(lastTwo, keepMany), `"rulePriority": 2`,
			`"rulePriority": 1`),
		"rulePriority must be at least 1": strings.ReplaceAll(rules(lastTwo), `"rulePriority": 1`,
			`"rulePriority": 0`),
		"countNumber must be at least 1": rules(`"tagStatus": "any", "countType": "imageCountMoreThan", ` +
			`"countNumber": 0`),
		"countType must be": rules(`"tagStatus": "any", "countType": "sinceImagePulled", ` +
			`"countNumber": 1`),
		"countUnit must be days": rules(`"tagStatus": "any", "countType": "sinceImagePushed", ` +
			`"countNumber": 1`),
		"countUnit is only for": rules(`"tagStatus": "any", "countType": "imageCountMoreThan", ` +
			`"countUnit": "days", "countNumber": 1`),
		"tagStatus must be": rules(`"tagStatus": "all", "countType": "imageCountMoreThan", ` +
			`"countNumber": 1`),
		"four wildcards":               rules(tagged + `, "tagPatternList": ["a*b*c*d*e*"]`),
		"a prefix or pattern is empty": rules(tagged + `, "tagPrefixList": [""]`),
		"action.type must be expire":   strings.ReplaceAll(rules(lastTwo), "expire", "archive"),
		"cannot unmarshal string into Go struct field ": strings.ReplaceAll(rules(lastTwo), `"countNumber": 2`,
			`"countNumber": "2"`),
	} {
		_, err := ParseLifecyclePolicy(policy)
		require.True(t, IsCode(err, "InvalidParameterException"), policy)
		require.ErrorContains(t, err, "Lifecycle policy validation failure")
		require.ErrorContains(t, err, says)
	}
}

func TestAnotherTagDoesNotMakeAnImageYounger(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	first := s.clock
	s.clock = s.clock.Add(time.Hour)
	require.NoError(t, s.TagImage("shop-dev/web", "two", "sha256:2", 1))
	s.clock = s.clock.Add(time.Hour)
	one, err := s.Image("shop-dev/web", "one", "")
	require.NoError(t, err)
	require.NoError(t, s.TagImage("shop-dev/web", "keep-one", one.Digest, 1))
	again, err := s.Image("shop-dev/web", "keep-one", "")
	require.NoError(t, err)
	require.True(t, again.PushedAt.Equal(first), "%s", again.PushedAt)
	require.True(t, IsCode(s.TagImage("shop-dev/web", "keep-one", one.Digest, 1), "ImageAlreadyExistsException"))
	require.True(t, IsCode(s.TagImage("shop-dev/web", "keep-one", "sha256:2", 1), "ImageTagAlreadyExistsException"))
	require.NoError(t, s.PutLifecyclePolicy("shop-dev/web",
		rules(`"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1`), Object{
			"repository": "shop-dev/web",
			"policy":     rules(`"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1`)}))
	images, err := s.Images()
	require.NoError(t, err)
	require.Len(t, images, 1, "both tags are gone with the older image")
	require.Equal(t, "two", images[0].Tag)
}

func TestTheClockFaultPutsTheAccountsClockForward(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	require.ErrorContains(t, s.SetFaults(map[string]string{Clock: "tomorrow"}), "clock=tomorrow")
	require.ErrorContains(t, s.SetFaults(map[string]string{Clock: "0s"}), "clock=0s")
	require.NoError(t, s.SetFaults(map[string]string{Clock: "-48h"}))
	require.NoError(t, s.SetFaults(map[string]string{Clock: "48h"}))
	require.NoError(t, s.TagImage("shop-dev/web", "two", "sha256:2", 1))
	two, err := s.Image("shop-dev/web", "two", "")
	require.NoError(t, err)
	require.True(t, two.PushedAt.Equal(s.clock.Add(48*time.Hour)), "%s", two.PushedAt)
}
