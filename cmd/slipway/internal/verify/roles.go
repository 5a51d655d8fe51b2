package verify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/exit"
	"slipway/internal/awslimits"
	"slipway/internal/policies"
)

// role is an IAM role as GetRole describes it.
type role struct {
	ARN      string
	Trust    string // percent-encoded
	Boundary string // the ARN of a policy
	Tags     map[string]string
}

// checkRoles checks that the roles of services, tasks and schedules can be assumed, and that nothing takes from the
// execution roles what the update gives them.
func (v *verifier) checkRoles() {
	if boundary := v.stage.Roles.PermissionsBoundary; boundary != "" {
		v.add("role", v.stage.Where("roles", "permissionsBoundary"), func(ctx context.Context) (string, error) {
			return v.boundary(ctx, boundary)
		})
	}
	v.checkLinkedRoles()
	for _, name := range v.stage.TaskDefinitions() {
		v.pending = append(v.pending, func(ctx context.Context) []Check { return v.rolesOf(ctx, name) })
	}
}

// checkLinkedRoles tells which of AWS's own roles the account does not have yet. The first call that needs one makes
// it, where the credentials may; CreateCluster goes on where they may not, and CreateService fails minutes later
// (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using-service-linked-roles.html).
func (v *verifier) checkLinkedRoles() {
	linked := func(key, name, service string) {
		v.add("role", key, func(ctx context.Context) (string, error) {
			found, err := v.role(ctx, name)
			switch {
			case err != nil:
				return "", err
			case found == nil:
				return "", noted("the account has no role %s yet: the update makes it, if its credentials may "+
					"iam:CreateServiceLinkedRole, and waits until AWS can use it; otherwise have it made by `aws iam "+
					"create-service-linked-role --aws-service-name %s`", name, service)
			}
			return "the account has the role " + name, nil
		})
	}
	if definitions := v.stage.TaskDefinitions(); len(definitions) > 0 {
		linked(v.stage.WhereDefined(definitions[0]), "AWSServiceRoleForECS", "ecs.amazonaws.com")
	}
	if v.stage.HasRoutes() && v.stage.LoadBalancer.ARN == "" || v.stage.HasInternalRoutes() {
		linked(v.stage.Where("loadBalancer"), "AWSServiceRoleForElasticLoadBalancing", "elasticloadbalancing.amazonaws.com")
	}
	for _, name := range slices.Sorted(maps.Keys(v.stage.Services)) {
		if v.stage.Services[name].Scaling != nil {
			linked(v.stage.Where("services", name, "scaling"), "AWSServiceRoleForApplicationAutoScaling_ECSService",
				"ecs.application-autoscaling.amazonaws.com")
			return
		}
	}
}

func (v *verifier) boundary(ctx context.Context, policy string) (string, error) {
	_, err := v.IAM.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &policy})
	if awsreader.IsCode(err, "NoSuchEntity") {
		return "", exit.Refuse("there is no policy %s: make it, or name one that `aws iam list-policies "+
			"--policy-usage-filter PermissionsBoundary` lists", policy)
	}
	return "the policy is there", err
}

// rolesOf checks the two roles of a service or a task, and what the execution role may do, and that of its schedule.
func (v *verifier) rolesOf(ctx context.Context, of string) []Check {
	key := v.stage.WhereDefined(of)
	var checks []Check
	names, by := []string{v.stage.ExecutionRole(of), v.stage.TaskRole(of)}, ecsTasks
	if v.stage.Tasks[of].Schedule != nil {
		names = append(names, v.stage.ScheduleRole(of))
	}
	for _, name := range names {
		if name == v.stage.ScheduleRole(of) {
			by = schedules
		}
		found, err := v.role(ctx, name)
		if err != nil {
			checks = append(checks, newCheck("role", key, "", err))
			continue
		}
		if found == nil {
			checks = append(checks, newCheck("role", key, "",
				noted("the role %s is made by the update, and can be checked from then on", name)))
			continue
		}
		if err := v.stage.CheckOwner(of, found.Tags); err != nil { // the same for all its roles
			return append(checks, newCheck("role", key, "", exit.Refuse("%w", err)))
		}
		checks = append(checks, v.managed(ctx, of, name)...)
		said, err := v.trusted(name, found, by)
		checks = append(checks, newCheck("role", key, said, err))
		if name == v.stage.ExecutionRole(of) {
			said, err := v.allowed(ctx, of, name, found)
			checks = append(checks, newCheck("role", key, said, err))
		}
	}
	return checks
}

