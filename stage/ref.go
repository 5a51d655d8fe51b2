package stage

import (
	_ "crypto/sha256" // the digests of image references
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/distribution/reference"
)

const pinnedForm = "<account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>@sha256:<64 hexadecimal digits>"

// registryHost is what a registry of ECR is called.
var registryHost = regexp.MustCompile(`^([0-9]{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$`)

// parseRef reads a pinned reference. Its error is a sentence for the user.
func parseRef(text string) (*Ref, error) {
	named, err := reference.ParseNormalizedNamed(text)
	if err != nil {
		return nil, fmt.Errorf("is not a reference to an image (%w); write %s", err, pinnedForm)
	}
	host := reference.Domain(named)
	account, region, inECR := ParseRegistry(host)
	if !inECR {
		return nil, fmt.Errorf("is in the registry %s, and only images in ECR are run: their tags cannot move "+
			"and access needs no other password; build it, or copy it to ECR and write %s", host, pinnedForm)
	}
	tagged, hasTag := named.(reference.Tagged)
	digested, hasDigest := named.(reference.Digested)
	switch {
	case !hasDigest:
		return nil, fmt.Errorf("has no digest, so what it runs could change; write %s", pinnedForm)
	case !strings.HasPrefix(digested.Digest().String(), "sha256:"):
		return nil, fmt.Errorf("has a digest that is not a sha256; write %s", pinnedForm)
	case !hasTag:
		return nil, fmt.Errorf("has no tag, which tells people what it is; write %s", pinnedForm)
	}
	return &Ref{
		Raw:        text,
		Account:    account,
		Region:     region,
		Repository: reference.Path(named),
		Tag:        tagged.Tag(),
		Digest:     digested.Digest().String(),
	}, nil
}

// ParseRegistry reads the account and the region from the host of an ECR registry; false for any other host.
func ParseRegistry(host string) (account, region string, inECR bool) {
	match := registryHost.FindStringSubmatch(host)
	if match == nil {
		return "", "", false
	}
	return match[1], match[2], true
}

// ECRImage is an image in ECR as a container names it: by a tag, a digest ("sha256:…"), or both.
type ECRImage struct{ Account, Region, Repository, Tag, Digest string }

// ParseECR reads a reference to an image; false where it names one that is not in ECR. One with neither tag nor digest
// is that of the tag latest.
func ParseECR(text string) (image ECRImage, inECR bool) {
	named, err := reference.ParseNormalizedNamed(text)
	if err != nil {
		return image, false
	}
	if image.Account, image.Region, inECR = ParseRegistry(reference.Domain(named)); !inECR {
		return image, false
	}
	image.Repository = reference.Path(named)
	if tagged, ok := reference.TagNameOnly(named).(reference.Tagged); ok {
		image.Tag = tagged.Tag()
	}
	if digested, ok := named.(reference.Digested); ok {
		image.Digest = digested.Digest().String()
	}
	return image, true
}

// ParseECRIn reads a reference to an image in the ECR of an account and region; false where the image is elsewhere.
func ParseECRIn(account, region, text string) (ECRImage, bool) {
	image, inECR := ParseECR(text)
	if !inECR || image.Account != account || image.Region != region {
		return ECRImage{}, false
	}
	return image, true
}

// Registry is the host of the ECR registry that holds the image.
func (r Ref) Registry() string {
	host, _, _ := strings.Cut(r.Raw, "/")
	return host
}

// Pinned is the reference by digest alone, as ECS takes it: registry/repository@sha256:digest.
func (r Ref) Pinned() string { return r.Registry() + "/" + r.Repository + "@" + r.Digest }

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

// buildTag is what the program names an image that it builds: UTC time, commit and the start of the hash of what was
// built.
var buildTag = regexp.MustCompile(`^\d{8}-\d{6}-(nogit|[0-9a-f]{7}(?:-dirty)?)-[0-9a-f]{8}$`)

// IsBuildTag tells the tag that an image was built under from any other that it has.
func IsBuildTag(tag string) bool { return buildTag.MatchString(tag) }

// CommitOf reads the commit, with -dirty where files differed from it, from the tag of a build; any other has none.
func CommitOf(tag string) string {
	match := buildTag.FindStringSubmatch(tag)
	if match == nil || match[1] == "nogit" {
		return ""
	}
	return match[1]
}
