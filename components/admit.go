package components

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// admit opens the service's port to those that its allowFrom has, and to the services that call it.
func (w *Workload) admit(ctx *pulumi.Context, workloads map[string]*Workload, parent pulumi.ResourceOption) (
	[]pulumi.Resource, error) {
	service := w.Stage.Services[w.name]
	peers := slices.DeleteFunc(slices.Clone(service.AllowFrom), func(peer string) bool {
		// An existing load balancer's group is let in by the route, and AWS takes no rule twice.
		return workloads[peer] != nil || service.Route != nil && slices.Contains(w.balancer().foreignGroups, peer)
	})
	var rules []pulumi.Resource
	for _, door := range w.doors() {
		admitted, err := door.admit(ctx, door.name, service.Port, peers, parent)
		if err != nil {
			return nil, err
		}
		rules = append(rules, admitted...)
		for _, peer := range w.Stage.Admitted(w.name) {
			rule, err := door.newRule(ctx, door.name+"-from-service-"+peer, "ingress", service.Port,
				workloads[peer].asPeer(), parent)
			if err != nil {
				return nil, err
			}
			rules = append(rules, rule)
		}
	}
	return rules, nil
}

// admitToPorts opens the further ports of its containers to whom each says. All workloads have their groups then.
func (w *Workload) admitToPorts(ctx *pulumi.Context, workloads map[string]*Workload) error {
	containers := w.Stage.TaskDefinition(w.name).AllContainers(w.name)
	for _, container := range sortedKeys(containers) {
		for _, port := range containers[container].SortedPorts() {
			for _, peer := range port.AllowFrom {
				called, other := peer, from(peer)
				if service := workloads[peer]; service != nil {
					called, other = "service-"+peer, service.asPeer()
				}
				for _, door := range w.doors() {
					rule, err := door.register(ctx, fmt.Sprintf("%s-%d-%s-from-%s", door.name, port.Port, port.Protocol, called),
						"ingress", port.Protocol, port.Port, other, []pulumi.ResourceOption{pulumi.Parent(w)})
					if err != nil {
						return err
					}
					w.ready = append(w.ready, rule)
				}
			}
		}
	}
	return nil
}

// asPeer is the workload as the other side of a rule.
func (w *Workload) asPeer() pulumi.Map { return pulumi.Map{"sourceSecurityGroupId": w.group.ID()} }
