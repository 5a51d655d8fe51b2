package compose

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/types"

	"slipway/cmd/slipway/internal/scaffold/draft"
)

// variables takes over those that stand under a key.
func (s *service) variables(where func(name string) string) *draft.Variables {
	hosts := map[string]string{}
	for name := range s.written {
		switch {
		case name == s.config.Name:
		case s.kind == "services" && s.reader.kind(name) == "services" && !slices.Contains(s.leftOut, name):
			hosts[name] = fmt.Sprintf("which is called so once services.%[1]s.name is %[1]s, and %[2]s.calls has it", name, s.key)
		default:
			hosts[name] = "which nothing in AWS is called: write the address that it has there"
		}
	}
	return &draft.Variables{Where: where, What: "services." + s.config.Name, Key: s.key, Hosts: hosts, Into: s.keys}
}

func (s *service) environment() {
	variables := s.variables(func(name string) string { return s.where("environment", name) })
	for _, name := range slices.Sorted(maps.Keys(s.config.Environment)) {
		switch value := s.config.Environment[name]; {
		case value != nil:
			variables.Add(s.Draft, name, *value)
		case draft.IsSecret(name, "?"):
			variables.AddSecret(s.Draft, s.where("environment", name), s.what("environment."+name), name)
		default:
			s.leave("environment."+name, "it has no value of its own: write %s.environment.%s", s.key, name)
		}
	}
}

func (s *service) environmentFiles() {
	for i, file := range s.config.EnvFiles {
		name := s.FromRoot(file.Path)
		values, err := dotenv.ReadFile(file.Path, func(string) (string, bool) { return "", false })
		if errors.Is(err, fs.ErrNotExist) {
			s.Leave(s.where("env_file", strconv.Itoa(i)), s.what("env_file"), "%s is not here: write its variables in "+
				"%s.environment and secrets", name, s.key)
			continue
		}
		if err != nil {
			s.Fail(name, "%w", err)
			continue
		}
		variables := s.variables(func(string) string { return name })
		for _, variable := range slices.Sorted(maps.Keys(values)) {
			if _, has := s.config.Environment[variable]; !has { // which wins
				variables.Add(s.Draft, variable, values[variable])
			}
		}
	}
}

// secrets are files in compose, and variables here.
func (s *service) secrets() {
	for i, secret := range s.config.Secrets {
		at := s.where("secrets", strconv.Itoa(i))
		name := strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(secret.Source))
		s.variables(nil).AddSecret(s.Draft, at, s.what("secrets."+secret.Source), name)
		s.Note(at, s.what("secrets."+secret.Source), "it is a variable here, and no file below /run/secrets: have the code "+
			"read %s", name)
	}
}

func (s *service) volumes() {
	for i, volume := range s.config.Volumes {
		at, what := s.where("volumes", strconv.Itoa(i)), s.what("volumes."+strconv.Itoa(i))
		switch {
		case volume.Type == types.VolumeTypeBind:
			s.Leave(at, what, "Fargate has no directory of yours: put what %s has into the image", volume.Target)
		case volume.Type == types.VolumeTypeTmpfs:
			s.mount(at, what, volume.Target)
		default:
			s.Leave(at, what, "a task keeps nothing: keep what is in %s in S3 or a database; for what may go with the task write "+
				"%s.mounts", volume.Target, s.key)
		}
	}
}

func (s *service) tmpfs() {
	for i, text := range s.config.Tmpfs {
		path, _, _ := strings.Cut(text, ":")
		s.mount(s.where("tmpfs", strconv.Itoa(i)), s.what("tmpfs"), path)
	}
}

// mount has a volume that is there for as long as its task.
func (s *service) mount(at, what, path string) {
	name := draft.Plain(path)
	s.keys.Object("mounts")[name] = draft.Keys{"path": path}
	s.Take(at, what, "%s.mounts.%s, which is on a disk, and gone with the task", s.key, name)
}

func (s *service) deploy() {
	written, _ := s.written[s.config.Name]["deploy"].(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(written)) {
		switch at := "deploy." + key; key {
		case "replicas":
			s.replicas(at, s.config.Deploy.Replicas)
		case "resources":
			resources, _ := written[key].(map[string]any)
			s.resources(resources)
		case "update_config", "rollback_config":
			s.leave(at, "write %s.deployment; a failed deployment is rolled back as it is", s.key)
		case "labels":
			s.leave(at, "%s", instead["labels"])
		default:
			s.leave(at, "ECS and Fargate decide it")
		}
	}
}

func (s *service) replicas(key string, count *int) {
	if s.kind == "tasks" || count == nil {
		s.leave(key, "a task runs once")
		return
	}
	s.take(key, "replicas", *count)
}

func (s *service) resources(written map[string]any) {
	for _, kind := range slices.Sorted(maps.Keys(written)) { // limits, reservations
		keys, _ := written[kind].(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			switch at := "deploy.resources." + kind + "." + key; {
			case key != "cpus" && key != "memory":
				s.leave(at, "Fargate has nothing for it")
			case kind == "reservations" && written["limits"] != nil:
				s.leave(at, "a task has what it may use at most for itself: the limits count")
			default:
				s.size(at)
			}
		}
	}
}

// size is what the container may use: the limits, or what is reserved where there are none.
func (s *service) size(key string) {
	cpus, bytes := float64(s.config.CPUS), int64(s.config.MemLimit)
	if s.config.Deploy != nil {
		from := s.config.Deploy.Resources.Limits
		if from == nil {
			from = s.config.Deploy.Resources.Reservations
		}
		if from != nil {
			cpus, bytes = cmp.Or(cpus, float64(from.NanoCPUs)), cmp.Or(bytes, int64(from.MemoryBytes))
		}
	}
	const mebibyte = 1 << 20
	asked, memory := int(cpus*1024+0.5), int((bytes+mebibyte-1)/mebibyte)
	cpu, fits, ok := draft.TaskSize(asked, memory)
	if !ok {
		s.leave(key, "Fargate has no task with %d CPU units and %d MiB: write %s.cpu and memory", asked, memory, s.key)
		return
	}
	s.keys["cpu"], s.keys["memory"] = cpu, fits
	s.Take(s.where(strings.Split(key, ".")...), s.what(key), "%s.cpu: %d and memory: %d, the smallest task of Fargate that "+
		"has as much", s.key, cpu, fits)
}
