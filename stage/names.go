package stage

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"slipway/internal/awslimits"
	"slipway/internal/imageref"
)

// stageName is what both ECS and ECR take, since every name in AWS begins with project and stage.
var stageName = regexp.MustCompile(`^[a-z0-9]+(?:[_-][a-z0-9]+)*$`)

// Cluster is the name of the stage's ECS cluster.
//
// Example: the stage dev of the project shop has the cluster shop-dev
func (s *Stage) Cluster() string { return s.Project + "-" + s.Name }

// RepositoryName is the name of the ECR repository of an image that the stage builds.
//
// Example: RepositoryName("web") is shop-dev/web
func (s *Stage) RepositoryName(image string) string { return s.Cluster() + "/" + image }

// KeptRepository says what an update does that removes an image's repository from the stage, and what to do instead.
// holds says what is in it.
//
// Example: KeptRepository("web", "has 3 images") is "the update deletes its repository shop-dev/web, last of all, …"
func (s *Stage) KeptRepository(image, holds string) string {
	keep := "leave the image in the file"
	if ref := s.Images[image].Ref; ref != nil && ref.Repository == s.RepositoryName(image) {
		keep = "let build stand beside ref"
	} else if ref != nil {
		keep = "write mirror: true beside ref"
	}
	return fmt.Sprintf("the update deletes its repository %s, last of all, and ECR refuses that: it %s, and "+
		"repository.forceDelete was not true in the update before. To keep the repository, %s. To delete it with its images, "+
		"set repository.forceDelete: true with the image as it was, run `pulumi up`, and then make this change",
		s.RepositoryName(image), holds, keep)
}

// OwnImage is an image in the repository that the stage has for it in its account and region, with the tag and digest
// of its ref, where it has one.
//
// Example: OwnImage("web", "123456789012", "eu-west-1").Repository is shop-dev/web
func (s *Stage) OwnImage(name, account, region string) Ref {
	own := Ref{Host: imageref.ECRHost(account, region), Account: account, Region: region,
		Repository: s.RepositoryName(name)}
	if pinned := s.Images[name].Ref; pinned != nil {
		own.Tag, own.Digest = pinned.Tag, pinned.Digest
	}
	return own
}

// Family is the name of the task definition family of a service or a task.
//
// Example: Family("web") is shop-dev-web
func (s *Stage) Family(service string) string { return s.Cluster() + "-" + service }

// ExecutionRole is the name of the IAM role with which ECS starts a service's tasks, or a task.
//
// Example: ExecutionRole("web") is shop-dev-web-execution
func (s *Stage) ExecutionRole(service string) string { return s.Family(service) + "-execution" }

// TaskRole is the name of the IAM role that the own code of a service or a task has.
//
// Example: TaskRole("web") is shop-dev-web-task
func (s *Stage) TaskRole(service string) string { return s.Family(service) + "-task" }

// ScheduleRole is the name of the IAM role with which EventBridge Scheduler starts a task.
//
// Example: ScheduleRole("report") is shop-dev-report-schedule
func (s *Stage) ScheduleRole(task string) string { return s.Family(task) + "-schedule" }

// ScheduleName is the name of a task's schedule in EventBridge Scheduler.
//
// Example: ScheduleName("report") is shop-dev-report
func (s *Stage) ScheduleName(task string) string { return s.Family(task) }

// LogGroup is the name of the CloudWatch log group of a service or a task.
//
// Example: LogGroup("web") is /shop/dev/web
func (s *Stage) LogGroup(service string) string {
	return fmt.Sprintf("/%s/%s/%s", s.Project, s.Name, service)
}

// ErrorAlarm is the name of the CloudWatch alarm on a service's 5xx answers.
//
// Example: ErrorAlarm("web") is shop-dev-web-errors
func (s *Stage) ErrorAlarm(service string) string { return s.Family(service) + "-errors" }

// StepsAlarm is the name of the CloudWatch alarm that has a service scale by steps. A dot is in no other name.
//
// Example: StepsAlarm("web", "busy") is shop-dev-web.busy
func (s *Stage) StepsAlarm(service, steps string) string { return s.Family(service) + "." + steps }

// LoadBalancerName begins the name of the stage's load balancer, TargetGroupName that of a service's target group. The
// engine adds a hyphen and seven characters.
//
// Example: LoadBalancerName() is shop-dev, and the load balancer is called shop-dev-0a1b2c3
func (s *Stage) LoadBalancerName() string { return shortName(s.Cluster()) }

// InternalLoadBalancerName begins the name of the stage's internal load balancer, as LoadBalancerName that of the
// other.
//
// Example: InternalLoadBalancerName() is shop-dev-internal, and the load balancer is called shop-dev-internal-0a1b2c3
func (s *Stage) InternalLoadBalancerName() string { return shortName(s.Cluster() + "-internal") }

