package components

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/internal/awslimits"
	"slipway/internal/policies"
)

type statement = policies.Statement

// roles declares the roles of a workload, below parent.
type roles struct {
	*Workload
	parent pulumi.ResourceOption
}

// newTaskRole declares a role that only tasks of this account and region can assume
// (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html).
func (r roles) newTaskRole(ctx *pulumi.Context, name, roleName string) (*iam.Role, error) {
	return r.newRole(ctx, name, roleName, "ecs-tasks.amazonaws.com", r.Preflight.account.ARN("ecs", "*"))
}

// newRole declares a role that only a service of AWS can assume, for what it does in this account on behalf of a
// source.
func (r roles) newRole(ctx *pulumi.Context, name, roleName, service, source string) (*iam.Role, error) {
	trust, err := policies.Text(statement{
		Effect:    "Allow",
		Principal: map[string]string{"Service": service},
		Action:    []string{"sts:AssumeRole"},
		Condition: map[string]map[string][]string{
			"StringEquals": {"aws:SourceAccount": {r.Preflight.account.ID}},
			"ArnLike":      {"aws:SourceArn": {source}},
		},
	})
	if err != nil {
		return nil, err
	}
	return iam.NewRole(ctx, name, &iam.RoleArgs{
		Name:                pulumi.String(roleName),
		Path:                pulumi.String(r.Stage.Roles.Path),
		PermissionsBoundary: optionalString(r.Stage.Roles.PermissionsBoundary),
		AssumeRolePolicy:    pulumi.String(trust),
		Tags:                pulumi.ToStringMap(r.Stage.TagsOf(r.name)),
	}, r.parent)
}

// execution declares the role with which ECS starts tasks. It can pull the containers' images, write their log and read
// the secrets that they name, and nothing more. ownSecret is the ARN of the secret that holds the encrypted values, if
// any.
func (r roles) execution(ctx *pulumi.Context, ownSecret pulumi.StringOutput) (*iam.Role, []pulumi.Resource, error) {
	role, err := r.newTaskRole(ctx, r.name+"-execution", r.Stage.ExecutionRole(r.name))
	if err != nil {
		return nil, nil, err
	}
	// How many policies there are must be known before the secret's ARN is.
	like := policies.OwnSecretLike(r.Stage, r.name, r.Preflight.account.ARN)
	texts, managed, err := policies.Split(policies.Execution(r.Stage, r.name, r.Preflight.account.ARN, like))
	if err != nil {
		return nil, nil, err
	}
	var permissions []pulumi.StringOutput
	if !managed {
		permissions = []pulumi.StringOutput{ownSecret.ApplyT(func(own string) (string, error) {
			return policies.Text(policies.Execution(r.Stage, r.name, r.Preflight.account.ARN, own)...)
		}).(pulumi.StringOutput)}
	} else {
		for _, text := range texts {
			permissions = append(permissions, ownSecret.ApplyT(func(own string) string {
				return strings.ReplaceAll(text, like, cmp.Or(own, like))
			}).(pulumi.StringOutput))
		}
	}
	attached, err := r.attachAll(ctx, "execution", role, texts, permissions, managed)
	if err != nil {
		return nil, nil, err
	}
	handed, err := r.attachHandovers(ctx, "execution", role, Handover.executionPolicy)
	return role, append(attached, handed...), err
}

// attachHandovers gives a role what each hand-over that the containers use needs of it, in a policy of its own: only
// once the team's resources are there is it known how long that is. A policy that says something else is made beside
// the earlier one, under a name that Pulumi makes up: where the update fails, the earlier revision still has what it
// needs.
func (r roles) attachHandovers(ctx *pulumi.Context, name string, role *iam.Role,
	policy func(Handover) (says string, text pulumi.StringOutput)) (attached []pulumi.Resource, err error) {
	used := r.Handovers.usedBy(r.Stage.TaskDefinition(r.name))
	for _, handover := range sortedKeys(used) {
		says, text := policy(used[handover])
		if says == "" {
			continue
		}
		inPulumi, options := besideEarlier(r.name+"-"+name+"-uses-"+handover, hashOf(says), r.parent)
		// with the hyphen and seven characters that Pulumi adds
		if !awslimits.IAMName.MatchString(inPulumi + "-1234567") {
			return nil, fmt.Errorf("%s: its name and that of the hand-over %s make the name of a policy that is longer than the "+
				"128 characters that IAM takes; use a shorter one", r.Stage.Key(r.name), handover)
		}
		one, err := iam.NewRolePolicy(ctx, inPulumi, &iam.RolePolicyArgs{Role: role.Name, Policy: text},
			append(options, pulumi.ReplaceOnChanges([]string{"policy"}))...)
		if err != nil {
			return nil, err
		}
		attached = append(attached, one)
	}
	return attached, nil
}

