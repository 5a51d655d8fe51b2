package components

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

type statement struct {
	Sid       string            `json:",omitempty"`
	Effect    string            `json:"Effect"`
	Principal map[string]string `json:",omitempty"`
	Action    []string          `json:"Action"`
	Resource  []string          `json:",omitempty"`
	Condition map[string]any    `json:",omitempty"`
}

func policy(statements ...statement) (string, error) {
	text, err := json.Marshal(struct {
		Version   string
		Statement []statement
	}{"2012-10-17", statements})
	return string(text), err
}

// newTaskRole declares a role that only tasks of this account and region can assume
// (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html).
func newTaskRole(ctx *pulumi.Context, name, roleName string, account *Account, opts ...pulumi.ResourceOption) (*iam.Role, error) {
	trust, err := policy(statement{
		Effect:    "Allow",
		Principal: map[string]string{"Service": "ecs-tasks.amazonaws.com"},
		Action:    []string{"sts:AssumeRole"},
		Condition: map[string]any{
			"StringEquals": map[string]string{"aws:SourceAccount": account.ID},
			"ArnLike":      map[string]string{"aws:SourceArn": account.ARN("ecs", "*")},
		},
	})
	if err != nil {
		return nil, err
	}
	return iam.NewRole(ctx, name, &iam.RoleArgs{
		Name:             pulumi.String(roleName),
		AssumeRolePolicy: pulumi.String(trust),
	}, opts...)
}

// executionPolicy is what ECS needs to start a service's tasks, and nothing more: its image, its log group and the
// secrets that it names.
func executionPolicy(account *Account, repositoryArn, logGroup string, secrets map[string]string) (string, error) {
	statements := []statement{
		// The only action that has no resource to narrow it to.
		{Sid: "Login", Effect: "Allow", Action: []string{"ecr:GetAuthorizationToken"}, Resource: []string{"*"}},
		{Sid: "Pull", Effect: "Allow", Action: []string{
			"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer",
		}, Resource: []string{repositoryArn}},
		{Sid: "Log", Effect: "Allow", Action: []string{
			"logs:CreateLogStream", "logs:PutLogEvents",
		}, Resource: []string{account.ARN("logs", "log-group:"+logGroup+":*")}},
	}
	var parameters, values []string
	for _, name := range sortedKeys(secrets) {
		if arn := secrets[name]; strings.Contains(arn, ":ssm:") {
			parameters = append(parameters, arn)
		} else {
			values = append(values, secretArn(arn))
		}
	}
	// Two variables may be given parts of one secret.
	parameters, values = distinct(parameters), distinct(values)
	if len(parameters) > 0 {
		statements = append(statements, statement{Sid: "Parameters", Effect: "Allow", Action: []string{"ssm:GetParameters"}, Resource: parameters})
	}
	if len(values) > 0 {
		statements = append(statements, statement{Sid: "Secrets", Effect: "Allow", Action: []string{"secretsmanager:GetSecretValue"}, Resource: values})
	}
	return policy(statements...)
}

// secretArn drops the JSON key, version stage and version id that may follow a secret's ARN, which has seven parts.
func secretArn(reference string) string {
	parts := strings.SplitN(reference, ":", 8)
	return strings.Join(parts[:min(7, len(parts))], ":")
}

func distinct(arns []string) []string {
	slices.Sort(arns)
	return slices.Compact(arns)
}
