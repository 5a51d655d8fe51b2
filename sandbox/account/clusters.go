package account

import (
	"cmp"
	"slices"
	"strings"

	"slipway/internal/awslimits"
)

// Cluster is the kind of ECS's clusters, each by its name.
const Cluster = "cluster"

func init() {
	Register(Cluster, Rules{Created: func(t *Tx) { t.makeLinkedRole(ecsLinkedRole) }, Delete: (*Tx).deleteCluster,
		Check: func(_ *Tx, id string, o Object) error {
			return MustMatch("clusterName", cmp.Or(o.Text("name"), id), awslimits.ECSName.MatchString,
				"InvalidParameterException")
		}})
	Register(SecurityGroup, Rules{Delete: func(t *Tx, id string, _ Object, _ bool) error {
		for _, s := range List[Service](t, serviceKind) {
			t.advance(s)
			if s.Status != statusInactive && slices.Contains(s.Settings.SecurityGroups, id) {
				return securityGroupInUse(id)
			}
		}
		return nil
	}})
	Register(ScalableTarget, Rules{Check: func(t *Tx, _ string, o Object) error {
		id := strings.TrimPrefix(o.Text("resourceId"), "service/")
		if s := Get[Service](t, serviceKind, id); s == nil || s.Status != statusActive {
			return Refuse("ValidationException", "ECS service doesn't exist: %s", o.Text("resourceId"))
		}
		return nil
	}})
}

func (t *Tx) deleteCluster(id string, o Object, _ bool) error {
	for _, s := range List[Service](t, serviceKind) {
		if s.cluster() == id && s.Status != statusInactive {
			return Refuse("ClusterContainsServicesException",
				"The Cluster cannot be deleted while Services are active.")
		}
	}
	for _, task := range t.standaloneTasks() {
		if task.LastStatus != taskStopped && task.ClusterARN() == o.Text("arn") {
			return Refuse("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
		}
	}
	return nil
}
