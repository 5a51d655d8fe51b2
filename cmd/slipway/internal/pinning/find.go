package pinning

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"

	"slipway/cmd/slipway/internal/stagefile"
	"slipway/internal/pulumiconfig"
)

// reference is where a file has an image by its reference.
type reference struct {
	file *file
	path []string // in the file's document
	// key is what a stage calls it: images.web.ref
	key string
	// name is that of one of the stage's images; empty where a container has the reference.
	name string
	text string
	// mirrored is set for one that updates copy into the stage's repository, where no tag moves.
	mirrored bool
}

// where names the key and the file, as the stage's own errors do.
func (r *reference) where() string { return fmt.Sprintf("%s (%s)", r.key, filepath.Base(r.file.name)) }

// file is one that references stand in.
type file struct {
	name    string // its path
	content []byte
}

// keys are those of a stage, as far as images are named in them.
type keys struct {
	Images          map[string]map[string]any `yaml:"images"`
	Services, Tasks map[string]workload
}

type workload struct {
	Containers map[string]map[string]any `yaml:"containers"`
}

// find lists the references of a stage: those in its own file first, and of those in the defaults the ones that it does
// not replace.
func find(project *stagefile.Project, stack string) ([]*reference, error) {
	own, shared := &file{name: project.StageFile(stack)}, &file{name: filepath.Join(project.Directory, "Pulumi.yaml")}
	config, err := own.read()
	if err != nil {
		return nil, err
	}
	namespace := project.Namespace(own.content)
	var ofStage keys
	found := []*reference{}
	for key, into := range map[string]any{"images": &ofStage.Images, "services": &ofStage.Services,
		"tasks": &ofStage.Tasks} {
		if node, is := config[namespace+":"+key]; is {
			_ = node.Decode(into) // what is no map, an update refuses
		}
	}
	in := func(key string) []string { return []string{"config", namespace + ":" + key} }
	found = append(found, ofStage.references(own, "", in)...)

	if config, err = shared.read(); err != nil {
		return nil, err
	}
	defaults, path := defaultsIn(config, project.Name)
	for name, image := range ofStage.Images {
		if image["build"] != nil {
			delete(defaults.Images, name) // which it builds instead
		}
	}
	in = func(key string) []string { return append(slices.Clone(path), key) }
	replaced := map[string]bool{}
	for _, each := range found {
		replaced[each.key] = true
	}
	for _, each := range defaults.references(shared, "defaults.", in) {
		if !replaced[each.key[len("defaults."):]] {
			found = append(found, each)
		}
	}
	// A container's image may be the name of one of the stage's.
	found = slices.DeleteFunc(found, func(r *reference) bool {
		_, inStage := ofStage.Images[r.text]
		_, inDefaults := defaults.Images[r.text]
		return r.name == "" && (inStage || inDefaults)
	})
	return found, nil
}

// read reads the file's config.
func (f *file) read() (map[string]yaml.Node, error) {
	var parsed struct {
		Config map[string]yaml.Node `yaml:"config"`
	}
	var err error
	if f.content, err = os.ReadFile(f.name); err != nil {
		return nil, err
	}
	if err := yaml.Unmarshal(f.content, &parsed); err != nil {
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	return parsed.Config, nil
}

// defaultsIn finds the defaults of Pulumi.yaml, and where they stand.
func defaultsIn(config map[string]yaml.Node, project string) (defaults keys, path []string) {
	for _, key := range []string{pulumiconfig.Namespace + ":defaults", project + ":defaults", "defaults"} {
		node, is := config[key]
		if !is {
			continue
		}
		var holders map[string]yaml.Node
		_ = node.Decode(&holders)
		for _, holder := range []string{"value", "default"} {
			if value, is := holders[holder]; is && value.Decode(&defaults) == nil {
				return defaults, []string{"config", key, holder}
			}
		}
	}
	return defaults, nil
}

// references lists what the keys of one file name, each kind of key at the path that in says.
func (k keys) references(f *file, prefix string, in func(key string) []string) (found []*reference) {
	add := func(value any, kind, name string, more ...string) {
		text, isText := value.(string)
		if !isText {
			return
		}
		steps := []any{kind, name}
		for _, step := range more {
			steps = append(steps, step)
		}
		path := append(append(in(kind), name), more...)
		at := &reference{file: f, path: path, key: prefix + pulumiconfig.Path(steps...), text: text}
		if kind == "images" {
			at.name, at.mirrored = name, k.Images[name]["mirror"] == true
		}
		found = append(found, at)
	}
	for _, name := range slices.Sorted(maps.Keys(k.Images)) {
		add(k.Images[name]["ref"], "images", name, "ref")
	}
	for _, of := range []struct {
		kind  string
		named map[string]workload
	}{{"services", k.Services}, {"tasks", k.Tasks}} {
		for _, name := range slices.Sorted(maps.Keys(of.named)) {
			containers := of.named[name].Containers
			for _, container := range slices.Sorted(maps.Keys(containers)) {
				add(containers[container]["image"], of.kind, name, "containers", container, "image")
			}
		}
	}
	return found
}
