package components

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/internals"

	"slipway/internal/policies"
	"slipway/internal/secretref"
	"slipway/stage"
)

// Handover is what resources of a team's own give to the containers that name it in the stage file: `uses: [queue]`.
// A container that uses it gets its variables and secrets, and its task the permissions. When one of them changes, the
// revisions of those containers do, and nothing else. All values may be outputs of resources that are yet to be made.
type Handover struct {
	// Environment are variables and their values, which anybody sees who may describe the task definition. No value may
	// be a secret of Pulumi's.
	Environment pulumi.StringMap
	// Secrets are variables and the ARNs of what holds their values: secrets of Secrets Manager (alone, or with
	// :JSON-KEY:VERSION-STAGE:VERSION-ID) and parameters of SSM. The task may read them when it starts.
	Secrets pulumi.StringMap
	// Permissions are what the containers' own code may do.
	Permissions []Permission
	// Network is where tasks run, for a stage that says `network: {uses: NAME}`; nil where it hands over none.
	Network *NetworkHandover
}

// Permission is what the containers' own code may do, as `permissions` of the stage file says it.
type Permission struct {
	// Actions are those of an AWS service, such as sqs:SendMessage; at least one.
	Actions []string
	// Resources are the ARNs of what the actions may be done to; at least one.
	Resources pulumi.StringArray
}

// NetworkHandover is a VPC of a team's own.
type NetworkHandover struct {
	// VPC is its id.
	VPC pulumi.StringInput
	// Subnets are the ids of those that tasks run in.
	Subnets pulumi.StringArrayInput
	// LoadBalancerSubnets are the ids of those that the stage's load balancer is in, of two availability zones at
	// least; nil for those of the tasks.
	LoadBalancerSubnets pulumi.StringArrayInput
}

// Handovers are what a team's own resources hand over, by the name that `uses` has: letters, digits, - and _.
type Handovers map[string]Handover

// check holds what is handed over against what the stage file uses, and returns it with checks of the values, which are
// made once these are known.
func (h Handovers) check(ctx *pulumi.Context, settings *stage.Stage) (Handovers, error) {
	names, checked := map[string]stage.HandedOver{}, Handovers{}
	var incomplete []error
	for _, name := range sortedKeys(h) {
		each := h[name]
		incomplete = append(incomplete, each.incomplete(name)...)
		known := stage.HandedOver{Variables: sortedKeys(each.Environment), Secrets: sortedKeys(each.Secrets),
			Network: each.Network != nil}
		for _, permission := range each.Permissions {
			known.Actions = append(known.Actions, permission.Actions)
		}
		names[name] = known
	}
	mistakes := settings.CheckHandovers(names)
	if len(incomplete) > 0 {
		return nil, errors.Join(append(incomplete, mistakes)...)
	}
	for name, each := range h {
		checked[name] = each.withChecks(ctx, name)
	}
	if ctx.DryRun() { // in which values that are not known yet are checked by nobody later
		for _, name := range sortedKeys(h) {
			for _, variable := range sortedKeys(h[name].Environment) {
				mistakes = errors.Join(mistakes, notSecret(ctx, name, variable, h[name].Environment[variable]))
			}
		}
	}
	return checked, mistakes
}

// incomplete are the values that the hand-over called name lacks: where a program has nil in their place.
func (h Handover) incomplete(name string) (mistakes []error) {
	addMissing := func(what, advice string) {
		mistakes = append(mistakes, fmt.Errorf("the program's hand-over %s: %s; %s", name, what, advice))
	}
	for in, values := range map[string]pulumi.StringMap{"Environment": h.Environment, "Secrets": h.Secrets} {
		for _, variable := range sortedKeys(values) {
			if values[variable] == nil {
				addMissing(in+" has no value for "+variable, "give it one, or remove it")
			}
		}
	}
	for _, permission := range h.Permissions {
		if len(permission.Resources) == 0 || slices.Contains(permission.Resources, pulumi.StringInput(nil)) {
			addMissing(fmt.Sprintf("the permission to %s has no Resources, or a nil among them", strings.Join(permission.Actions, " ")),
				"name the ARNs of what the actions may be done to")
		}
	}
	if h.Network != nil && (h.Network.VPC == nil || h.Network.Subnets == nil) {
		addMissing("its Network has no VPC, or no Subnets", "give it both")
	}
	return mistakes
}

