// Package compose drafts services and tasks from a compose file.
package compose

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/sirupsen/logrus"
	"go.yaml.in/yaml/v3"

	"slipway/cmd/slipway/internal/scaffold/draft"
)

// Names are what a compose file is called, in the order in which `docker compose` looks.
var Names = []string{"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"}

// Find is the compose file of a directory; empty where it has none.
func Find(root string) string {
	for _, name := range Names {
		if _, err := os.Stat(filepath.Join(root, name)); err == nil {
			return filepath.Join(root, name)
		}
	}
	return ""
}

// reader reads one file.
type reader struct {
	*draft.Draft
	source  *draft.Source
	dir     string
	project *types.Project
	// written has the keys of each service that the file has, by service.
	written map[string]map[string]any
	// before are the services that wait for the end of another one, by its name.
	before map[string][]string
	// leftOut are the services that keep data, and are none here.
	leftOut []string
}

// Read drafts what a compose file declares. Variables in it are looked up.
func Read(ctx context.Context, d *draft.Draft, path string, lookup func(string) (string, bool)) {
	name := d.FromRoot(path)
	content, err := os.ReadFile(path)
	if err != nil {
		d.Fail(name, "%w", err)
		return
	}
	r := &reader{Draft: d, dir: filepath.Dir(path), before: map[string][]string{}}
	if r.source, err = draft.ParseSource(name, content); err != nil {
		d.Mistakes = append(d.Mistakes, err)
		return
	}
	environment := r.environment(lookup)
	if err := r.load(ctx, path, content, environment); err != nil {
		d.Fail(name, "%s", strings.ReplaceAll(err.Error(), r.dir+string(filepath.Separator), ""))
		return
	}
	r.top()
	for _, service := range slices.Sorted(maps.Keys(r.written)) {
		for on, dependency := range r.project.Services[service].DependsOn {
			if dependency.Condition == types.ServiceConditionCompletedSuccessfully {
				r.before[on] = append(r.before[on], service)
			}
		}
	}
	for _, service := range slices.Sorted(maps.Keys(r.written)) {
		if r.keepsData(service) {
			r.leftOut = append(r.leftOut, service)
		}
	}
	for _, kind := range []string{"services", "tasks"} { // so that images are called after services
		for _, service := range slices.Sorted(maps.Keys(r.written)) {
			if r.kind(service) == kind {
				r.service(service)
			}
		}
	}
}

func (r *reader) load(ctx context.Context, path string, content []byte, environment types.Mapping) error {
	logrus.SetOutput(io.Discard) // what compose warns of is told here, with its line
	defer logrus.SetOutput(os.Stderr)
	details := types.ConfigDetails{WorkingDir: r.dir, Environment: environment,
		ConfigFiles: []types.ConfigFile{{Filename: path, Content: content}}}
	options := func(o *loader.Options) {
		o.SkipNormalization, o.ResolvePaths, o.SkipResolveEnvironment = true, true, true
		o.Profiles = []string{"*"}
		o.SetProjectName("project", true)
	}
	model, err := loader.LoadModelWithContext(ctx, details, options)
	if err != nil {
		return err
	}
	services, _ := model["services"].(map[string]any)
	r.written = map[string]map[string]any{}
	for name, service := range services {
		r.written[name], _ = service.(map[string]any)
	}
	r.project, err = loader.LoadWithContext(ctx, details, options)
	return err
}

// environment is what variables in the file stand for. It says which nobody has set, unless they are secrets, which are
// not written anyway.
func (r *reader) environment(lookup func(string) (string, bool)) types.Mapping {
	environment := types.Mapping{}
	file, err := dotenv.ReadFile(filepath.Join(r.dir, ".env"), lookup)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.Fail(".env", "%w", err)
	}
	r.source.Scalars(func(node *yaml.Node, path []string) {
		variables := template.ExtractVariables(map[string]any{"": node.Value}, nil)
		for _, name := range slices.Sorted(maps.Keys(variables)) {
			variable := variables[name]
			value, set := lookup(name)
			if !set {
				value, set = file[name]
			}
			switch {
			case set:
				environment[name] = value
			case variable.DefaultValue != "" || variable.PresenceValue != "":
			case isSecret(node, path):
				environment[name] = "secret" // in place of one that is not written
			default:
				environment[name] = "unset"
				r.Fail(fmt.Sprintf("%s:%d", r.source.Name, node.Line), "%s: the variable %s is not set: set it for this command, "+
					"or in .env", strings.Join(path, "."), name)
			}
		}
	})
	return environment
}

// isSecret tells whether a node is a variable, or has one as NAME=VALUE, that looks like a secret.
func isSecret(node *yaml.Node, path []string) bool {
	if !slices.Contains(path, "environment") && !slices.Contains(path, "args") {
		return false
	}
	name, text := path[len(path)-1], node.Value
	if name == "environment" || name == "args" {
		name, text, _ = strings.Cut(text, "=")
	}
	value, err := template.Substitute(text, func(string) (string, bool) { return "any", true })
	return err == nil && draft.IsSecret(name, value)
}

// top says what becomes of what stands beside the services.
func (r *reader) top() {
	var file map[string]yaml.Node
	if len(r.source.Root.Content) > 0 {
		_ = r.source.Root.Content[0].Decode(&file) // compose has read it
	}
	for _, key := range slices.Sorted(maps.Keys(file)) {
		at := r.source.At(key)
		switch {
		case key == "services" || key == "include" || strings.HasPrefix(key, "x-"):
		case key == "version":
			r.Leave(at, key, "compose ignores it, too")
		case key == "name":
			r.Leave(at, key, "the project's name is that of --project")
		case key == "networks":
			r.Leave(at, key, "the tasks of a stage are in one network, where only the load balancer and allowFrom reach them")
		case key == "volumes", key == "secrets", key == "configs":
			r.Leave(at, key, "see below, at the services that use them")
		default:
			r.Leave(at, key, "slipway has nothing for it")
		}
	}
	override := strings.TrimSuffix(filepath.Base(r.source.Name), filepath.Ext(r.source.Name)) + ".override"
	for _, extension := range []string{".yaml", ".yml"} {
		if _, err := os.Stat(filepath.Join(r.dir, override+extension)); err == nil {
			r.Leave(override+extension, "compose file", "it is for one machine, and not read")
		}
	}
}
