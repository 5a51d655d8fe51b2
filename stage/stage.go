// Package stage holds the configuration of one stage: what Pulumi.<stage>.yaml and the defaults in
// Pulumi.yaml say, decoded strictly, merged and checked. It knows no resources.
package stage

import (
	"maps"
	"slices"
)

// Stage is the checked configuration of one stage. Every reference in it resolves: a service's image is a
// key of Images, its secrets were declared, its size is one that Fargate has.
type Stage struct {
	// Project is the Pulumi project's name, the first part of every name in AWS.
	Project string
	// Name is the stage's name, which is the Pulumi stack's.
	Name string
	// Environment is what every container of the stage is given. Each service's own Environment has it
	// merged in already.
	Environment map[string]string
	// Images by name.
	Images map[string]Image
	// Secrets by name.
	Secrets map[string]Secret
	// Services by name.
	Services map[string]Service
	// Tasks by name, of which none is a service's.
	Tasks map[string]Task
	// Instances are groups of EC2 instances that services run on, by name.
	Instances map[string]Instances
	// LoadBalancer is how the services that have a route are reached, InternalLoadBalancer those whose route is internal.
	LoadBalancer         LoadBalancer
	InternalLoadBalancer InternalLoadBalancer
	// Network is where the services' tasks run.
	Network Network
	// ClusterSettings is how the ECS cluster is kept.
	ClusterSettings ClusterSettings
	// Roles is how the IAM roles are kept.
	Roles Roles
	// Tags are the team's own, for everything that takes tags.
	Tags map[string]string
	// Repository is how the stage's ECR repositories are kept.
	Repository Repository
	// Registries are those that images come from, and that ask for a password, by host.
	Registries map[string]Registry
	// AWS is what the stage file says to the AWS provider, as far as the rest is checked against it.
	AWS AWS

	// written is what the user wrote: a function, as no verb of fmt looks into one, and there are secrets in it.
	written func() *checker
}

// Image is a container image: built from source or pinned to one that exists. With both Build and Ref the stage runs
// Ref, an image that it built earlier, and builds nothing; its repository stays.
type Image struct {
	// Build is how it is built from source.
	//
	// Example: Build: &stage.Build{Context: "./app"}
	Build *Build
	// Ref is the image that exists.
	//
	// Example: Ref: &stage.Ref{Host: "ghcr.io", Repository: "shop/web", Tag: "2.1", Digest: "sha256:…"}
	Ref *Ref
	// Mirror has the update copy Ref by its digest, and under its tag, into the stage's own repository, and run it from
	// there. There is no Build beside it.
	//
	// Example: Mirror: true
	Mirror bool
	// Platform is linux/amd64 or linux/arm64. It decides the architecture of the tasks that run the image.
	//
	// Example: Platform: "linux/arm64"
	Platform string
}

// Owned tells whether the image is in a repository of the stage's own.
//
// Example: Owned() is true of {build: {context: ./app}}, and false of a ref without mirror
func (i Image) Owned() bool { return i.Build != nil || i.Mirror }

// AWS is what the stage file says to the AWS provider.
type AWS struct {
	// Region is aws:region; empty where the environment or a profile decides it.
	//
	// Example: Region: "ap-northeast-2"
	Region string
	// AllowedAccountIDs is aws:allowedAccountIds; empty when any account will do.
	//
	// Example: AllowedAccountIDs: []string{"123456789012"}
	AllowedAccountIDs []string
}

// TaskDefinition is that of a service or a task.
//
// Example: TaskDefinition("web").Memory is 512
func (s *Stage) TaskDefinition(name string) TaskDefinition {
	if task, isTask := s.Tasks[name]; isTask {
		return task.TaskDefinition
	}
	return s.Services[name].TaskDefinition
}

// Key is what the user wrote of a service or a task: services.web, tasks.migrate.
//
// Example: Key("migrate") is tasks.migrate
func (s *Stage) Key(name string) string { return s.kind(name) + "s." + name }

// WhereDefined names a key of a service or a task and the file it stands in, as Where does.
//
// Example: WhereDefined("migrate", "cpu") is "tasks.migrate.cpu (Pulumi.dev.yaml)"
func (s *Stage) WhereDefined(name string, keys ...any) string {
	return s.Where(append([]any{s.kind(name) + "s", name}, keys...)...)
}

// kind is service or task.
func (s *Stage) kind(name string) string {
	if _, isTask := s.Tasks[name]; isTask {
		return "task"
	}
	return "service"
}

// TaskDefinitions are the names of what has a task definition, sorted: the services and the tasks.
//
// Example: TaskDefinitions() is [migrate web] with the service web and the task migrate
func (s *Stage) TaskDefinitions() []string {
	names := slices.Collect(maps.Keys(s.Services))
	return slices.Sorted(slices.Values(slices.AppendSeq(names, maps.Keys(s.Tasks))))
}

// HasRoutes tells whether any service is to be reached through the load balancer.
//
// Example: HasRoutes() is true where a service has route: {paths: ["/*"]}
func (s *Stage) HasRoutes() bool { return hasRoutes(s.Services, false) }

// HasInternalRoutes tells whether any service is to be reached through the internal load balancer.
//
// Example: HasInternalRoutes() is true where a service has route: {internal: true}
func (s *Stage) HasInternalRoutes() bool { return hasRoutes(s.Services, true) }

func hasRoutes(services map[string]Service, internal bool) bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(services)),
		func(s Service) bool { return s.Route != nil && s.Route.Internal == internal })
}