// TargetGroupName is described at LoadBalancerName.
//
// Example: TargetGroupName("web") is web, and the target group is called web-0a1b2c3
func (s *Stage) TargetGroupName(service string) string { return shortName(service) }

// shortName is a resource's name of which load balancers and target groups can be named: these take 32 letters,
// digits and hyphens, of which the engine adds 8. Where the name is not short or plain enough, part of its hash keeps
// it apart from others.
func shortName(name string) string {
	const longest = 32 - 8
	plain := strings.Trim(strings.ReplaceAll(name, "_", "-"), "-")
	if plain == name && len(name) <= longest && !strings.HasPrefix(name+"-", "internal-") {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	hash := hex.EncodeToString(sum[:])[:6]
	for strings.HasPrefix(plain+"-", "internal-") { // which AWS keeps for itself
		plain = strings.Trim(strings.TrimPrefix(plain+"-", "internal-"), "-")
	}
	return strings.Trim(plain[:min(len(plain), longest-1-len(hash))]+"-"+hash, "-")
}

// setByFargate are variables that Fargate puts into every container itself:
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-environment-variables.html
var setByFargate = []string{
	"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
	"AWS_EXECUTION_ENV",
	"ECS_AGENT_URI",
	"ECS_CONTAINER_METADATA_URI",
	"ECS_CONTAINER_METADATA_URI_V4",
}

// checkStageName checks the names that come from outside the file.
func (c *checker) checkStageName() {
	const rule = "AWS names begin with project and stage, and ECR takes only lower case letters and digits, " +
		"separated by single - or _; "
	if !stageName.MatchString(c.in.Project) {
		c.failAt(place{file: projectFile}, "the project is named %q: %scorrect its name", c.in.Project, rule)
	}
	stage := place{file: c.files[0].name}
	if !stageName.MatchString(c.in.Stage) {
		c.failAt(stage, `the stage is named %q: %srename it with "pulumi stack rename NAME"`, c.in.Stage, rule)
	}
	// After which the security groups of its load balancers are named.
	makes := hasRoutes(c.document.Services, false) && c.document.LoadBalancer.ARN == "" ||
		hasRoutes(c.document.Services, true)
	if strings.HasPrefix(c.in.Stage, awslimits.NotSecurityGroup) && makes {
		c.failAt(stage, `the stage is named %q, and AWS lets no name of a security group begin with %s; `+
			`rename it with "pulumi stack rename NAME", or write loadBalancer.arn and no internal route`, c.in.Stage,
			awslimits.NotSecurityGroup)
	}
}

// checkVariableNames checks the keys of an environment, or of the secrets.
func checkVariableNames(here place, names []string) {
	for _, name := range names {
		switch {
		case !awslimits.VariableName.MatchString(name):
			here.at(name).fail("is not a name that a variable can have; " +
				"use letters, digits and punctuation, without spaces and =")
		case slices.Contains(setByFargate, name):
			here.at(name).fail("is a variable that Fargate sets itself; use another name")
		}
	}
}

// checkImageName checks the ECR repository that is named after an image.
func (c *checker) checkImageName(name string) {
	repository := c.names().RepositoryName(name)
	switch {
	case !awslimits.RepositoryName.MatchString(name):
		c.at("images", name).fail("cannot name a repository in ECR; use lower case letters and digits, " +
			"separated by single ., _, - or /")
	case len(repository) > awslimits.RepositoryNameLength:
		c.at("images", name).fail("makes the repository's name, %s, %d characters long, and ECR takes %d; shorten it",
			repository, len(repository), awslimits.RepositoryNameLength)
	}
}

// checkName checks the ECS service, family, container and roles that are named after the service or the task here.
func (c *checker) checkName(here place, name string) {
	role := c.names().ExecutionRole(name)
	switch {
	case strings.HasPrefix(strings.ToLower(name), awslimits.NotSecurityGroup):
		here.fail("begins with %s, with which AWS lets no name of a security group begin; use another name",
			awslimits.NotSecurityGroup)
	case !awslimits.ECSName.MatchString(name):
		here.fail("cannot name a service or a task in ECS; use up to 255 letters, digits, - and _")
	default:
		checkRoleName(here, role)
	}
}

// checkRoleName checks the length of the name of an IAM role that is named after what is here.
func checkRoleName(here place, role string) {
	if len(role) > awslimits.RoleName {
		here.fail("makes the name of its IAM role, %s, %d characters long, and IAM takes %d; shorten it by %d", role,
			len(role), awslimits.RoleName, len(role)-awslimits.RoleName)
	}
}

func (c *checker) names() *Stage { return &Stage{Project: c.in.Project, Name: c.in.Stage} }

// blank tells text that is there but says nothing.
func blank(text string) bool { return strings.TrimSpace(text) == "" }
