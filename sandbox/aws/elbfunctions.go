package aws

import (
	"fmt"
	"maps"

	"slipway/sandbox/account"
	"slipway/sandbox/account/elb"
)

func getLoadBalancer(a *account.Account, _ string, args values) (values, error) {
	balancers, err := a.Objects(elb.LoadBalancer)
	if err != nil {
		return nil, err
	}
	for _, found := range balancers {
		if arn := text(args, "arn"); arn != "" && text(found, "arn") != arn {
			continue
		}
		if name := text(args, "name"); name != "" && text(found, "name") != name {
			continue
		}
		state := values{"id": found["arn"], "clientKeepAlive": 3600.0, "connectionLogs": texts, "ipamPools": texts,
			"dnsRecordClientRoutingPolicy": "", "enableZonalShift": false,
			"enforceSecurityGroupInboundRulesOnPrivateLinkTraffic": "",
			"tags": found["tagsAll"]}
		for key, p := range loadBalancer.properties {
			if _, set := state[key]; !set && key != "tagsAll" && key != "namePrefix" {
				if state[key] = found[key]; found[key] == nil {
					state[key] = p.empty
				}
			}
		}
		return state, nil
	}
	return nil, fmt.Errorf("Search returned 0 results, please revise so only one is returned")
}

func getListener(a *account.Account, _ string, args values) (values, error) {
	listeners, err := a.Objects(elb.Listener)
	if err != nil {
		return nil, err
	}
	if text(args, "arn") == "" && (text(args, "loadBalancerArn") == "" || args["port"] == nil) {
		return nil, fmt.Errorf("one of `arn,load_balancer_arn` must be specified, and a port with the latter")
	}
	for _, found := range listeners {
		if arn := text(args, "arn"); arn != "" && text(found, "arn") != arn {
			continue
		}
		if balancer := text(args, "loadBalancerArn"); balancer != "" &&
			(text(found, "loadBalancerArn") != balancer || found["port"] != args["port"]) {
			continue
		}
		state := values{"id": found["arn"], "alpnPolicy": "", "certificateArn": text(found, "certificateArn"),
			"mutualAuthentications": texts, "tags": found["tagsAll"]}
		for _, key := range []string{"arn", "loadBalancerArn", "port", "protocol", "sslPolicy"} {
			state[key] = found[key]
		}
		actions, _ := found["defaultActions"].([]any)
		listed := []any{}
		for _, a := range actions {
			listed = append(listed, listedAction(a.(values)))
		}
		state["defaultActions"] = listed
		return state, nil
	}
	return nil, fmt.Errorf("no matching ELBv2 Listener found")
}

// listedAction is an action as functions give it: with a list wherever resources have an object.
func listedAction(action values) values {
	listed := maps.Clone(action)
	inLists := func(v values, names map[string]string) {
		for one, many := range names {
			list := []any{}
			if v[one] != nil {
				list = append(list, v[one])
			}
			v[many] = list
			delete(v, one)
		}
	}
	if forward, ok := listed["forward"].(values); ok {
		forward = maps.Clone(forward)
		inLists(forward, map[string]string{"stickiness": "stickinesses"})
		listed["forward"] = forward
	}
	inLists(listed, map[string]string{"authenticateCognito": "authenticateCognitos",
		"authenticateOidc": "authenticateOidcs",
		"fixedResponse":    "fixedResponses", "forward": "forwards", "redirect": "redirects"})
	return listed
}
