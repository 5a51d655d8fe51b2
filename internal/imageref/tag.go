package imageref

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"time"
)

const (
	noCommit   = "nogit"
	dirty      = "-dirty"
	timeOfTag  = "20060102-150405"
	commitPart = `(` + noCommit + `|[0-9a-f]{7}(?:` + dirty + `)?)`
)

// TagLabel is the Docker label with which a container that runs an image by its digest tells the image's tag.
const TagLabel = "slipway.tag"

// buildTag is the pattern of BuildTag.
var buildTag = regexp.MustCompile(`^\d{8}-\d{6}-` + commitPart + `-[0-9a-f]{8}$`)

// BuildTag names an image that is built, so that ECR's list reads as a deployment history: time, commit (seven digits;
// empty without git), whether files differed from it, and the start of the hash of what was built, which keeps two
// builds within one second apart.
func BuildTag(built time.Time, commit string, differs bool, hash string) string {
	if commit != "" && differs {
		commit += dirty
	}
	return fmt.Sprintf("%s-%s-%.8s", built.UTC().Format(timeOfTag), cmp.Or(commit, noCommit), hash)
}

// IsBuildTag tells the tag that an image was built under from any other that it has.
func IsBuildTag(tag string) bool { return buildTag.MatchString(tag) }

// CommitOf reads the commit, with -dirty where files differed from it, from the tag of a build; any other has none.
func CommitOf(tag string) string {
	match := buildTag.FindStringSubmatch(tag)
	if match == nil || match[1] == noCommit {
		return ""
	}
	return match[1]
}

// IsDirty tells whether a tag says that files differed from the commit.
func IsDirty(tag string) bool { return strings.Contains(tag+"-", dirty+"-") }
