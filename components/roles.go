package components

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/stage"
)

type statement = stage.Statement

// roles declares the roles of one service or task.
type roles struct {
	account *Account
	stage   *stage.Stage
	name    string
}

// newTaskRole declares a role that only tasks of this account and region can assume
// (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html).
func (r roles) newTaskRole(ctx *pulumi.Context, name, roleName string, opts ...pulumi.ResourceOption) (*iam.Role, error) {
	return r.newRole(ctx, name, roleName, "ecs-tasks.amazonaws.com", r.account.ARN("ecs", "*"), opts...)
}

// newRole declares a role that only a service of AWS can assume, for what it does in this account on behalf of a source.
func (r roles) newRole(ctx *pulumi.Context, name, roleName, service, source string, opts ...pulumi.ResourceOption) (*iam.Role, error) {
	trust, err := stage.PolicyText(statement{
		Effect:    "Allow",
		Principal: map[string]string{"Service": service},
		Action:    []string{"sts:AssumeRole"},
		Condition: map[string]map[string][]string{
			"StringEquals": {"aws:SourceAccount": {r.account.ID}},
			"ArnLike":      {"aws:SourceArn": {source}},
		},
	})
	if err != nil {
		return nil, err
	}
	return iam.NewRole(ctx, name, &iam.RoleArgs{
		Name:                pulumi.String(roleName),
		Path:                pulumi.String(r.stage.Roles.Path),
		PermissionsBoundary: optionalString(r.stage.Roles.PermissionsBoundary),
		AssumeRolePolicy:    pulumi.String(trust),
		Tags:                pulumi.ToStringMap(r.stage.TagsOf(r.name)),
	}, opts...)
}

// execution declares the role with which ECS starts tasks. It can pull the containers' images, write their log and read
// the secrets that they name, and nothing more. ownSecret is the ARN of the secret that holds the encrypted values, if any.
func (r roles) execution(ctx *pulumi.Context, ownSecret pulumi.StringOutput, opts ...pulumi.ResourceOption,
) (*iam.Role, pulumi.Resource, error) {
	role, err := r.newTaskRole(ctx, r.name+"-execution", r.stage.ExecutionRole(r.name), opts...)
	if err != nil {
		return nil, nil, err
	}
	permissions := ownSecret.ApplyT(func(own string) (string, error) {
		return stage.PolicyText(r.stage.ExecutionStatements(r.name, r.account.ARN, own)...)
	}).(pulumi.StringOutput)
	attached, err := r.attach(ctx, "execution", role, permissions, opts...)
	return role, attached, err
}

// attach gives a role its permissions, under a name that depends on them. Other permissions are then another policy
// beside the earlier one, which goes only when the update has succeeded: until then tasks of the earlier revision
// start with what they need, also after a rollback.
func (r roles) attach(ctx *pulumi.Context, name string, role *iam.Role, permissions pulumi.StringOutput, opts ...pulumi.ResourceOption,
) (pulumi.Resource, error) {
	return iam.NewRolePolicy(ctx, r.name+"-"+name, &iam.RolePolicyArgs{
		Name: permissions.ApplyT(func(text string) string {
			sum := sha256.Sum256([]byte(text))
			return name + "-" + hex.EncodeToString(sum[:4])
		}).(pulumi.StringOutput),
		Role:   role.Name,
		Policy: permissions,
	}, append(opts, pulumi.DeleteBeforeReplace(false))...) // as the provider would for anything that the program names
}

// task declares the role that the containers' own code has, with a policy of what the stage file permits: none where that
// is nothing.
func (r roles) task(ctx *pulumi.Context, opts ...pulumi.ResourceOption) (*iam.Role, []pulumi.Resource, error) {
	role, err := r.newTaskRole(ctx, r.name+"-task", r.stage.TaskRole(r.name), opts...)
	if err != nil {
		return nil, nil, err
	}
	statements := taskStatements(r.stage.TaskDefinition(r.name), r.stage.Services[r.name].Exec)
	if len(statements) == 0 {
		return role, nil, nil
	}
	permissions, err := stage.PolicyText(statements...)
	if err != nil {
		return nil, nil, err
	}
	attached, err := r.attach(ctx, "task", role, pulumi.String(permissions).ToStringOutput(), opts...)
	return role, []pulumi.Resource{attached}, err
}

func taskStatements(settings stage.TaskDefinition, exec bool) []statement {
	var statements []statement
	for _, permission := range settings.Permissions {
		statements = append(statements, statement{
			Effect: "Allow", Action: permission.Actions, Resource: permission.Resources, Condition: permission.Conditions,
		})
	}
	if exec {
		// AWS has no resources for the channels
		// (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html#ecs-exec-required-iam-permissions).
		statements = append(statements, statement{Sid: "Exec", Effect: "Allow", Action: []string{
			"ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
		}, Resource: []string{"*"}})
	}
	return statements
}
