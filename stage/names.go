package stage

import (
	"regexp"
	"slices"
	"strings"

	"slipway/internal/awslimits"
)

// stageName is what both ECS and ECR take, since every name in AWS begins with project and stage.
var stageName = regexp.MustCompile(`^[a-z0-9]+(?:[_-][a-z0-9]+)*$`)

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
	if !stageName.MatchString(c.in.Stage) {
		c.failAt(place{file: c.files[0].name},
			`the stage is named %q: %srename it with "pulumi stack rename NAME"`, c.in.Stage, rule)
	}
	// After which the security group of its load balancer is named.
	if strings.HasPrefix(c.in.Stage, awslimits.NotSecurityGroup) && hasRoutes(c.document.Services) &&
		c.document.LoadBalancer.ARN == "" {
		c.failAt(place{file: c.files[0].name},
			`the stage is named %q, and AWS lets no name of a security group begin with %s; `+
				`rename it with "pulumi stack rename NAME", or write loadBalancer.arn`, c.in.Stage, awslimits.NotSecurityGroup)
	}
}

// checkVariableNames checks the keys of an environment, or of the secrets.
func (c *checker) checkVariableNames(names []string, keys ...any) {
	for _, name := range names {
		path := append(slices.Clone(keys), name)
		switch {
		case !awslimits.VariableName.MatchString(name):
			c.fail(path, "is not a name that a variable can have; use letters, digits and punctuation, without spaces and =")
		case slices.Contains(setByFargate, name):
			c.fail(path, "is a variable that Fargate sets itself; use another name")
		}
	}
}

// checkImageName checks the ECR repository that is named after an image.
func (c *checker) checkImageName(name string) {
	repository := c.names().RepositoryName(name)
	switch {
	case !awslimits.RepositoryName.MatchString(name):
		c.fail(at("images", name), "cannot name a repository in ECR; use lower case letters and digits, "+
			"separated by single ., _, - or /")
	case len(repository) > awslimits.RepositoryNameLength:
		c.fail(at("images", name), "makes the repository's name, %s, %d characters long, and ECR takes %d; shorten it",
			repository, len(repository), awslimits.RepositoryNameLength)
	}
}

// checkName checks the ECS service, family, container and roles that are named after a service or a task. keys lead to
// it.
func (c *checker) checkName(keys []any, name string) {
	role := c.names().ExecutionRole(name)
	switch {
	case strings.HasPrefix(strings.ToLower(name), awslimits.NotSecurityGroup):
		c.fail(keys, "begins with %s, with which AWS lets no name of a security group begin; use another name",
			awslimits.NotSecurityGroup)
	case !awslimits.ECSName.MatchString(name):
		c.fail(keys, "cannot name a service or a task in ECS; use up to 255 letters, digits, - and _")
	case len(role) > awslimits.RoleName:
		c.fail(keys, "makes the name of its IAM role, %s, %d characters long, and IAM takes %d; "+
			"shorten it by %d", role, len(role), awslimits.RoleName, len(role)-awslimits.RoleName)
	}
}

func (c *checker) names() *Stage { return &Stage{Project: c.in.Project, Name: c.in.Stage} }

// blank tells text that is there but says nothing.
func blank(text string) bool { return strings.TrimSpace(text) == "" }
