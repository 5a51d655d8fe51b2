package stage

import "maps"

// merge lays a stage's value over the one in the defaults: objects key by key, all else as a whole. Each value
// keeps its own place; an object that both have is where the stage wrote it.
func merge(defaults, stage *node) *node {
	switch {
	case stage == nil:
		return defaults
	case defaults == nil || defaults.object == nil || stage.object == nil:
		return stage
	}
	merged := *stage
	merged.object = maps.Clone(defaults.object)
	for key, value := range stage.object {
		merged.object[key] = merge(defaults.object[key], value)
	}
	return &merged
}

// replaceImages lets a stage pin an image that the defaults build, and build one that they pin: the stage's
// way replaces the other one, where merging would leave both. A ref to the stage's own repository replaces no build:
// it goes back to an image that was built here, and without the build the repository would be deleted.
func (c *checker) replaceImages(defaults, stage *node) {
	if defaults == nil || stage == nil {
		return
	}
	for name, image := range stage.object {
		inherited := defaults.object[name]
		if inherited == nil {
			continue
		}
		build, ref := image.object["build"], image.object["ref"]
		if build != nil {
			delete(inherited.object, "ref")
			delete(inherited.object, "platform")
			delete(inherited.object, "mirror")
		} else if ref != nil && !c.isOwn(name, ref) {
			delete(inherited.object, "build")
		}
	}
}
