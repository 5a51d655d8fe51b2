// Package alb is a listener of an Application Load Balancer: it answers requests by the listener's rules. It knows no
// account and no engine, and the standard library only: the program loadbalancer is the one file of its image.
package alb

import "slices"

// Listener is what a listener does. Field names are those of the account's objects, whatever their case.
type Listener struct {
	Protocol       string // HTTP or HTTPS
	Port           int    // by which clients on AWS know it
	IdleTimeout    int    // seconds
	DefaultActions []Action
	Rules          []Rule // in the order in which they are tried
	TargetGroups   map[string]TargetGroup
	// LocalPorts are where the listeners of its load balancer answer on this machine, by their own ports, and Hosts the
	// hosts that they have rules for. A redirect to those stays on this machine.
	LocalPorts map[int]int
	Hosts      []string
	Authority  Authority // signs the certificates of HTTPS
}

// Rule is a listener rule: its last action is done where a request meets all conditions.
type Rule struct {
	Priority   int
	Conditions []Condition
	Actions    []Action
}

// Condition has one of its fields set.
type Condition struct {
	HostHeader, PathPattern, HTTPRequestMethod, SourceIP *Values
	HTTPHeader                                           *struct {
		HTTPHeaderName string
		Values         []string
	}
	QueryStrings []struct{ Key, Value string }
}

// Values are what one of has to fit.
type Values struct{ Values []string }

// Action is what is done with a request.
type Action struct {
	Type           string // forward, redirect or fixed-response
	TargetGroupARN string
	Forward        *Forward
	Redirect       *Redirect
	FixedResponse  *FixedResponse
}

// FixedResponse is an answer without a target.
type FixedResponse struct{ ContentType, MessageBody, StatusCode string }

// Forward sends requests to target groups by their weights.
type Forward struct {
	TargetGroups []struct {
		ARN    string
		Weight int
	}
	Stickiness struct {
		Enabled  bool
		Duration int // seconds
	}
}

// TargetGroup has the targets that take requests: those that are healthy and not deregistered.
type TargetGroup struct {
	Protocol        string // HTTP or HTTPS
	ProtocolVersion string // HTTP1, HTTP2 or GRPC
	Stickiness      struct {
		Enabled        bool
		Type           string
		CookieDuration int // seconds
	}
	Targets []Target
}

// Target is a port of a task.
type Target struct {
	Task string // its ARN
	Port int
	Host string // its address, which only the engine knows
}

// HostsOf are the hosts, or patterns of such, that rules are for, in their order, each once.
func HostsOf(rules []Rule) (patterns []string) {
	for _, r := range rules {
		for _, c := range r.Conditions {
			if c.HostHeader == nil {
				continue
			}
			for _, host := range c.HostHeader.Values {
				if !slices.Contains(patterns, host) {
					patterns = append(patterns, host)
				}
			}
		}
	}
	return patterns
}

// GroupsOf are the target groups that actions forward to.
func GroupsOf(actions []Action) (arns []string) {
	for _, action := range actions {
		if action.TargetGroupARN != "" {
			arns = append(arns, action.TargetGroupARN)
		}
		if action.Forward != nil {
			for _, group := range action.Forward.TargetGroups {
				arns = append(arns, group.ARN)
			}
		}
	}
	return arns
}
