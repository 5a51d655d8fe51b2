package stage

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"slipway/internal/origins"
	"slipway/internal/pulumiconfig"
)

// checker gathers the mistakes of one stage.
type checker struct {
	in Input
	// namespace is what the stage's own keys begin with.
	namespace string
	files     []source // the stage's and the project's: what the first has, the CLI does not take from the second
	root      *node    // the stage's keys, merged
	document  document
	aws       AWS // what is known of where the stage runs
	mistakes  Errors
	// incomplete is set where a key is not read that others need: misspelt defaults, or one of a second namespace.
	incomplete bool
}

func newChecker(in Input) *checker {
	own := readSource(in.Root, pulumiconfig.FileName(in.Stage))
	if in.StageFile != nil {
		own = parseSource(own.name, in.StageFile)
	}
	return &checker{in: in, namespace: pulumiconfig.NamespaceOf(in.Project, in.Config),
		files: []source{own, readSource(in.Root, projectFile)}}
}

// Load decodes, merges and checks a stage. It reads nothing but in and the files below in.Root, and
// changes nothing. Its error is an Errors, with every mistake in it.
func Load(in Input) (*Stage, error) {
	c := newChecker(in)
	aws := c.loadAWS()

	keys := c.readKeys()
	defaults := keys.object[defaultsKey]
	delete(keys.object, defaultsKey)
	if defaults != nil && c.isObject(defaults) {
		defaults.object["secrets"].hide()
		c.replaceImages(defaults.object["images"], keys.object["images"])
	}
	c.root = merge(defaults, keys)
	c.resolveOutputs()
	c.decode(c.root, reflect.ValueOf(&c.document).Elem())
	// What broken defaults would have said is not known, so nothing can be said about the whole.
	if (defaults == nil || !defaults.bad) && !c.incomplete {
		c.check(aws)
	}
	if len(c.mistakes) > 0 {
		return nil, c.mistakes.sorted()
	}
	return c.stage(aws), nil
}

// readKeys parses the project's keys into one tree.
func (c *checker) readKeys() *node {
	root := &node{file: pulumiconfig.FileName(c.in.Stage), object: map[string]*node{}}
	for fullKey := range c.in.Config {
		key, ours := pulumiconfig.OwnKey(c.in.Project, fullKey)
		switch {
		case !ours:
			c.checkNamespace(fullKey)
		case fullKey != c.namespace+":"+key && c.isPrograms(key):
		case fullKey != c.namespace+":"+key:
			c.rejectSecondNamespace(fullKey, key)
		default:
			root.object[key] = c.readKey(fullKey, pulumiconfig.Below("", key))
		}
	}
	return root
}

// readKey parses one key's value; an encrypted one is refused unseen.
func (c *checker) readKey(fullKey, path string) *node {
	n := node{path: path, hidden: path == "secrets"}
	n.file, n.written = c.findKey(fullKey)
	if n.written == nil && path == defaultsKey {
		n.file = projectFile
	}
	if slices.Contains(c.in.SecretKeys, fullKey) {
		if path != "secrets" {
			c.rejectEncrypted(&n)
			return &n
		}
		// The engine marks the key as a whole. Where the file is not at hand, each value in it may be an encrypted one.
		n.encrypted = n.written == nil || isEncrypted(n.written)
	}
	text := c.in.Config[fullKey]
	if text == "" {
		return newNode(nil, n)
	}
	if parsed, isJSON := parseNode(text, n); isJSON {
		return parsed
	}
	return newNode(text, n)
}

// findKey finds the file that has a key, and what it says there: nil, and the stage's, where neither is at hand.
func (c *checker) findKey(fullKey string) (file string, written *yaml.Node) {
	namespace, key, _ := strings.Cut(fullKey, ":")
	for _, file := range c.files {
		if written := file.find(namespace, key); written != nil {
			return file.name, written
		}
	}
	return c.files[0].name, nil
}

func (c *checker) rejectEncrypted(n *node) {
	paths := encryptedPaths(n.written, n.path)
	if len(paths) == 0 {
		paths = []string{n.path}
	}
	for _, path := range paths {
		c.failAt(place{path: path, file: n.file}, "holds an encrypted value, which would end up readable in AWS; "+
			"move it to %s:secrets, and name it in the secrets of the services that need it", c.namespace)
	}
	n.bad = true
}

// reject reports a value that is unusable, and so is not looked at any further.
func (c *checker) reject(n *node, format string, args ...any) {
	c.failAt(n.place(), format, args...)
	n.bad = true
}

