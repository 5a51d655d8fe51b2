package components

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/servicediscovery"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/components/internal/rollout"
	"slipway/internal/ecsread"
	"slipway/stage"
)

// newNamespace declares where the stage's services find each other by name.
func newNamespace(ctx *pulumi.Context, settings *stage.Stage, parent pulumi.Resource) (*servicediscovery.HttpNamespace,
	error) {
	return servicediscovery.NewHttpNamespace(ctx, settings.Name, &servicediscovery.HttpNamespaceArgs{
		Name: pulumi.String(settings.Cluster()),
		Tags: pulumi.ToStringMap(settings.AllTags()),
	}, pulumi.Parent(parent))
}

// connection is how the service takes part in Service Connect: by a name of its own, as a client, or both. One that had
// it, and has it no more, says that it is off: ECS keeps what is left out.
func (w *Workload) connection() ecs.ServiceServiceConnectConfigurationPtrInput {
	service := w.Stage.Services[w.name]
	if !usesNames(service) {
		if w.Preflight.kept.connected[w.name] {
			return &ecs.ServiceServiceConnectConfigurationArgs{Enabled: pulumi.Bool(false)}
		}
		return nil
	}
	connection := &ecs.ServiceServiceConnectConfigurationArgs{Enabled: pulumi.Bool(true),
		Namespace: w.Cluster.namespace.Arn}
	if service.Name != "" {
		connection.Services = ecs.ServiceServiceConnectConfigurationServiceArray{
			&ecs.ServiceServiceConnectConfigurationServiceArgs{
				PortName: pulumi.String(service.Name), DiscoveryName: pulumi.String(service.Name),
				ClientAlias: ecs.ServiceServiceConnectConfigurationServiceClientAliasArray{
					&ecs.ServiceServiceConnectConfigurationServiceClientAliasArgs{
						DnsName: pulumi.String(service.Name), Port: pulumi.Int(service.Port),
					}},
			}}
	}
	return connection
}

// usesNames tells whether a service is called by its name, or calls others.
func usesNames(service stage.Service) bool { return service.Name != "" || len(service.Calls) > 0 }

// hasConnection tells whether ECS has anything of Service Connect for the service, be it that it is off.
func hasConnection(service types.Service) bool {
	return ecsread.Primary(service).ServiceConnectConfiguration != nil
}

// connectionOf is what the service was told of Service Connect, by the stage or by a transformation of a team's.
func connectionOf(told *ecs.ServiceServiceConnectConfiguration) (connection rollout.Connection) {
	if told == nil || !told.Enabled {
		return connection
	}
	connection.Enabled = true
	for _, own := range told.Services {
		name := own.PortName
		if own.DiscoveryName != nil {
			name = *own.DiscoveryName
		}
		connection.Names = append(connection.Names, name)
	}
	slices.Sort(connection.Names)
	return connection
}

// checkNamesFree refuses a name that another service of the stage still has in ECS, which takes a name once: while both
// are updated, it would be a matter of luck which one is first. owners are the services by their names in ECS.
func checkNamesFree(settings *stage.Stage, owners map[string]string) (mistakes []error) {
	for _, service := range sortedKeys(settings.Services) {
		name := settings.Services[service].Name
		if owner := owners[name]; name != "" && owner != "" && owner != service {
			mistakes = append(mistakes, fmt.Errorf("%s: is %s, which services.%s is called in ECS; take it away from that in an "+
				"update of its own (`pulumi up`), and give it to services.%s in the next",
				settings.Where("services", service, "name"), name, owner, service))
		}
	}
	return mistakes
}
