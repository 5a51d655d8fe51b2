package stage

import (
	"encoding/json"
	"maps"
	"slices"

	"slipway/internal/imageref"
)

// Statement is one statement of an IAM policy.
type Statement struct {
	Sid       string                         `json:",omitempty"`
	Effect    string                         `json:"Effect"`
	Principal map[string]string              `json:",omitempty"`
	Action    []string                       `json:"Action"`
	Resource  []string                       `json:",omitempty"`
	Condition map[string]map[string][]string `json:",omitempty"`
}

// PolicyText is an IAM policy of these statements.
func PolicyText(statements ...Statement) (string, error) {
	text, err := json.Marshal(struct {
		Version   string
		Statement []Statement
	}{"2012-10-17", statements})
	return string(text), err
}

// ExecutionStatements are what the execution role of a service or a task may do: pull its containers' images, write its
// log, and read the secrets that it names or that its images are pulled with. arn builds the name of a thing in the
// stage's account and region. ownSecret is the ARN of the secret that holds its encrypted values, empty for none.
func (s *Stage) ExecutionStatements(name string, arn func(service, resource string) string,
	ownSecret string) []Statement {
	var statements []Statement
	if repositories := s.RepositoryARNs(name, arn); len(repositories) > 0 {
		statements = append(statements,
			// The only action that has no resource to narrow it to.
			Statement{Sid: "Login", Effect: "Allow", Action: []string{"ecr:GetAuthorizationToken"}, Resource: []string{"*"}},
			Statement{Sid: "Pull", Effect: "Allow", Action: []string{
				"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer",
			}, Resource: repositories})
	}
	statements = append(statements, Statement{Sid: "Log", Effect: "Allow", Action: []string{
		"logs:CreateLogStream", "logs:PutLogEvents",
	}, Resource: []string{arn("logs", "log-group:"+s.LogGroup(name)+":*")}})
	values := slices.Collect(maps.Values(s.PullCredentials(s.TaskDefinition(name))))
	if ownSecret != "" {
		values = append(values, ownSecret)
	}
	named := slices.Collect(maps.Values(s.TaskDefinition(name).AllSecrets()))
	return append(statements, SecretStatements(named, values)...)
}

// SecretStatements let a role read secrets that the stage does not keep, and others by the ARNs in values.
func SecretStatements(named []Secret, values []string) (statements []Statement) {
	var parameters []string
	for _, secret := range named {
		switch {
		case secret.ARN == "":
		case secret.IsParameter():
			parameters = append(parameters, secret.ARN)
		default:
			values = append(values, SecretARN(secret.ARN))
		}
	}
	// Two variables may be given parts of one secret.
	parameters, values = distinct(parameters), distinct(values)
	if len(parameters) > 0 {
		statements = append(statements, Statement{Sid: "Parameters", Effect: "Allow", Action: []string{"ssm:GetParameters"},
			Resource: parameters})
	}
	if len(values) > 0 {
		statements = append(statements, Statement{Sid: "Secrets", Effect: "Allow",
			Action: []string{"secretsmanager:GetSecretValue"}, Resource: values})
	}
	return statements
}

// TaskStatements are what the containers' own code of a service or a task may do: what the stage file permits, and what
// ECS Exec needs.
func (s *Stage) TaskStatements(name string) []Statement {
	var statements []Statement
	for _, permission := range s.TaskDefinition(name).Permissions {
		statements = append(statements, Statement{
			Effect: "Allow", Action: permission.Actions, Resource: permission.Resources, Condition: permission.Conditions,
		})
	}
	if s.Services[name].Exec {
		// AWS has no resources for the channels
		// (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html).
		statements = append(statements, Statement{Sid: "Exec", Effect: "Allow", Action: []string{
			"ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel",
			"ssmmessages:OpenDataChannel",
		}, Resource: []string{"*"}})
	}
	return statements
}

// RepositoryARNs are the ECR repositories that hold the images of a service or a task. Other registries ask no
// permission of AWS.
func (s *Stage) RepositoryARNs(name string, arn func(service, resource string) string) []string {
	var arns []string
	for _, image := range s.TaskDefinition(name).AllImages() {
		declared, is := s.Images[image]
		if is && declared.Owned() {
			arns = append(arns, arn("ecr", "repository/"+s.RepositoryName(image)))
			continue
		}
		there, inECR := imageref.ParseECR(image)
		if is {
			there, inECR = *declared.Ref, declared.Ref.Account != ""
		}
		if inECR {
			arns = append(arns, RepositoryARN(there))
		}
	}
	return distinct(arns)
}

func distinct(arns []string) []string {
	slices.Sort(arns)
	return slices.Compact(arns)
}
