package rollback

import (
	"fmt"
	"maps"
	"slices"

	"slipway/cmd/slipway/internal/flatconfig"
	"slipway/cmd/slipway/internal/timeline"
)

// noteOutside says which values do not come back with the stage file, as that does not have them; and of a pinned
// revision, which has them, that they are not those of today.
func (r *Plan) noteOutside() {
	for part, service := range r.parts() {
		if service.Now == nil {
			continue
		}
		then, now := timeline.Outside(service.Then.InECS), timeline.Outside(service.Now.InECS)
		for _, path := range slices.Sorted(maps.Keys(then)) {
			value := then[path]
			if now[path] == value {
				continue
			}
			key := part.String() + ": " + path
			if r.pinned || service.Then.Pinned {
				r.note("%s is from the %s, and %s", key, value.Origin, r.asPinned(service, value, now[path]))
			} else {
				r.note("%s is from the %s, and does not come back with the stage file: %s", key, value.Origin,
					r.asRestored(value, now[path]))
			}
		}
	}
}

func (r *Plan) asRestored(then, now flatconfig.Setting) string {
	switch {
	case then.Secret:
		return "it is a secret, and the next update takes what is there now"
	case now.Text == "":
		return fmt.Sprintf("it was %s in update %d, and the next update takes what is there now", then, r.To)
	}
	return fmt.Sprintf("it was %s in update %d, and is %s since", then, r.To, now)
}

func (r *Plan) asPinned(service Service, then, now flatconfig.Setting) string {
	switch {
	case then.Secret:
		return fmt.Sprintf("revision %d has the version of then", service.Then.Revision)
	case now.Text == "":
		return fmt.Sprintf("revision %d has it as it was then: %s", service.Then.Revision, then)
	}
	return fmt.Sprintf("revision %d has it as it was then: %s, where it is %s since", service.Then.Revision, then, now)
}
