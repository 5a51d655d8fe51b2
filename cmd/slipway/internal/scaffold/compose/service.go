package compose

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"slipway/cmd/slipway/internal/scaffold/draft"
)

// service is one that is read.
type service struct {
	*reader
	config types.ServiceConfig
	// kind is "services" or "tasks", key the path in the stage file, keys what stands there.
	kind, key string
	keys      draft.Keys
}

// databases are images of what keeps data.
var databases = []string{"postgres", "postgis", "mysql", "mariadb", "mongo", "redis", "valkey", "memcached", "rabbitmq",
	"elasticsearch", "opensearch", "cassandra", "kafka", "minio", "localstack", "dynamodb-local", "elasticmq"}

// keepsData tells a service of somebody else's image that keeps what a task does not keep.
func (r *reader) keepsData(name string) bool {
	config := r.project.Services[name]
	base, _, _ := strings.Cut(path.Base(config.Image), "@")
	base, _, _ = strings.Cut(base, ":")
	return config.Build == nil && (slices.Contains(databases, base) || slices.ContainsFunc(config.Volumes,
		func(v types.ServiceVolumeConfig) bool { return v.Type == types.VolumeTypeVolume }))
}

// kind is what a service of the file becomes: one that is started when somebody asks for it, or whose end others wait
// for, runs once.
func (r *reader) kind(name string) string {
	if len(r.project.Services[name].Profiles) > 0 || len(r.before[name]) > 0 {
		return "tasks"
	}
	return "services"
}

func (r *reader) service(name string) {
	at := r.source.At("services", name)
	if slices.Contains(r.leftOut, name) {
		r.Leave(at, "services."+name, "%s keeps data, and a task keeps none: use AWS's own service for it (RDS, ElastiCache, "+
			"DocumentDB, SQS, S3, …), and write its address in the environment of those that use it",
			r.project.Services[name].Image)
		return
	}
	s := &service{reader: r, config: r.project.Services[name], kind: r.kind(name)}
	s.key = s.kind + "." + name
	s.keys = r.Shared.Object(s.kind).Object(name)
	s.keys["image"] = name
	if before := r.before[name]; len(before) > 0 {
		s.keys["before"] = before
		r.Take(at, "services."+name, "%s, which runs before a deployment of %s", s.key, strings.Join(before, ", "))
	} else {
		r.Take(at, "services."+name, "%s", s.key)
	}
	for _, key := range slices.Sorted(maps.Keys(r.written[name])) {
		switch read := readers[key]; {
		case read != nil:
			read(s)
		case instead[key] != "":
			s.leave(key, "%s", instead[key])
		case strings.HasPrefix(key, "x-"):
			s.leave(key, "it is an extension, which slipway init does not know")
		default:
			s.leave(key, "slipway has nothing for it")
		}
	}
	if s.config.Build != nil {
		s.shareImage()
	}
}

// where is the line of a key of the service.
func (s *service) where(keys ...string) string {
	return s.source.At(append([]string{"services", s.config.Name}, keys...)...)
}

// take says that a key has become one below the service's, with the value written there.
func (s *service) take(key, becomes string, value any) {
	s.keys[becomes] = value
	s.Take(s.where(strings.Split(key, ".")...), s.what(key), "%s.%s: %v", s.key, becomes, value)
}

func (s *service) leave(key, format string, args ...any) {
	s.Leave(s.where(strings.Split(key, ".")...), s.what(key), format, args...)
}

func (s *service) what(key string) string { return "services." + s.config.Name + "." + key }

// instead says of keys that a stage has nothing for what to do.
var instead = map[string]string{
	"restart":        "ECS starts another task for each that ends in a service; a task under tasks runs once",
	"container_name": "the container has the name of the service",
	"hostname":       "a task has the name that AWS gives it",
	"networks":       "the tasks of a stage are in one network; whom a service lets in is in allowFrom and route",
	"network_mode":   "a task on Fargate has a network of its own",
	"links":          "write name in the service that is linked to, and calls with that name in this one",
	"extra_hosts":    "write the address in the environment, or a record in Route 53",
	"logging":        "what a container writes goes to CloudWatch Logs: slipway logs shows it; logs sends it elsewhere",
	"develop":        "it is for one machine",
	"tty":            "it is for one machine: services.<service>.exec opens a shell",
	"stdin_open":     "it is for one machine: services.<service>.exec opens a shell",
	"privileged":     "Fargate has no privileged containers",
	"devices":        "Fargate has none",
	"gpus":           "Fargate has none",
	"shm_size":       "Fargate does not take it: /dev/shm has 64 MiB there",
	"security_opt":   "Fargate does not take it",
	"pid":            "Fargate has no processes of a machine: pidMode lets the containers of a task see each other's",
	"ipc":            "Fargate does not take it",
	"pull_policy":    "a digest says which image runs",
	"configs":        "put the files into the image, or the values into environment",
	"extends":        "what it brings was read, too",
	"stop_signal":    "write STOPSIGNAL in the Dockerfile",
	"post_start":     "have the entry point do it",
	"pre_stop":       "have the process do it at SIGTERM",
	"dns":            "a task asks the VPC's own resolver",
	"pids_limit":     "write ulimits with nproc",
}

