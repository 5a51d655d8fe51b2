package promotion

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/internal/pulumiconfig"
)

// compare says how the images differ from those that the stage file pins under config.<key>, over what the defaults say
// of them.
func compare(source []byte, key string, defaults map[string]map[string]any,
	images map[string]pulumicli.Image) ([]Change, error) {
	var file struct {
		Config map[string]yaml.Node `yaml:"config"`
	}
	if err := yaml.Unmarshal(source, &file); err != nil {
		return nil, err
	}
	var declared map[string]map[string]any
	if node, ok := file.Config[key]; ok {
		if err := node.Decode(&declared); err != nil {
			return nil, fmt.Errorf("config.%s: must be a map of images: %w", key, err)
		}
	}
	var changes []Change
	var refused []error
	for _, name := range slices.Sorted(maps.Keys(images)) {
		at := pulumiconfig.Below("config."+key, name)
		if _, builds := declared[name]["build"]; builds {
			refused = append(refused, exit.Refuse("%s: is built in this stage: remove its build to pin what another stage built",
				at))
			continue
		}
		found := Change{Name: name, New: images[name]}
		switch ref := declared[name]["ref"].(type) {
		case nil:
		case string:
			found.Old = pulumicli.PinnedImage(ref)
		default:
			refused = append(refused, exit.Refuse("%s.ref: must be text: repository:tag@sha256:…", at))
		}
		settings := map[string]any{}
		maps.Copy(settings, defaults[name])
		maps.Copy(settings, declared[name])
		if platform := platformOf(settings); images[name].Platform != "" && images[name].Platform != platform {
			refused = append(refused, exit.Refuse("%s.platform: is %s, and the image was built for %s: "+
				"write platform: %[3]s there, so that its tasks get that architecture", at, platform, images[name].Platform))
		}
		found.mirrored = settings["mirror"] == true
		found.unmirrored = settings["mirror"] == false
		found.Changed = found.Old == nil || found.Old.Ref != found.New.Ref
		changes = append(changes, found)
	}
	return changes, errors.Join(refused...)
}

// platformOf is the platform that the stage names for an image, or the one that it means by naming none.
func platformOf(declared map[string]any) string {
	if platform, ok := declared["platform"].(string); ok {
		return platform
	}
	return "linux/amd64"
}

// values are what is written of the changes.
func values(key string, changes []Change) (values []stagefile.Value) {
	for _, change := range changes {
		if !change.Changed {
			continue
		}
		at := func(setting string) []string { return []string{"config", key, change.Name, setting} }
		values = append(values, stagefile.Value{Path: at("ref"), Value: change.New.Ref})
		if change.Mirror && !change.mirrored {
			values = append(values, stagefile.Value{Path: at("mirror"), Value: true})
		}
	}
	return values
}