// failAt reports a mistake, unless the value was rejected already.
func (c *checker) failAt(at place, format string, args ...any) {
	if at.bad {
		return
	}
	message := fmt.Sprintf(format, args...)
	if at.node != nil && at.node.from != "" {
		message = "the " + at.node.from + " " + message
	}
	c.mistakes = append(c.mistakes, Error{Path: at.path, File: at.file, Message: message})
}

// at is the value of the stage that the keys lead to.
func (c *checker) at(keys ...any) place {
	root := c.root.place()
	root.in = c
	return root.at(keys...)
}

// loadAWS takes from the AWS provider's configuration what references are checked against.
func (c *checker) loadAWS() AWS {
	aws := AWS{Region: c.in.Config["aws:region"]}
	const accounts = "aws:allowedAccountIds"
	if _, given := c.in.Config[accounts]; given {
		c.decode(c.readKey(accounts, accounts), reflect.ValueOf(&aws.AllowedAccountIDs).Elem())
	}
	if len(c.mistakes) > 0 {
		aws.AllowedAccountIDs = nil // so that no image is measured against half a list
	}
	return aws
}

// stage turns a document without mistakes into the stage.
func (c *checker) stage(aws AWS) *Stage {
	s := &Stage{
		Project:              c.in.Project,
		Name:                 c.in.Stage,
		Environment:          c.document.Environment,
		Images:               map[string]Image{},
		Secrets:              c.secrets(),
		Services:             map[string]Service{},
		Tasks:                map[string]Task{},
		Instances:            c.document.Instances,
		LoadBalancer:         c.document.LoadBalancer,
		InternalLoadBalancer: c.document.InternalLoadBalancer,
		Network:              c.document.Network,
		ClusterSettings:      c.document.Cluster,
		Roles:                c.document.Roles,
		Tags:                 c.document.Tags,
		Repository:           c.document.Repository,
		Registries:           c.document.Registries,
		AWS:                  aws,
		written:              func() *checker { return c },
	}
	for name, image := range c.document.Images {
		s.Images[name] = image.image()
	}
	for name, service := range c.document.Services {
		service.TaskDefinition = s.resolved(service.TaskDefinition, c.at("services", name))
		if service.Route != nil {
			service.Route = service.Route.withDefaults()
		}
		service = service.withDaemonDefaults(c.at("services", name))
		if service.Capacity == nil && !service.Daemon {
			service.Capacity = c.document.Capacity
		}
		s.Services[name] = service
	}
	for name, task := range c.document.Tasks {
		task.TaskDefinition = s.resolved(task.TaskDefinition, c.at("tasks", name))
		s.Tasks[name] = task
	}
	return s
}

// resolved gives a task definition's containers the stage's variables and secrets.
func (s *Stage) resolved(definition TaskDefinition, here place) TaskDefinition {
	definition.Container = s.resolvedContainer(definition.Container, here)
	containers := map[string]Sidecar{}
	for name, sidecar := range definition.Containers {
		sidecar.Container = s.resolvedContainer(sidecar.Container, here.at("containers", name))
		containers[name] = sidecar
	}
	definition.Containers = containers
	return definition
}

func (s *Stage) resolvedContainer(container Container, here place) Container {
	variables := maps.Clone(s.Environment)
	if variables == nil {
		variables = map[string]string{}
	}
	maps.Copy(variables, container.Environment)
	container.Secrets = map[string]Secret{}
	for name := range variables {
		own := here.at("environment", name)
		if !own.present {
			own = here.in.at("environment", name)
		}
		container.Origins = withOrigin(container.Origins, name, own)
	}
	container.Environment = variables
	for _, name := range container.SecretNames {
		container.Secrets[name] = s.Secrets[name]
		container.Origins = withOrigin(container.Origins, name, here.in.at("secrets", name))
	}
	if container.Logs != nil {
		logs := *container.Logs
		logs.Secrets = map[string]Secret{}
		for option, name := range logs.SecretNames {
			logs.Secrets[option] = s.Secrets[name]
		}
		container.Logs = &logs
	}
	return container
}

// withOrigin adds where a variable's value comes from, if that is not the stage file.
func withOrigin(of origins.Origins, variable string, value place) origins.Origins {
	if value.node == nil || value.node.from == "" {
		return of
	}
	if of == nil {
		of = origins.Origins{}
	}
	of[variable] = value.node.from
	return of
}
