// Package stage holds the configuration of one stage: what Pulumi.<stage>.yaml and the defaults in
// Pulumi.yaml say, decoded strictly, merged and checked. It knows no resources.
package stage

import "fmt"

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
	// Secrets maps each secret's name to the ARN of a Secrets Manager secret or an SSM parameter.
	Secrets map[string]string
	// Services by name.
	Services map[string]Service
	// Network is where the services' tasks run.
	Network Network
	// Repository is how the stage's ECR repositories are kept.
	Repository Repository
	// AWS is what the stage file says to the AWS provider, as far as the rest is checked against it.
	AWS AWS

	// written is what the user wrote, for Where.
	written *node
}

// Image is a container image: built from source or pinned to one that exists. Exactly one of Build and Ref is set.
type Image struct {
	Build *Build
	Ref   *Ref
	// Platform is linux/amd64 or linux/arm64. It decides the architecture of the tasks that run the image.
	Platform string
}

// Build says how an image is built.
type Build struct {
	// Context is the directory that Docker is given: relative to the directory of Pulumi.yaml, with
	// forward slashes, cleaned. It may lead out of it with "..".
	Context string `json:"context"`
	// Dockerfile is relative to the directory of Pulumi.yaml too; the one in Context where none is named.
	Dockerfile string `json:"dockerfile"`
	// Target is the stage of a multi-stage Dockerfile to build; empty for the last.
	Target string `json:"target"`
	// Args are the build arguments. None has the name of an environment variable or secret of the stage.
	Args map[string]string `json:"args"`
	// Platform is linux/amd64 or linux/arm64.
	Platform string `json:"platform" default:"linux/amd64"`
	// CacheFrom are images whose layers the build may reuse.
	CacheFrom []string `json:"cacheFrom"`
	// Refresh is any text. Changing it rebuilds the image.
	Refresh string `json:"refresh"`
}

// Ref is an image in ECR, pinned by digest.
type Ref struct {
	// Raw is the reference as the stage file has it: registry/repository:tag@sha256:digest.
	Raw string
	// Account is the 12-digit AWS account that holds the image.
	Account string
	// Region is the AWS region that holds the image.
	Region string
	// Repository is the ECR repository's name, without the registry.
	Repository string
	// Tag names the image for people; the digest decides what runs.
	Tag string
	// Digest is "sha256:" and 64 hexadecimal digits.
	Digest string
}

// Service is a number of replicas of one image.
type Service struct {
	// Image is a key of Stage.Images.
	Image string `json:"image"`
	// Command replaces the image's own command; empty to keep that.
	Command []string `json:"command"`
	// Port is the container's TCP port, 1 to 65535; 0 when it listens on none.
	Port int `json:"port"`
	// Replicas is the desired count, 0 to 5000.
	Replicas int `json:"replicas" default:"1" unit:"tasks"`
	// CPU is the task's share in CPU units, of which 1024 are one vCPU. It goes with Memory.
	CPU int `json:"cpu" default:"256" unit:"CPU units"`
	// Memory is the task's memory in MiB. It goes with CPU.
	Memory int `json:"memory" default:"512" unit:"MiB"`
	// Environment is the stage's environment with the service's own merged over it.
	Environment map[string]string `json:"environment"`
	// Secrets maps a variable's name to the ARN that its value comes from: those that the service names.
	Secrets map[string]string
	// Revision pins the service to an earlier revision of its task definition; 0 for the newest.
	Revision int `json:"revision"`
	// AllowFrom are the IPv4 and IPv6 ranges in CIDR notation that may reach Port; each is masked.
	AllowFrom []string `json:"allowFrom"`
}

// Network is where tasks run: in the default VPC when VPC is empty.
type Network struct {
	// VPC is the VPC's id.
	VPC string `json:"vpc"`
	// Subnets are ids of subnets in VPC, given exactly when VPC is.
	Subnets []string `json:"subnets"`
	// AssignPublicIP gives tasks a public address; nil to decide by whether the subnets are public.
	AssignPublicIP *bool `json:"assignPublicIp"`
}

// Repository is how the stage's ECR repositories are kept.
type Repository struct {
	// ForceDelete lets destroy remove a repository that still holds images.
	ForceDelete bool `json:"forceDelete" default:"false"`
}

// AWS is what the stage file says to the AWS provider.
type AWS struct {
	// Region is aws:region; empty where the environment or a profile decides it.
	Region string
	// AllowedAccountIDs is aws:allowedAccountIds; empty when any account will do.
	AllowedAccountIDs []string
}

// Cluster is the name of the stage's ECS cluster.
func (s *Stage) Cluster() string { return s.Project + "-" + s.Name }

// RepositoryName is the name of the ECR repository of an image that the stage builds.
func (s *Stage) RepositoryName(image string) string { return s.Cluster() + "/" + image }

// Family is the name of a service's task definition family.
func (s *Stage) Family(service string) string { return s.Cluster() + "-" + service }

// ExecutionRole is the name of the IAM role with which ECS starts a service's tasks.
func (s *Stage) ExecutionRole(service string) string { return s.Family(service) + "-execution" }

// TaskRole is the name of the IAM role that a service's own code has.
func (s *Stage) TaskRole(service string) string { return s.Family(service) + "-task" }

// LogGroup is the name of the CloudWatch log group of a service.
func (s *Stage) LogGroup(service string) string {
	return fmt.Sprintf("/%s/%s/%s", s.Project, s.Name, service)
}