// readers take over a key each.
var readers map[string]func(*service)

func init() {
	readers = map[string]func(*service){
		"build": (*service).build, "image": (*service).image, "platform": (*service).platform,
		"command":     func(s *service) { s.arguments("command", "command", s.config.Command) },
		"entrypoint":  func(s *service) { s.arguments("entrypoint", "entryPoint", s.config.Entrypoint) },
		"environment": (*service).environment, "env_file": (*service).environmentFiles, "secrets": (*service).secrets,
		"ports": (*service).ports, "expose": (*service).expose, "depends_on": (*service).dependsOn,
		"healthcheck": (*service).healthCheck, "volumes": (*service).volumes, "tmpfs": (*service).tmpfs,
		"deploy":            (*service).deploy,
		"cpus":              func(s *service) { s.size("cpus") },
		"mem_limit":         func(s *service) { s.size("mem_limit") },
		"scale":             func(s *service) { s.replicas("scale", s.config.Scale) },
		"user":              func(s *service) { s.take("user", "user", s.config.User) },
		"read_only":         func(s *service) { s.take("read_only", "readonlyRootFilesystem", s.config.ReadOnly) },
		"init":              func(s *service) { s.take("init", "init", *s.config.Init) },
		"ulimits":           (*service).ulimits,
		"working_dir":       func(s *service) { s.take("working_dir", "workingDirectory", s.config.WorkingDir) },
		"labels":            (*service).labels,
		"sysctls":           (*service).sysctls,
		"cap_add":           func(s *service) { s.capabilities("cap_add", "add", s.config.CapAdd) },
		"cap_drop":          func(s *service) { s.capabilities("cap_drop", "drop", s.config.CapDrop) },
		"stop_grace_period": (*service).stopTimeout,
		"profiles": func(s *service) {
			s.Take(s.where("profiles"), s.what("profiles"), "%s: it runs when somebody runs it, with slipway run", s.key)
		},
	}
}

func (s *service) arguments(key, becomes string, arguments []string) {
	if draft.HasSecret(arguments) {
		s.leave(key, "it has what looks like a secret, which would end up readable: read it from a variable, and write %s.%s",
			s.key, becomes)
		return
	}
	if len(arguments) == 0 {
		s.leave(key, "it is empty: the image's own is used")
		return
	}
	s.take(key, becomes, []string(arguments))
}

func (s *service) ulimits() {
	limits := s.keys.Object("ulimits")
	for _, name := range slices.Sorted(maps.Keys(s.config.Ulimits)) {
		limit := s.config.Ulimits[name]
		soft, hard := limit.Soft, limit.Hard
		if limit.Single != 0 {
			soft, hard = limit.Single, limit.Single
		}
		limits[name] = draft.Keys{"soft": soft, "hard": hard}
		s.Take(s.where("ulimits", name), s.what("ulimits."+name), "%s.ulimits.%s: {soft: %d, hard: %d}", s.key, name,
			soft, hard)
	}
}

func (s *service) stopTimeout() {
	if s.config.StopGracePeriod == nil {
		return
	}
	seconds, said := draft.Seconds(roundedUp(s.config.StopGracePeriod), 2, 120)
	s.keys["stopTimeout"] = seconds
	s.Take(s.where("stop_grace_period"), s.what("stop_grace_period"), "%s.stopTimeout: %d%s", s.key, seconds, said)
}

// roundedUp is a time in seconds.
func roundedUp(d *types.Duration) int {
	const second = 1_000_000_000
	return int((int64(*d) + second - 1) / second)
}

func quoted(texts []string) string { return fmt.Sprintf("%q", texts) }