// arn is the name of a resource of the stage's account and region.
func (v *verifier) arn(service, resource string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", awslimits.Partition(v.Region), service, v.Region, v.Account, resource)
}

// managed tells that a role is about to get managed policies in place of an inline one. What cannot be read says
// nothing.
func (v *verifier) managed(ctx context.Context, of, name string) (checks []Check) {
	for _, role := range policies.ManagedRoles(v.stage, of, v.arn) {
		if role.Name != name {
			continue
		}
		answer, err := v.IAM.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: &name})
		if err != nil {
			continue
		}
		if change := role.Change(answer.PolicyNames); change != "" {
			key, message, _ := strings.Cut(change, ": ")
			checks = append(checks, newCheck("role", key, "", noted("%s", message)))
		}
	}
	return checks
}

// role describes a role; nil where there is none.
func (v *verifier) role(ctx context.Context, name string) (*role, error) {
	answer, err := v.IAM.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	if awsreader.IsCode(err, "NoSuchEntity") {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	found := &role{ARN: aws.ToString(answer.Role.Arn), Trust: aws.ToString(answer.Role.AssumeRolePolicyDocument),
		Tags: map[string]string{}}
	for _, tag := range answer.Role.Tags {
		found.Tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	if boundary := answer.Role.PermissionsBoundary; boundary != nil {
		found.Boundary = aws.ToString(boundary.PermissionsBoundaryArn)
	}
	return found, nil
}

var (
	ecsTasks  = assumer{"ecs-tasks.amazonaws.com", "ecs", "tasks"}
	schedules = assumer{"scheduler.amazonaws.com", "scheduler", "schedules"}
)

// allowed asks IAM whether an execution role that is there could do what the update lets it. What the update gives the
// role goes into the question, so that only what no update fixes is found.
func (v *verifier) allowed(ctx context.Context, of, name string, found *role) (string, error) {
	if boundary := v.stage.Roles.PermissionsBoundary; boundary != "" && boundary != found.Boundary {
		return "", noted("the role %s gets another permissions boundary with the update, and what that permits can be "+
			"checked from then on", name)
	}
	statements := policies.Execution(v.stage, of, v.arn, policies.OwnSecretLike(v.stage, of, v.arn))
	policy, err := policies.Text(statements...)
	if err != nil {
		return "", err
	}
	var denied, unsure []string
	for _, statement := range statements {
		for _, resource := range statement.Resource {
			answer, err := v.simulate(ctx, found.ARN, policy, statement.Action, resource)
			if err != nil {
				return "", err
			}
			for _, result := range answer {
				switch what := aws.ToString(result.EvalActionName) + " on " + resource; {
				case result.EvalDecision == iamtypes.PolicyEvaluationDecisionTypeAllowed:
				case len(result.MissingContextValues) > 0:
					unsure = append(unsure, what+" (depends on "+strings.Join(result.MissingContextValues, ", ")+")")
				default:
					denied = append(denied, what+" ("+because(result, found.Boundary)+")")
				}
			}
		}
	}
	switch {
	case len(denied) > 0:
		return "", exit.Refuse("the role %s could not do %s: allow it there", name, strings.Join(denied, ", "))
	case len(unsure) > 0:
		return "", noted("slipway does not know whether the role %s could do %s", name, strings.Join(unsure, ", "))
	}
	return fmt.Sprintf("the role %s may pull its images, write its log and read its secrets", name), nil
}

func (v *verifier) simulate(ctx context.Context, role, policy string, actions []string,
	resource string) ([]iamtypes.EvaluationResult, error) {
	answer, err := v.IAM.SimulatePrincipalPolicy(ctx, &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: &role, PolicyInputList: []string{policy}, ResourceArns: []string{resource}, ActionNames: actions,
	})
	if err != nil {
		return nil, err
	}
	return answer.EvaluationResults, nil
}

// because says what takes a permission away.
func because(result iamtypes.EvaluationResult, boundary string) string {
	inOrganization, inBounds := result.OrganizationsDecisionDetail, result.PermissionsBoundaryDecisionDetail
	switch {
	case inOrganization != nil && !inOrganization.AllowedByOrganizations:
		return "a policy of the organization forbids it"
	case inBounds != nil && !inBounds.AllowedByPermissionsBoundary:
		return "the permissions boundary " + boundary + " does not allow it"
	case result.EvalDecision == iamtypes.PolicyEvaluationDecisionTypeExplicitDeny:
		return "another policy of the role denies it"
	default:
		return "nothing allows it"
	}
}
