package stage

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"slipway/internal/awslimits"
	"slipway/internal/pulumiconfig"
)

// ownTags are those that slipway sets itself.
var ownTags = []string{"project", "stage", "service", "task", "image", CapacityTag}

// CapacityTag is the tag of a service that says what its tasks are to run on.
//
// Example: the service has the tag slipway:capacity where it has capacity
const CapacityTag = "slipway:capacity"

// InstancesAttribute is the attribute of a container instance that says of which group it is.
//
// Example: an instance of the group general has slipway.instances == general
const InstancesAttribute = "slipway.instances"

const keptTags = 4 // for slipway's own, of which a service has four

// checkTags checks the stage's own tags, and those that the AWS provider adds to every resource.
func (c *checker) checkTags(tags map[string]string) {
	added := c.defaultTags()
	all := maps.Clone(added)
	maps.Copy(all, tags)
	if most := awslimits.Tags - keptTags; len(tags) > most {
		c.at("tags").fail("has %d tags; AWS takes %d, of which %d are left beside those of slipway", len(tags),
			awslimits.Tags, most)
	} else if len(all) > most {
		c.keyPlace(defaultTagsKey).fail("has %d tags together with tags; AWS takes %d, of which %d are left "+
			"beside those of slipway", len(all), awslimits.Tags, most)
	}
	folded := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		value, own := tags[key]
		where := c.at("tags", key)
		if !own {
			value, where = added[key], c.keyPlace(defaultTagsKey)
			where.path = pulumiconfig.Below(where.path+".tags", key)
		}
		checkTag(where, key, value, own, folded)
		folded[strings.ToLower(key)] = key
	}
}

const defaultTagsKey = "aws:defaultTags"

// defaultTags are those that the AWS provider adds. What of them cannot be read, the provider says.
func (c *checker) defaultTags() map[string]string {
	var added struct {
		Tags map[string]string `json:"tags"`
	}
	if slices.Contains(c.in.SecretKeys, defaultTagsKey) || // which no message may show
		json.Unmarshal([]byte(c.in.Config[defaultTagsKey]), &added) != nil || added.Tags == nil {
		return map[string]string{}
	}
	return added.Tags
}

// keyPlace is where a key stands that is not the project's.
func (c *checker) keyPlace(fullKey string) place {
	file, _ := c.findKey(fullKey)
	return place{in: c, path: fullKey, file: file, present: true}
}

// checkTag checks a tag of the stage's own or of the provider's. folded has those before it by their keys in lower
// case.
func checkTag(where place, key, value string, own bool, folded map[string]string) {
	const characters = "letters, digits, spaces and + - = . _ : / @"
	lower := strings.ToLower(key)
	if other, is := folded[lower]; is {
		where.fail("differs from the tag %s in upper and lower case only, and IAM takes them for the same; remove "+
			"one of them", other)
	}
	switch {
	case slices.Contains(ownTags, lower) && (own || key != lower): // IAM takes Stage and stage for the same
		where.fail("is a tag that slipway sets itself; use another key")
	case strings.HasPrefix(lower, awslimits.NotTag):
		where.fail("begins with aws:, which AWS keeps for itself; use another key")
	case key == "" || len([]rune(key)) > awslimits.TagKey || !awslimits.TagText.MatchString(key):
		where.fail("cannot be the key of a tag; use 1 to %d %s", awslimits.TagKey, characters)
	case strings.HasPrefix(strings.ToLower(value), awslimits.NotTag):
		where.fail("is %q, which begins with aws:, and AWS keeps that for itself; use another value", shorten(value))
	case len([]rune(value)) > awslimits.TagValue || !awslimits.TagText.MatchString(value):
		where.fail("is %q; use up to %d %s", shorten(value), awslimits.TagValue, characters)
	}
}

// AllTags are the stage's own tags and the team's, for what belongs to the whole stage.
//
// Example: AllTags() is {project: shop, stage: dev, team: shop} where the stage file has tags: {team: shop}
func (s *Stage) AllTags() map[string]string {
	tags := map[string]string{"project": s.Project, "stage": s.Name}
	maps.Copy(tags, s.Tags)
	return tags
}

// TagsOf are AllTags and the name of a service or a task, as the tag service or task.
//
// Example: TagsOf("web") is {project: shop, stage: dev, service: web}
func (s *Stage) TagsOf(name string) map[string]string { return s.tagged(s.kind(name), name) }

// ImageTags are AllTags and the image's name.
//
// Example: ImageTags("web") is {project: shop, stage: dev, image: web}
func (s *Stage) ImageTags(image string) map[string]string { return s.tagged("image", image) }

func (s *Stage) tagged(key, value string) map[string]string {
	tags := s.AllTags()
	tags[key] = value
	return tags
}
