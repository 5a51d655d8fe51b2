package timeline

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/flatconfig"
	"slipway/internal/origins"
	"slipway/internal/pulumiconfig"
	"slipway/internal/secretref"
)

// Values that the stage file does not have (of other stacks, or handed over by the program) are in the revisions, and
// their origins in docker labels.

// Outside are the variables of a revision's containers whose values the stage file does not have, by container and
// variable: "web.DATABASE_HOST". Secret ones have what their container definition refers to.
func Outside(r *awsreader.Revision) flatconfig.Config {
	found := flatconfig.Config{}
	if r == nil {
		return found
	}
	for _, container := range r.Definition.ContainerDefinitions {
		origins, _ := origins.In(container.DockerLabels)
		values := map[string]flatconfig.Setting{}
		for _, variable := range container.Environment {
			values[aws.ToString(variable.Name)] = flatconfig.Setting{Text: aws.ToString(variable.Value)}
		}
		for _, secret := range container.Secrets {
			values[aws.ToString(secret.Name)] = flatconfig.Setting{Text: aws.ToString(secret.ValueFrom), Secret: true}
		}
		for variable, origin := range origins {
			if value, is := values[variable]; is {
				value.Origin = origin
				found[pulumiconfig.Path(aws.ToString(container.Name), variable)] = value
			}
		}
	}
	return found
}

// outsideChanges are the values from outside that differ between what two updates put in place for a service or a
// task, where both have them from the same place, so that no change of the stage file is the reason, and those that a
// hand-over gives to one of them alone. ownSecrets says that values of the stage's own secrets may be the reason for
// another version of them.
func outsideChanges(family string, before, after *awsreader.Revision, ownSecrets bool) []flatconfig.Change {
	if before == nil || after == nil {
		return nil
	}
	then, now := Outside(before), Outside(after)
	there := maps.Clone(now)
	var kept []string // in one secret of the stage, of which a version has all values
	for path, value := range now {
		kind, _ := secretref.Parse(value.Text)
		isKept := value.Secret && kind.IsOf(family)
		earlier, was := then[path]
		added := !was && origins.IsHandOver(value.Origin)
		if earlier.Origin != value.Origin && !added || isKept && ownSecrets {
			delete(now, path)
		} else if isKept {
			kept = append(kept, path)
		}
	}
	maps.DeleteFunc(then, func(path string, value flatconfig.Setting) bool {
		_, both := now[path]
		_, is := there[path]
		removed := !is && origins.IsHandOver(value.Origin)
		return !both && !removed
	})
	changes := flatconfig.Changes(then, now)
	for i, change := range changes {
		if len(kept) > 1 && slices.Contains(kept, change.Key) {
			changes[i].What = "may have changed"
		}
	}
	return changes
}

// compareOutside says what an update changed that no stage file has.
func (e *Entry) compareOutside(before *Entry, family func(name string) string) {
	if before == nil {
		return
	}
	ownSecrets := slices.ContainsFunc(flatconfig.Changes(before.Settings, e.Settings),
		func(c flatconfig.Change) bool {
			return flatconfig.Root(strings.TrimPrefix(c.Key, "defaults.")) == "secrets"
		})
	e.Outside = nil
	for part, put := range Parts(e.Services, e.Tasks) {
		last := before.Of(part.Kind)[part.Name]
		if !put.Changed || last == nil {
			continue
		}
		e.Outside = append(e.Outside,
			outsideChanges(family(part.Name), last.InECS, put.InECS, ownSecrets)...)
	}
}

// DiffersOutside tells whether two updates put revisions in place that differ in values which no stage file has.
func (e *Entry) DiffersOutside(other *Entry, family func(name string) string) bool {
	for part, put := range Parts(e.Services, e.Tasks) {
		there := other.Of(part.Kind)[part.Name]
		if there != nil && len(outsideChanges(family(part.Name), there.InECS, put.InECS, false)) > 0 {
			return true
		}
	}
	return false
}
