package stage

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

var (
	tagText = regexp.MustCompile(`^[\pL\pN +\-=._:/@]*$`)
	// ownTags are those that slipway sets itself.
	ownTags = []string{"project", "stage", "service", "task", "image"}
)

const (
	keptTags        = 4  // for slipway's own, of which a resource has three
	mostTags        = 50 // https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html
	longestTagKey   = 128
	longestTagValue = 256
)

func (c *checker) checkTags(tags map[string]string) {
	if most := mostTags - keptTags; len(tags) > most {
		c.fail(at("tags"), "has %d tags; AWS takes %d, of which %d are left beside those of slipway", len(tags), mostTags, most)
	}
	folded := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		path, value := at("tags", key), tags[key]
		if other, is := folded[strings.ToLower(key)]; is {
			c.fail(path, "differs from the tag %s in upper and lower case only, and IAM takes them for the same; remove one of them", other)
		}
		folded[strings.ToLower(key)] = key
		switch {
		case slices.Contains(ownTags, strings.ToLower(key)): // IAM takes Stage and stage for the same
			c.fail(path, "is a tag that slipway sets itself; use another key")
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			c.fail(path, "begins with aws:, which AWS keeps for itself; use another key")
		case key == "" || len([]rune(key)) > longestTagKey || !tagText.MatchString(key):
			c.fail(path, "cannot be the key of a tag; use 1 to %d letters, digits, spaces and + - = . _ : / @", longestTagKey)
		case len([]rune(value)) > longestTagValue || !tagText.MatchString(value):
			c.fail(path, "is %q; use up to %d letters, digits, spaces and + - = . _ : / @", shorten(value), longestTagValue)
		}
	}
}

// AllTags are the stage's own tags and the team's, for what belongs to the whole stage.
func (s *Stage) AllTags() map[string]string {
	tags := map[string]string{"project": s.Project, "stage": s.Name}
	maps.Copy(tags, s.Tags)
	return tags
}

// TagsOf are AllTags and the name of a service or a task, as the tag service or task.
func (s *Stage) TagsOf(name string) map[string]string { return s.tagged(s.kind(name), name) }

// ImageTags are AllTags and the image's name.
func (s *Stage) ImageTags(image string) map[string]string { return s.tagged("image", image) }

func (s *Stage) tagged(key, value string) map[string]string {
	tags := s.AllTags()
	tags[key] = value
	return tags
}