// notSecret refuses a value that Pulumi keeps secret. It waits until the value is known, or known to be unknown.
func notSecret(ctx *pulumi.Context, name, variable string, value pulumi.StringInput) error {
	result, err := internals.UnsafeAwaitOutput(ctx.Context(), value.ToStringOutput())
	if err == nil && result.Secret {
		return fmt.Errorf("the program's hand-over %s: %s is a secret of Pulumi's, and a container's environment is readable "+
			"in AWS; keep it in Secrets Manager or SSM, and hand its ARN over in Secrets", name, variable)
	}
	return err
}

// withChecks is the hand-over called name, whose values are errors where they cannot be what they are to be.
func (h Handover) withChecks(ctx *pulumi.Context, name string) Handover {
	environment, secrets := pulumi.StringMap{}, pulumi.StringMap{}
	for variable, value := range h.Environment {
		environment[variable] = value.ToStringOutput().ApplyT(func(text string) (string, error) {
			return text, notSecret(ctx, name, variable, value)
		}).(pulumi.StringOutput)
	}
	for variable, reference := range h.Secrets {
		secrets[variable] = reference.ToStringOutput().ApplyT(func(text string) (string, error) {
			if !secretref.IsARN(text) {
				return "", fmt.Errorf("the program's hand-over %s: Secrets has %s, whose value is not the ARN of a secret in "+
					"Secrets Manager or of a parameter in SSM; hand over the ARN of what holds it", name, variable)
			}
			return text, nil
		}).(pulumi.StringOutput)
	}
	h.Environment, h.Secrets = environment, secrets
	return h
}

// usedBy are the hand-overs that any container of a task uses.
func (h Handovers) usedBy(definition stage.TaskDefinition) Handovers {
	used := Handovers{}
	for _, container := range definition.AllContainers("") {
		for _, name := range container.Uses {
			used[name] = h[name]
		}
	}
	return used
}

// environment are the variables of each, by the hand-over's name; secrets the references of the secret ones.
func (h Handovers) environment() pulumi.StringMapMapOutput {
	all := pulumi.StringMapMap{}
	for name, each := range h {
		all[name] = each.Environment
	}
	return all.ToStringMapMapOutput()
}

func (h Handovers) secrets() pulumi.StringMapMapOutput {
	all := pulumi.StringMapMap{}
	for name, each := range h {
		all[name] = each.Secrets
	}
	return all.ToStringMapMapOutput()
}

// executionPolicy lets a role read the secrets of a hand-over. says is what is known of it before its resources are
// there, empty where it has none.
func (h Handover) executionPolicy() (says string, text pulumi.StringOutput) {
	return strings.Join(sortedKeys(h.Secrets), " "), h.Secrets.ToStringMapOutput().ApplyT(
		func(references map[string]string) (string, error) {
			return policies.Text(policies.ReadSecrets(slices.Collect(maps.Values(references)))...)
		}).(pulumi.StringOutput)
}

// taskPolicy lets a role do what a hand-over permits. says is what is known of it before its resources are there, empty
// where it permits nothing.
func (h Handover) taskPolicy() (says string, text pulumi.StringOutput) {
	var actions []string
	var resources pulumi.StringArrayArray
	for _, permission := range h.Permissions {
		actions = append(actions, strings.Join(permission.Actions, " "))
		resources = append(resources, permission.Resources)
	}
	return strings.Join(actions, "\n"), resources.ToStringArrayArrayOutput().ApplyT(
		func(resources [][]string) (string, error) {
			var statements []statement
			for i, permission := range h.Permissions {
				for _, resource := range resources[i] {
					if resource != "*" && !arn.IsARN(resource) {
						return "", fmt.Errorf("the program hands over the permission to %s on %q, which is not an ARN",
							strings.Join(permission.Actions, " "), resource)
					}
				}
				statements = append(statements, statement{Effect: "Allow", Action: permission.Actions, Resource: resources[i]})
			}
			return policies.Text(statements...)
		}).(pulumi.StringOutput)
}
