package ecs

import (
	"slices"
	"strings"

	"slipway/sandbox/account"
	"slipway/sandbox/account/dns"
	"slipway/sandbox/account/elb"
	"slipway/sandbox/account/vpc"
)

// Names are the host names that a task's containers can call, with the ARNs of whoever answers there: listeners of load
// balancers, by the names of these and of records that lead to them, and tasks by the names of Service Connect. Where
// security groups do not let the task through, which is a timeout on AWS, the name is not there.
func (a Agent) Names(taskARN string) (names map[string][]string, err error) {
	names = map[string][]string{}
	err = a.of(taskARN).Transact(func(t *account.Tx) error {
		from := securityGroupsOf(t, taskARN)
		for _, l := range elb.LiveListeners(t) {
			balancer := elb.FindLoadBalancer(t, l.LoadBalancer)
			if !vpc.Connected(t, from, balancer.List("securityGroups"), l.Settings.Port) {
				continue
			}
			for _, host := range hostsOf(t, balancer) {
				names[host] = append(names[host], l.ARN)
			}
		}
		calledNames(t, taskARN, names)
		return nil
	})
	return names, err
}

// hostsOf are the names by which a load balancer is found.
func hostsOf(t *account.Tx, balancer account.Object) (hosts []string) {
	own := strings.ToLower(balancer.Text("dnsName"))
	leads := func(name string) bool {
		return strings.TrimPrefix(strings.TrimSuffix(strings.ToLower(name), "."), "dualstack.") == own
	}
	hosts = append(hosts, own)
	for _, record := range account.List[account.Object](t, dns.Record) {
		to := record.List("records")
		for _, alias := range account.Objects((*record)["aliases"]) {
			to = append(to, account.Text(alias["name"]))
		}
		if slices.ContainsFunc(to, leads) && !strings.HasPrefix(record.Text("fqdn"), "*") {
			hosts = append(hosts, record.Text("fqdn"))
		}
	}
	return hosts
}

// securityGroupsOf are those of a task.
func securityGroupsOf(t *account.Tx, taskARN string) (groups []string) {
	for _, s := range account.List[Service](t, serviceKind) {
		if slices.ContainsFunc(s.Tasks, func(task *Task) bool { return task.ARN == taskARN }) {
			groups = s.Settings.SecurityGroups
		}
	}
	for _, task := range standaloneTasks(t) {
		if task.ARN == taskARN {
			groups = task.Run.Network.SecurityGroups
		}
	}
	if len(groups) == 0 {
		groups = []string{vpc.DefaultSecurityGroup}
	}
	return groups
}
