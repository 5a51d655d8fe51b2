// Package imageref reads and writes references to images, and the tags of those that slipway builds.
package imageref

import (
	_ "crypto/sha256" // a digest is refused where its algorithm is not linked
	"regexp"
	"strings"

	"github.com/distribution/reference"
)

// Ref is an image in a registry.
type Ref struct {
	// Host of the registry.
	Host string `json:"-"`
	// Account is the 12-digit AWS account that holds the image; empty where it is not in ECR.
	Account string `json:"-"`
	// Region is the AWS region that holds the image; empty where it is not in ECR.
	Region string `json:"-"`
	// Repository is the repository's name, without the registry.
	Repository string `json:"-"`
	// Tag names the image for people, and decides what runs where there is no digest.
	Tag string `json:"tag,omitempty"`
	// Digest is "sha256:" and 64 hexadecimal digits.
	Digest string `json:"digest,omitempty"`
}

// ecrHost is what a registry of ECR is called.
var ecrHost = regexp.MustCompile(`^([0-9]{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$`)

// ecrPublic is the host of Amazon ECR Public, of which no account is the owner.
const ecrPublic = "public.ecr.aws"

// IsECR tells the hosts of ECR, private or public, to which passwords are given for hours only.
func IsECR(host string) bool { return host == ecrPublic || ecrHost.MatchString(host) }

// CanonicalHost is what Ref.Host calls a registry, in lower case: docker.io is Docker Hub, which has other names, too.
// False where a text is no host, with a port or without one.
func CanonicalHost(host string) (string, bool) {
	host = strings.ToLower(host)
	if host == "registry-1.docker.io" || host == "hub.docker.com" { // where its API is, and its website
		host = "docker.io"
	}
	const repository = "team/name"
	ref, err := Parse(host + "/" + repository)
	return ref.Host, err == nil && ref.Repository == repository
}

// ECRHost is the host of an account's registry in a region.
func ECRHost(account, region string) string {
	host := account + ".dkr.ecr." + region + ".amazonaws.com"
	if strings.HasPrefix(region, "cn-") {
		host += ".cn"
	}
	return host
}

// Parse reads a reference as Docker does: nginx is docker.io/library/nginx. What it does not say of tag and digest is
// empty.
func Parse(text string) (Ref, error) {
	named, err := reference.ParseNormalizedNamed(text)
	if err != nil {
		return Ref{}, err
	}
	ref := Ref{Host: strings.ToLower(reference.Domain(named)), Repository: reference.Path(named)}
	if match := ecrHost.FindStringSubmatch(ref.Host); match != nil {
		ref.Account, ref.Region = match[1], match[2]
	}
	if tagged, is := named.(reference.Tagged); is {
		ref.Tag = tagged.Tag()
	}
	if digested, is := named.(reference.Digested); is {
		ref.Digest = digested.Digest().String()
	}
	return ref, nil
}

// ParseECR reads a reference as ECS does; false where it names an image that is not in ECR. One with neither tag nor
// digest is that of the tag latest.
func ParseECR(text string) (ref Ref, inECR bool) {
	ref, err := Parse(text)
	if err != nil || ref.Account == "" {
		return Ref{}, false
	}
	if ref.Tag == "" && ref.Digest == "" {
		ref.Tag = "latest"
	}
	return ref, true
}

// ParseECRIn is ParseECR for the images of one account and region; false where the image is elsewhere.
func ParseECRIn(account, region, text string) (Ref, bool) {
	ref, inECR := ParseECR(text)
	if !inECR || !ref.In(account, region) {
		return Ref{}, false
	}
	return ref, true
}

// In tells whether the image is in the ECR of an account in a region.
func (r Ref) In(account, region string) bool { return r.Account == account && r.Region == region }

// String is the reference in full: host/repository:tag@digest.
func (r Ref) String() string {
	text := r.Host + "/" + r.Repository
	if r.Tag != "" {
		text += ":" + r.Tag
	}
	if r.Digest != "" {
		text += "@" + r.Digest
	}
	return text
}

// Pinned is the reference by digest alone, as ECS takes it: host/repository@digest.
func (r Ref) Pinned() string {
	r.Tag = ""
	return r.String()
}
