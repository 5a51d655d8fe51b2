package stage

import (
	"fmt"
	"slices"
	"strings"

	"slipway/internal/awslimits"
	"slipway/internal/imageref"
)

// Ref is an image in a registry, pinned by tag and digest.
//
// Example: preflight.Stage.Images["web"].Ref.Pinned() is ghcr.io/shop/web@sha256:…
type Ref = imageref.Ref

const pinnedForm = "<registry>/<repository>:<tag>@sha256:<64 hexadecimal digits>"

// parseRef reads a pinned reference. Its error is a sentence for the user of a stage.
func parseRef(text, stage string) (*Ref, error) {
	ref, err := imageref.Parse(text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("is not a reference to an image (%w); write %s", err, pinnedForm)
	case ref.Tag == "":
		return nil, fmt.Errorf("has no tag, which tells people what it is; write %s", pinnedForm)
	}
	return &ref, unpinned(ref, stage)
}

// unpinned says what to do about a reference whose image could change; nil where it has a digest.
func unpinned(ref Ref, stage string) error {
	switch {
	case ref.Digest == "":
		return fmt.Errorf("has no digest, so what it runs could change; `slipway pin %s` looks it up and writes it", stage)
	case !strings.HasPrefix(ref.Digest, "sha256:"):
		return fmt.Errorf("has a digest that is not a sha256; write %s", pinnedForm)
	}
	return nil
}

// checkRef checks a pinned reference against the region and accounts that the stage may use.
func (c *checker) checkRef(name, text string, aws AWS) {
	path := c.at("images", name, "ref")
	ref, err := parseRef(text, c.in.Stage)
	if err != nil {
		path.fail("%s", err)
		return
	}
	path.failIf(c.unreachable(*ref))
	if c.at("images", name, "build").present {
		c.checkEarlier(path, *ref, c.names().RepositoryName(name), aws)
	}
}

// unreachable says that an image is in a part of AWS of which the stage's account knows nothing; empty where it may be
// read.
func (c *checker) unreachable(ref Ref) string {
	if c.aws.Region == "" || ref.Region == "" {
		return ""
	}
	if own, its := awslimits.Partition(c.aws.Region), awslimits.Partition(ref.Region); own != its {
		return fmt.Sprintf("is in the partition %s of AWS, and the stage runs in %s, which is in %s, where it cannot be "+
			"read; name one in a registry that the stage reaches", its, c.aws.Region, own)
	}
	return ""
}

// checkEarlier checks the reference beside a build: it goes back to an image in the repository that the stage builds
// into, and no other.
func (c *checker) checkEarlier(path place, ref Ref, repository string, aws AWS) {
	switch {
	case ref.Account == "" || ref.Repository != repository:
		path.fail("names an image of the repository %s, and beside build it goes back to one that was built here; "+
			"pin one of %s, or remove build to run an image of another stage", familiar(ref), repository)
	case aws.Region != "" && ref.Region != aws.Region:
		path.fail("is in region %s, and the stage builds in %s (aws:region); correct one of them, or remove build",
			ref.Region, aws.Region)
	case len(aws.AllowedAccountIDs) > 0 && !slices.Contains(aws.AllowedAccountIDs, ref.Account):
		path.fail("is in account %s, and the stage may use %s (aws:allowedAccountIds); correct one of them, or remove build",
			ref.Account, enumerate(aws.AllowedAccountIDs))
	}
}

// familiar is the repository of an image, with its registry unless that is ECR.
func familiar(ref Ref) string {
	if ref.Account != "" {
		return ref.Repository
	}
	return ref.Host + "/" + ref.Repository
}

// isOwn tells whether a reference names an image of the repository that the stage itself builds the image for.
func (c *checker) isOwn(name string, written *node) bool {
	text, _ := written.scalar.(string)
	ref, err := imageref.Parse(text)
	return err == nil && ref.Account != "" && ref.Repository == c.names().RepositoryName(name)
}
