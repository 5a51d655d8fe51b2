package stage

import (
	"fmt"
	"slices"
	"strings"

	"slipway/internal/imageref"
)

// Ref is an image in ECR, pinned by tag and digest.
type Ref = imageref.Ref

const pinnedForm = "<account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>@sha256:<64 hexadecimal digits>"

// parseRef reads a pinned reference. Its error is a sentence for the user.
func parseRef(text string) (*Ref, error) {
	ref, err := imageref.Parse(text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("is not a reference to an image (%w); write %s", err, pinnedForm)
	case ref.Account == "":
		return nil, fmt.Errorf("is in the registry %s, and only images in ECR are run: their tags cannot move "+
			"and access needs no other password; build it, or copy it to ECR and write %s", ref.Host, pinnedForm)
	case ref.Digest == "":
		return nil, fmt.Errorf("has no digest, so what it runs could change; write %s", pinnedForm)
	case !strings.HasPrefix(ref.Digest, "sha256:"):
		return nil, fmt.Errorf("has a digest that is not a sha256; write %s", pinnedForm)
	case ref.Tag == "":
		return nil, fmt.Errorf("has no tag, which tells people what it is; write %s", pinnedForm)
	}
	return &ref, nil
}

// checkRef checks a pinned reference against the region and accounts that the stage may use.
func (c *checker) checkRef(name, text string, aws AWS) {
	path := c.at("images", name, "ref")
	ref, err := parseRef(text)
	if err != nil {
		path.fail("%s", err)
		return
	}
	if aws.Region != "" && ref.Region != aws.Region {
		path.fail("is in region %s, and the stage runs in %s (aws:region); promote the image to this region first",
			ref.Region, aws.Region)
	}
	if len(aws.AllowedAccountIDs) > 0 && !slices.Contains(aws.AllowedAccountIDs, ref.Account) {
		path.fail("is in account %s, and the stage may use %s (aws:allowedAccountIds); correct one of them",
			ref.Account, enumerate(aws.AllowedAccountIDs))
	}
	if own := c.names().RepositoryName(name); c.at("images", name, "build").present && ref.Repository != own {
		path.fail("names an image of the repository %s, and beside build it goes back to one that was built here; "+
			"pin one of %s, or remove build to run an image of another stage", ref.Repository, own)
	}
}

// isOwn tells whether a reference names an image of the repository that the stage itself builds the image for.
func (c *checker) isOwn(name string, written *node) bool {
	text, _ := written.scalar.(string)
	ref, err := parseRef(text)
	return err == nil && ref.Repository == c.names().RepositoryName(name)
}
