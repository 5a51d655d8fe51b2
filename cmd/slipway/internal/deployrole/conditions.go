package deployrole

import (
	"slices"
	"strings"
)

// conditions of a statement: values by condition key, by operator.
type conditions = map[string]map[string][]string

func equals(key string, values ...string) conditions {
	return conditions{"StringEquals": {key: values}}
}

// requestTags hold where a new thing gets the tags of the stage, ownTags for what has them.
func requestTags(n *names) conditions { return n.tagged("aws:RequestTag/") }
func ownTags(n *names) conditions     { return n.tagged("aws:ResourceTag/") }

func (n *names) tagged(prefix string) conditions {
	return conditions{"StringEquals": {prefix + "project": {n.Project}, prefix + "stage": {n.Name}}}
}

// passedTo holds where a role is passed to one service of AWS.
func passedTo(service string) func(*names) conditions {
	return func(*names) conditions { return equals("iam:PassedToService", service+".amazonaws.com") }
}

// linkedFor holds where the role is the one that a service makes for itself.
func linkedFor(service string) func(*names) conditions {
	return func(*names) conditions { return equals("iam:AWSServiceName", service) }
}

// bounded holds for roles with the stage's permissions boundary, if it has one.
func bounded(n *names) conditions {
	if n.Roles.PermissionsBoundary == "" {
		return nil
	}
	return equals("iam:PermissionsBoundary", n.Roles.PermissionsBoundary)
}

func ofECS(*names) conditions { return equals("application-autoscaling:service-namespace", "ecs") }

// inCluster holds for what is in the stage's cluster.
func inCluster(n *names) conditions {
	return conditions{"ArnEquals": {"ecs:cluster": n.clusters()}}
}

// records are the names that a change of DNS records is about.
const records = "route53:ChangeResourceRecordSetsNormalizedRecordNames"

// ownRecords holds for the DNS records of the stage's hosts, and for those that prove to ACM whose they are.
func ownRecords(n *names) conditions {
	var own []string
	for _, service := range n.Services {
		if service.Route == nil {
			continue
		}
		for _, host := range service.Route.Hosts {
			own = append(own, strings.ReplaceAll(strings.ToLower(host), "*", `\052`)) // as Route 53 writes it
		}
	}
	for _, domain := range n.CertificateDomains() {
		if len(n.certificates()) > 0 {
			own = append(own, "_*."+strings.TrimPrefix(domain, "*."))
		}
	}
	slices.Sort(own)
	return conditions{"ForAllValues:StringLike": {records: slices.Compact(own)}}
}
