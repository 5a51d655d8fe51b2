package stage

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"slipway/internal/awslimits"
	"slipway/internal/pulumiconfig"
)

// CheckIn checks the stage again, now that its region and account are known: what the file alone does not say is not in
// another one. Its error is an Errors.
func (s *Stage) CheckIn(region, account string) error {
	if s.written == nil { // a stage that was not loaded from a file
		return nil
	}
	again := *s.written() // which has found no mistakes
	again.check(AWS{Region: region, AllowedAccountIDs: []string{account}})
	if len(again.mistakes) > 0 {
		return again.mistakes.sorted()
	}
	return nil
}

// foreignPartition says that an ARN is of another partition than the stage's, in which its account and all that is
// there does not exist; empty where it is not, or the stage's region is not known. Wildcards match it.
func (c *checker) foreignPartition(parsed arn.ARN) string {
	if c.aws.Region == "" {
		return ""
	}
	if own := awslimits.Partition(c.aws.Region); !awslimits.Match(parsed.Partition, own) {
		return fmt.Sprintf("is in the partition %s, and the stage runs in %s, which is in %s; write arn:%[3]s:…",
			parsed.Partition, c.aws.Region, own)
	}
	return ""
}

// foreignAccount says that an ARN is of another account than the stage's; empty where it is not, or the stage may be in
// any.
func (c *checker) foreignAccount(account string) string {
	if allowed := c.aws.AllowedAccountIDs; len(allowed) > 0 && !slices.Contains(allowed, account) {
		return fmt.Sprintf("is in account %s, and the stage may use %s (aws:allowedAccountIds); correct one of them", account,
			enumerate(allowed))
	}
	return ""
}

// foreign says that an ARN is of another partition, region or account than the stage's, where it must not be.
func (c *checker) foreign(parsed arn.ARN) string {
	mistake := c.foreignPartition(parsed)
	if mistake == "" && c.aws.Region != "" && parsed.Region != c.aws.Region {
		mistake = fmt.Sprintf("is in region %[1]s, and the stage runs in %[2]s (aws:region); name one in %[2]s",
			parsed.Region, c.aws.Region)
	}
	return cmp.Or(mistake, c.foreignAccount(parsed.AccountID))
}

// checkSecretPlace checks where a secret is kept. ECS reads those of other regions, and of other accounts that let it
// (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html).
func (c *checker) checkSecretPlace(name, text string) {
	if parsed, err := arn.Parse(text); err == nil && !c.isValue(name) {
		c.at("secrets", name).failIf(c.foreignPartition(parsed))
	}
}

// checkNamesByCase looks for services and tasks whose names differ in upper and lower case only: IAM takes their roles
// for the same.
func (c *checker) checkNamesByCase(kinds map[string][]string) {
	seen := map[string]string{}
	for _, kind := range []string{"services", "tasks"} {
		for _, name := range kinds[kind] {
			folded := strings.ToLower(name)
			// which is reported as a task of a service's name
			if other, is := seen[folded]; is && other != pulumiconfig.Path("services", name) {
				c.at(kind, name).fail("differs from %s in upper and lower case only, and IAM takes the names of their roles "+
					"for the same; use another name", other)
			}
			seen[folded] = pulumiconfig.Path(kind, name)
		}
	}
}
