// Package ecs is Amazon ECS: clusters, task definitions, services with their deployments, and tasks. It stands on the
// other services that a task needs.
package ecs

import (
	"cmp"
	"slices"
	"strings"

	"slipway/internal/awslimits"
	"slipway/sandbox/account"
	"slipway/sandbox/account/iam"
	"slipway/sandbox/account/scaling"
	"slipway/sandbox/account/vpc"
)

// Cluster is the kind of ECS's clusters, each by its name.
const Cluster = "cluster"

func init() {
	account.Register(Cluster, account.Rules{Created: func(t *account.Tx) { iam.MakeLinkedRole(t, iam.ECSLinkedRole) },
		Delete: deleteCluster,
		Check: func(_ *account.Tx, id string, o account.Object) error {
			return account.MustMatch("clusterName", cmp.Or(o.Text("name"), id), awslimits.ECSName.MatchString,
				"InvalidParameterException")
		}})
	account.Register(vpc.SecurityGroup, account.Rules{Delete: func(t *account.Tx, id string, _ account.Object,
		_ bool) error {
		for _, s := range account.List[Service](t, serviceKind) {
			advance(t, s)
			if s.Status != statusInactive && slices.Contains(s.Settings.SecurityGroups, id) {
				return vpc.SecurityGroupInUse(id)
			}
		}
		return nil
	}})
	account.Register(scaling.ScalableTarget, account.Rules{Check: func(t *account.Tx, _ string, o account.Object) error {
		id := strings.TrimPrefix(o.Text("resourceId"), "service/")
		if s := account.Get[Service](t, serviceKind, id); s == nil || s.Status != statusActive {
			return account.Refuse("ValidationException", "ECS service doesn't exist: %s", o.Text("resourceId"))
		}
		return nil
	}})
}

func deleteCluster(t *account.Tx, id string, o account.Object, _ bool) error {
	for _, s := range account.List[Service](t, serviceKind) {
		if s.cluster() == id && s.Status != statusInactive {
			return account.Refuse("ClusterContainsServicesException",
				"The Cluster cannot be deleted while Services are active.")
		}
	}
	for _, task := range standaloneTasks(t) {
		if task.LastStatus != taskStopped && task.ClusterARN() == o.Text("arn") {
			return account.Refuse("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
		}
	}
	if f := advanceInstances(t); f != nil && slices.ContainsFunc(f.instances, func(c *ContainerInstance) bool {
		return c.ClusterARN == o.Text("arn")
	}) {
		return account.Refuse("ClusterContainsContainerInstancesException",
			"The Cluster cannot be deleted while Container Instances are active or draining.")
	}
	account.Remove(t, ClusterCapacityProviders, id) // they are the cluster's
	return nil
}

func clusterARN(t *account.Tx, reference string) (string, error) {
	if reference == "" {
		reference = "default"
	}
	o := account.Get[account.Object](t, Cluster, account.AfterSlash(reference))
	if o == nil || (strings.HasPrefix(reference, "arn:") && o.Text("arn") != reference) {
		return "", account.Refuse("ClusterNotFoundException", "Cluster not found.")
	}
	return o.Text("arn"), nil
}
