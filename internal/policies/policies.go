// Package policies has the IAM policies of a stage's roles: what they say, and how many it takes to say it.
package policies

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"slipway/internal/awslimits"
	"slipway/internal/imageref"
	"slipway/internal/secretref"
	"slipway/stage"
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

// Text is an IAM policy of these statements.
func Text(statements ...Statement) (string, error) {
	text, err := json.Marshal(struct {
		Version   string
		Statement []Statement
	}{"2012-10-17", statements})
	return string(text), err
}

// Execution are what the execution role of a service or a task may do: pull its containers' images, write its
// log, and read the secrets that it names or that its images are pulled with. arn builds the name of a thing in the
// stage's account and region. ownSecret is the ARN of the secret that holds its encrypted values, empty for none.
func Execution(s *stage.Stage, name string, arn func(service, resource string) string,
	ownSecret string) []Statement {
	var statements []Statement
	if repositories := Repositories(s, name, arn); len(repositories) > 0 {
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
	secrets := append(slices.Collect(maps.Values(s.PullCredentials(s.TaskDefinition(name)))), ownSecret)
	for _, secret := range s.TaskDefinition(name).AllSecrets() {
		secrets = append(secrets, secret.ARN)
	}
	return append(statements, ReadSecrets(secrets)...)
}

// InstancesPolicy is the ARN of Amazon's policy of what ECS's agent may do on an instance
// (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/instance_IAM_role.html).
func InstancesPolicy(partition string) string {
	return "arn:" + partition + ":iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"
}

// ReadSecrets let a role read secrets and parameters, by references to them or to parts of them; empty ones are none.
func ReadSecrets(references []string) (statements []Statement) {
	var parameters, secrets []string
	for _, reference := range references {
		switch {
		case reference == "":
		case secretref.IsParameter(reference):
			parameters = append(parameters, reference)
		default:
			secrets = append(secrets, secretref.ARN(reference))
		}
	}
	// Two variables may be given parts of one secret.
	parameters, secrets = distinct(parameters), distinct(secrets)
	if len(parameters) > 0 {
		statements = append(statements, Statement{Sid: "Parameters", Effect: "Allow", Action: []string{"ssm:GetParameters"},
			Resource: parameters})
	}
	if len(secrets) > 0 {
		statements = append(statements, Statement{Sid: "Secrets", Effect: "Allow",
			Action: []string{"secretsmanager:GetSecretValue"}, Resource: secrets})
	}
	return statements
}

// Task are what the containers' own code of a service or a task may do: what the stage file permits, and what
// ECS Exec and volumes in EFS need.
func Task(s *stage.Stage, name string, arn func(service, resource string) string) []Statement {
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
	return append(statements, volumes(s.TaskDefinition(name), arn)...)
}

// volumes let tasks mount their volumes that are in EFS.
func volumes(definition stage.TaskDefinition, arn func(service, resource string) string) (statements []Statement) {
	for _, volume := range slices.Sorted(maps.Keys(definition.Volumes)) {
		efs := definition.Volumes[volume].EFS
		statement := Statement{Effect: "Allow", Action: []string{"elasticfilesystem:ClientMount"},
			Resource: []string{arn("elasticfilesystem", "file-system/"+efs.ID)}}
		if definition.WritesTo(volume) {
			statement.Action = append(statement.Action, "elasticfilesystem:ClientWrite")
		}
		if efs.AccessPoint != "" {
			statement.Condition = map[string]map[string][]string{"StringEquals": {"elasticfilesystem:AccessPointArn": {
				arn("elasticfilesystem", "access-point/"+efs.AccessPoint)}}}
		}
		if !slices.ContainsFunc(statements, func(s Statement) bool { return reflect.DeepEqual(s, statement) }) {
			statements = append(statements, statement)
		}
	}
	return statements
}

// mayMount tells whether what Task permits lets a task mount a file system of EFS, by an access point or without one,
// and write to it.
func mayMount(definition stage.TaskDefinition, efs stage.EFS, writes bool) bool {
	for name, volume := range definition.Volumes {
		there := volume.EFS
		if there.ID == efs.ID && (there.AccessPoint == "" || there.AccessPoint == efs.AccessPoint) &&
			(!writes || definition.WritesTo(name)) {
			return true
		}
	}
	return false
}

// MountMistake says what Task does not permit of a mount of an earlier revision, and what to write for it; empty for
// nothing.
func MountMistake(definition stage.TaskDefinition, efs stage.EFS, writes bool, service string) string {
	by := efs.ID
	if efs.AccessPoint != "" {
		by += " by " + efs.AccessPoint
	}
	does := "mounts"
	switch {
	case mayMount(definition, efs, writes):
		return ""
	case mayMount(definition, efs, false):
		does = "writes to"
	}
	return fmt.Sprintf("%s %s, which the task role may not: write at services.%s.volumes and mounts what that revision "+
		"had, or go back by `git revert`", does, by, service)
}

// Repositories are the ECR repositories that hold the images of a service or a task. Other registries ask no
// permission of AWS.
func Repositories(s *stage.Stage, name string, arn func(service, resource string) string) []string {
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

// RepositoryARN is the ARN of the repository of an image that is in ECR.
func RepositoryARN(ref imageref.Ref) string {
	return fmt.Sprintf("arn:%s:ecr:%s:%s:repository/%s", awslimits.Partition(ref.Region), ref.Region, ref.Account,
		ref.Repository)
}

func distinct(arns []string) []string {
	slices.Sort(arns)
	return slices.Compact(arns)
}
