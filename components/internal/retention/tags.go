package retention

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// keepPrefix begins the tags that protect an image: LifecyclePolicy has a rule for them that expires nothing.
const keepPrefix = "keep-"

// keptRevisions are the newest of some revisions, and those that are needed besides, newest first.
func keptRevisions(revisions []int, newest int, needed []int) []int {
	kept := slices.Clone(revisions)
	slices.SortFunc(kept, func(a, b int) int { return b - a })
	kept = slices.Compact(kept)
	kept = append(kept[:min(newest, len(kept))], needed...)
	slices.SortFunc(kept, func(a, b int) int { return b - a })
	return slices.Compact(kept)
}

// revisionTag protects the image of a revision, or the main container's where it has several.
func revisionTag(family string, revision int) string {
	return fmt.Sprintf("%s%s-%d", keepPrefix, family, revision)
}

// secondaryTag protects another image of a revision. It ends like no revision's tag, and holds no dot, as those of pins
// do.
func secondaryTag(revisionTag, digest string) string {
	return fmt.Sprintf("%s-%.12s-also", revisionTag, strings.TrimPrefix(digest, "sha256:"))
}

func isSecondaryTag(tag, revisionTag string) bool {
	match := revisionTagPattern.FindStringSubmatch(tag)
	return match != nil && match[1] == revisionTag && tag != revisionTag
}

// longestTag is how long a tag may be (https://github.com/opencontainers/distribution-spec/blob/main/spec.md).
const longestTag = 128

// pinTag protects an image that a stage pins. No service's name holds a dot, so it is no revision's tag. The image's
// own name is shortened where the tag would be too long, and a slash cannot be in a tag; the digest tells images apart.
func pinTag(cluster, image, digest string) string {
	begin := keepPrefix + cluster + "."
	end := fmt.Sprintf(".%.12s", strings.TrimPrefix(digest, "sha256:"))
	image = strings.ReplaceAll(image, "/", ".")
	return begin + image[:max(0, min(len(image), longestTag-len(begin)-len(end)))] + end
}

// revisionTagPattern is that of the tags of a revision, and has the first one, and its family.
var revisionTagPattern = regexp.MustCompile(`^(` + keepPrefix + `(.+)-\d+)(?:-[0-9a-f]{12}-also)?$`)

// staleTags are the tags of a repository that a stage has put and that are not wanted, in order. An image's last tag
// stays: to remove it is to delete the image.
func staleTags(tags map[string]string, families map[string]bool, cluster string, wanted map[string]bool) []string {
	left := map[string]int{} // tags by digest
	for _, digest := range tags {
		left[digest]++
	}
	var stale []string
	for _, tag := range slices.Sorted(maps.Keys(tags)) {
		match := revisionTagPattern.FindStringSubmatch(tag)
		own, wants := strings.HasPrefix(tag, keepPrefix+cluster+"."), wanted[tag]
		if match != nil && families[match[2]] {
			own, wants = true, wanted[match[1]]
		}
		if own && !wants && left[tags[tag]] > 1 {
			left[tags[tag]]--
			stale = append(stale, tag)
		}
	}
	return stale
}
