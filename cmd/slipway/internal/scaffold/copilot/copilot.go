// Package copilot drafts services and tasks from the manifests of AWS Copilot.
package copilot

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"

	"go.yaml.in/yaml/v3"

	"slipway/cmd/slipway/internal/scaffold/draft"
)

// Find lists the manifests of services and jobs below a directory.
func Find(root string) ([]string, error) {
	return filepath.Glob(filepath.Join(root, "copilot", "*", "manifest.yml"))
}

// Read drafts what manifests declare: for each stage what Copilot's environment of that name has, or what stands there
// for all. given says that people have chosen the stages.
func Read(d *draft.Draft, manifests []string, stages []draft.Stage, given bool) {
	workspace := struct{ Application string }{}
	if text, err := os.ReadFile(filepath.Join(d.Root, "copilot", ".workspace")); err == nil {
		_ = yaml.Unmarshal(text, &workspace) // without it, its name is not known
	}
	all := make([]draft.Keys, len(stages))
	for i := range all {
		all[i] = draft.Keys{}
	}
	kept := map[string]string{}
	for _, path := range manifests {
		name := d.FromRoot(path)
		text, err := os.ReadFile(path)
		if err != nil {
			d.Fail(name, "%w", err)
			continue
		}
		source, err := draft.ParseSource(name, text)
		if err != nil {
			d.Mistakes = append(d.Mistakes, err)
			continue
		}
		var content map[string]any
		if err := source.Root.Decode(&content); err != nil {
			d.Fail(name, "is not the manifest of a service or a job: %w", err)
			continue
		}
		m := &manifest{Draft: d, source: source, application: workspace.Application, directory: filepath.Dir(path),
			kept: kept}
		if !m.identify(content) {
			continue
		}
		m.checkEnvironments(content, stages, given)
		for i, stage := range stages {
			m.read(content, stage, all[i], i == 0)
		}
		m.sayBeside()
	}
	sayElsewhere(d)
	share(d, stages, all)
}

// share has what all stages say stand once.
func share(d *draft.Draft, stages []draft.Stage, all []draft.Keys) {
	d.Shared = common(all)
	for i, stage := range stages {
		d.Stages[stage.Name] = without(all[i], d.Shared)
	}
}

// common is what all say.
func common(all []draft.Keys) draft.Keys {
	same := draft.Keys{}
	for key, value := range all[0] {
		var objects []draft.Keys
		equal := true
		for _, other := range all {
			equal = equal && reflect.DeepEqual(other[key], value)
			if object, is := other[key].(draft.Keys); is {
				objects = append(objects, object)
			}
		}
		if equal {
			same[key] = value
		} else if len(objects) == len(all) {
			if inner := common(objects); len(inner) > 0 {
				same[key] = inner
			}
		}
	}
	return same
}

// without is what is left of a stage.
func without(all, shared draft.Keys) draft.Keys {
	left := draft.Keys{}
	for key, value := range all {
		if reflect.DeepEqual(value, shared[key]) {
			continue
		}
		object, is := value.(draft.Keys)
		inner, both := shared[key].(draft.Keys)
		if is && both {
			value = without(object, inner)
		}
		left[key] = value
	}
	return left
}

// sayElsewhere says what Copilot has beside the manifests of services.
func sayElsewhere(d *draft.Draft) {
	for _, each := range [][2]string{
		{"copilot/environments/*/manifest.yml", "the network, the load balancer and the certificate of a stage are its keys " +
			"network and loadBalancer"},
		{"copilot/environments/addons/*", "declare resources of your own in main.go"},
		{"copilot/environments/overrides/*", "declare resources of your own in main.go"},
		{"copilot/pipelines/*/manifest.yml", "for a pipeline use docs/ci.md of slipway"},
	} {
		found, _ := filepath.Glob(filepath.Join(d.Root, filepath.FromSlash(each[0]))) // the patterns are sound
		for _, name := range found {
			d.Leave(d.FromRoot(name), "file", "%s", each[1])
		}
	}
}

// merged is a manifest with what an environment has of its own.
func merged(base, overlay map[string]any) map[string]any {
	all := maps.Clone(base)
	for key, value := range overlay {
		inner, is := value.(map[string]any)
		below, both := all[key].(map[string]any)
		if is && both {
			all[key] = merged(below, inner)
		} else {
			all[key] = value
		}
	}
	return all
}
