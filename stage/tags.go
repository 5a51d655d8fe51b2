package stage

import (
	"maps"
	"slices"
	"strings"

	"slipway/awslimits"
)

// ownTags are those that slipway sets itself.
var ownTags = []string{"project", "stage", "service", "task", "image"}

const keptTags = 4 // for slipway's own, of which a resource has three

func (c *checker) checkTags(tags map[string]string) {
	if most := awslimits.Tags - keptTags; len(tags) > most {
		c.fail(at("tags"), "has %d tags; AWS takes %d, of which %d are left beside those of slipway", len(tags), awslimits.Tags, most)
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
		case strings.HasPrefix(strings.ToLower(key), awslimits.NotTag):
			c.fail(path, "begins with aws:, which AWS keeps for itself; use another key")
		case key == "" || len([]rune(key)) > awslimits.TagKey || !awslimits.TagText.MatchString(key):
			c.fail(path, "cannot be the key of a tag; use 1 to %d letters, digits, spaces and + - = . _ : / @", awslimits.TagKey)
		case len([]rune(value)) > awslimits.TagValue || !awslimits.TagText.MatchString(value):
			c.fail(path, "is %q; use up to %d letters, digits, spaces and + - = . _ : / @", shorten(value), awslimits.TagValue)
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