// attachAll gives a role its permissions: one inline policy, or managed ones where they are too long for that. texts
// are the permissions as far as the stage file says them.
func (r roles) attachAll(ctx *pulumi.Context, name string, role *iam.Role, texts []string,
	permissions []pulumi.StringOutput, managed bool) (attached []pulumi.Resource, err error) {
	if !managed {
		inline, err := r.attach(ctx, name, role, texts[0], permissions[0])
		return []pulumi.Resource{inline}, err
	}
	for i, text := range permissions {
		part, options := besideEarlier(fmt.Sprintf("%s-%s-%d", r.name, name, i+1), hashOf(texts[i]), r.parent)
		policy, err := iam.NewPolicy(ctx, part, &iam.PolicyArgs{
			Name: text.ApplyT(func(text string) string {
				return fmt.Sprintf("%s-%s-%d-%s", r.Stage.Family(r.name), name, i+1, hashOf(text))
			}).(pulumi.StringOutput),
			Path:   pulumi.String(r.Stage.Roles.Path),
			Policy: text,
			Tags:   pulumi.ToStringMap(r.Stage.TagsOf(r.name)),
		}, options...)
		if err != nil {
			return nil, err
		}
		one, err := iam.NewRolePolicyAttachment(ctx, part, &iam.RolePolicyAttachmentArgs{
			Role: role.Name, PolicyArn: policy.Arn,
		}, options...)
		if err != nil {
			return nil, err
		}
		attached = append(attached, one)
	}
	return attached, nil
}

// hashOf begins a text's hash.
func hashOf(text string) string { return fmt.Sprintf("%.4x", sha256.Sum256([]byte(text))) }

// attach gives a role its permissions, under a name that depends on them: other permissions stand beside the earlier
// ones, with which tasks of the earlier revision start until the update has succeeded, also after a rollback.
func (r roles) attach(ctx *pulumi.Context, name string, role *iam.Role, text string, permissions pulumi.StringOutput) (
	pulumi.Resource, error) {
	inPulumi, options := besideEarlier(r.name+"-"+name, hashOf(text), r.parent)
	return iam.NewRolePolicy(ctx, inPulumi, &iam.RolePolicyArgs{
		Name:   permissions.ApplyT(func(text string) string { return name + "-" + hashOf(text) }).(pulumi.StringOutput),
		Role:   role.Name,
		Policy: permissions,
	}, options...)
}

// task declares the role that the containers' own code has, with a policy of what the stage file permits: none where
// that is nothing.
func (r roles) task(ctx *pulumi.Context) (*iam.Role, []pulumi.Resource, error) {
	role, err := r.newTaskRole(ctx, r.name+"-task", r.Stage.TaskRole(r.name))
	if err != nil {
		return nil, nil, err
	}
	handed, err := r.attachHandovers(ctx, "task", role, Handover.taskPolicy)
	if err != nil {
		return nil, nil, err
	}
	statements := policies.Task(r.Stage, r.name, r.Preflight.account.ARN)
	if len(statements) == 0 {
		return role, handed, nil
	}
	texts, managed, err := policies.Split(statements)
	if err != nil {
		return nil, nil, err
	}
	var permissions []pulumi.StringOutput
	for _, text := range texts {
		permissions = append(permissions, pulumi.String(text).ToStringOutput())
	}
	attached, err := r.attachAll(ctx, "task", role, texts, permissions, managed)
	return role, append(attached, handed...), err
}
