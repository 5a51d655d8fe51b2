package elb

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"slipway/sandbox/account"
	"slipway/sandbox/alb"
)

// LiveListener is a listener as whoever makes it answer sees it: with its rules, and without targets, which only those
// who register them know.
type LiveListener struct {
	ARN          string
	LoadBalancer string // its name
	Settings     alb.Listener
}

// LocalPort is where it answers on this machine; 0 where it never has.
func (l LiveListener) LocalPort() int { return l.Settings.LocalPorts[l.Settings.Port] }

// LiveListeners are those of all load balancers of the account, of each in the order of their ports.
func LiveListeners(t *account.Tx) (live []LiveListener) {
	for _, balancer := range account.List[account.Object](t, LoadBalancer) {
		var own []LiveListener
		ports, hosts := map[int]int{}, []string{}
		for _, o := range account.List[account.Object](t, Listener) {
			if o.Text("loadBalancerArn") != balancer.Text("arn") {
				continue
			}
			l := LiveListener{ARN: o.Text("arn"), LoadBalancer: balancer.Text("name")}
			decode(o, &l.Settings)
			l.Settings.IdleTimeout = balancer.Number("idleTimeout", 0)
			l.Settings.Rules = rulesOf(t, l.ARN)
			l.Settings.TargetGroups = groupsOf(t, l.Settings)
			if port := account.Get[int](t, localPortKind, l.localPortID()); port != nil {
				ports[l.Settings.Port] = *port
			}
			hosts = append(hosts, alb.HostsOf(l.Settings.Rules)...)
			own = append(own, l)
		}
		slices.SortFunc(own, func(x, y LiveListener) int { return cmp.Compare(x.Settings.Port, y.Settings.Port) })
		for i := range own {
			own[i].Settings.LocalPorts, own[i].Settings.Hosts = ports, hosts
		}
		live = append(live, own...)
	}
	return live
}

// FindLoadBalancer finds a load balancer by its name; it is empty where there is none.
func FindLoadBalancer(t *account.Tx, name string) account.Object {
	for _, balancer := range account.List[account.Object](t, LoadBalancer) {
		if balancer.Text("name") == name {
			return *balancer
		}
	}
	return account.Object{}
}

// decode reads an object whose fields are those of the API.
func decode(from any, to any) {
	content, err := json.Marshal(from)
	account.Must(err)
	account.Must(json.Unmarshal(content, to))
}

func rulesOf(t *account.Tx, listener string) (rules []alb.Rule) {
	for _, o := range account.List[account.Object](t, ListenerRule) {
		if o.Text("listenerArn") == listener {
			var rule alb.Rule
			decode(o, &rule)
			rules = append(rules, rule)
		}
	}
	slices.SortFunc(rules, func(x, y alb.Rule) int { return cmp.Compare(x.Priority, y.Priority) })
	return rules
}

// groupsOf are the target groups that a listener forwards to.
func groupsOf(t *account.Tx, l alb.Listener) map[string]alb.TargetGroup {
	groups := map[string]alb.TargetGroup{}
	actions := l.DefaultActions
	for _, rule := range l.Rules {
		actions = slices.Concat(actions, rule.Actions)
	}
	for _, arn := range alb.GroupsOf(actions) {
		if o := account.Get[account.Object](t, TargetGroup, account.AfterSlash(arn)); o != nil {
			var group alb.TargetGroup
			decode(o, &group)
			groups[arn] = group
		}
	}
	return groups
}

// localPortKind keeps where a listener answers on this machine. Its address outlives the listener: one of the same name
// is found where it was.
const localPortKind = "localPort"

func (l LiveListener) localPortID() string {
	return strings.ToLower(fmt.Sprint(l.LoadBalancer, ":", l.Settings.Port))
}

// KeepLocalPort keeps where a listener answers on this machine.
func KeepLocalPort(a *account.Account, l LiveListener, port int) error {
	return a.Transact(func(t *account.Tx) error {
		account.Put(t, localPortKind, l.localPortID(), port)
		return nil
	})
}

const authorityKind = "certificateAuthority"

// Authority is that of all HTTPS listeners, made when it is first asked for.
func Authority(a *account.Account) (authority alb.Authority, err error) {
	err = a.Transact(func(t *account.Tx) error {
		t = t.Shared()
		if known := account.Get[alb.Authority](t, authorityKind, ""); known != nil {
			authority = *known
			return nil
		}
		if authority, err = alb.NewAuthority(); err != nil {
			return err
		}
		account.Put(t, authorityKind, "", authority)
		return nil
	})
	return authority, err
}
