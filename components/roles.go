package components

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

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
func (r roles) newTaskRole(ctx *pulumi.Context, name, roleName string, opts ...pulumi.ResourceOption) (*iam.Role,
	error) {
	return r.newRole(ctx, name, roleName, "ecs-tasks.amazonaws.com", r.account.ARN("ecs", "*"), opts...)
}

// newRole declares a role that only a service of AWS can assume, for what it does in this account on behalf of a
// source.
func (r roles) newRole(ctx *pulumi.Context, name, roleName, service, source string,
	opts ...pulumi.ResourceOption) (*iam.Role, error) {
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
// the secrets that they name, and nothing more. ownSecret is the ARN of the secret that holds the encrypted values, if
// any.
func (r roles) execution(ctx *pulumi.Context, ownSecret pulumi.StringOutput, opts ...pulumi.ResourceOption,
) (*iam.Role, []pulumi.Resource, error) {
	role, err := r.newTaskRole(ctx, r.name+"-execution", r.stage.ExecutionRole(r.name), opts...)
	if err != nil {
		return nil, nil, err
	}
	// How many policies there are must be known before the secret's ARN is.
	like := r.stage.OwnSecretLike(r.name, r.account.ARN)
	texts, managed, err := stage.Policies(r.stage.ExecutionStatements(r.name, r.account.ARN, like))
	if err != nil {
		return nil, nil, err
	}
	var permissions []pulumi.StringOutput
	if !managed {
		permissions = []pulumi.StringOutput{ownSecret.ApplyT(func(own string) (string, error) {
			return stage.PolicyText(r.stage.ExecutionStatements(r.name, r.account.ARN, own)...)
		}).(pulumi.StringOutput)}
	} else {
		for _, text := range texts {
			permissions = append(permissions, ownSecret.ApplyT(func(own string) string {
				return strings.ReplaceAll(text, like, cmp.Or(own, like))
			}).(pulumi.StringOutput))
		}
	}
	attached, err := r.attachAll(ctx, "execution", role, permissions, managed, opts...)
	return role, attached, err
}

// attachAll gives a role its permissions: one inline policy, or managed ones where they are too long for that.
func (r roles) attachAll(ctx *pulumi.Context, name string, role *iam.Role, permissions []pulumi.StringOutput,
	managed bool,
	opts ...pulumi.ResourceOption,
) (attached []pulumi.Resource, err error) {
	if !managed {
		inline, err := r.attach(ctx, name, role, permissions[0], opts...)
		return []pulumi.Resource{inline}, err
	}
	for i, text := range permissions {
		// As inline policies do, a changed one takes another name, and so stands beside the earlier one for a while.
		part := fmt.Sprintf("%s-%s-%d", r.name, name, i+1)
		policy, err := iam.NewPolicy(ctx, part, &iam.PolicyArgs{
			Name: text.ApplyT(func(text string) string {
				return fmt.Sprintf("%s-%s-%d-%s", r.stage.Family(r.name), name, i+1, hashOf(text))
			}).(pulumi.StringOutput),
			Path:   pulumi.String(r.stage.Roles.Path),
			Policy: text,
			Tags:   pulumi.ToStringMap(r.stage.TagsOf(r.name)),
		}, append(opts, pulumi.DeleteBeforeReplace(false))...)
		if err != nil {
			return nil, err
		}
		one, err := iam.NewRolePolicyAttachment(ctx, part, &iam.RolePolicyAttachmentArgs{Role: role.Name,
			PolicyArn: policy.Arn},
			append(opts, pulumi.DeleteBeforeReplace(false))...)
		if err != nil {
			return nil, err
		}
		attached = append(attached, one)
	}
	return attached, nil
}

// hashOf begins a text's hash.
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:4])
}

// attach gives a role its permissions, under a name that depends on them. Other permissions are then another policy
// beside the earlier one, which goes only when the update has succeeded: until then tasks of the earlier revision
// start with what they need, also after a rollback.
func (r roles) attach(ctx *pulumi.Context, name string, role *iam.Role, permissions pulumi.StringOutput,
	opts ...pulumi.ResourceOption,
) (pulumi.Resource, error) {
	return iam.NewRolePolicy(ctx, r.name+"-"+name, &iam.RolePolicyArgs{
		Name: permissions.ApplyT(func(text string) string {
			return name + "-" + hashOf(text)
		}).(pulumi.StringOutput),
		Role:   role.Name,
		Policy: permissions,
	}, append(opts, pulumi.DeleteBeforeReplace(false))...) // as the provider would for anything that the program names
}

// task declares the role that the containers' own code has, with a policy of what the stage file permits: none where
// that is nothing.
func (r roles) task(ctx *pulumi.Context, opts ...pulumi.ResourceOption) (*iam.Role, []pulumi.Resource, error) {
	role, err := r.newTaskRole(ctx, r.name+"-task", r.stage.TaskRole(r.name), opts...)
	if err != nil {
		return nil, nil, err
	}
	statements := r.stage.TaskStatements(r.name)
	if len(statements) == 0 {
		return role, nil, nil
	}
	texts, managed, err := stage.Policies(statements)
	if err != nil {
		return nil, nil, err
	}
	var permissions []pulumi.StringOutput
	for _, text := range texts {
		permissions = append(permissions, pulumi.String(text).ToStringOutput())
	}
	attached, err := r.attachAll(ctx, "task", role, permissions, managed, opts...)
	return role, attached, err
}
