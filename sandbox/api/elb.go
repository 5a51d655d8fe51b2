package api

import (
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"slipway/sandbox/account"
)

func elbNotFound(code, message string) error { return &account.Error{Code: code, Message: message} }

// elbNamed are the ARNs of the things of a kind whose names a form has; of all where it has none.
func elbNamed(a *account.Account, form url.Values, kind, code, message string) (arns []string, err error) {
	names := members(form, "Names.member")
	all, err := a.Objects(kind)
	for _, each := range all {
		if name, _ := each["name"].(string); len(names) == 0 || slices.Contains(names, name) {
			arns = append(arns, each["arn"].(string))
		}
	}
	if err == nil && len(arns) < len(names) {
		err = elbNotFound(code, message)
	}
	return arns, err
}

func describeLoadBalancers(a *account.Account, _ string, form url.Values) (any, error) {
	arns, err := elbNamed(a, form, account.LoadBalancer, "LoadBalancerNotFound", "One or more load balancers not found")
	return struct {
		ARNs []string `xml:"LoadBalancers>member>LoadBalancerArn"`
	}{arns}, err
}

func describeTargetGroups(a *account.Account, _ string, form url.Values) (any, error) {
	arns, err := elbNamed(a, form, account.TargetGroup, "TargetGroupNotFound", "One or more target groups not found")
	return struct {
		ARNs []string `xml:"TargetGroups>member>TargetGroupArn"`
	}{arns}, err
}

// elbOf are the ARNs of the listeners or rules of one thing, each with a number of its own, as the API writes it.
func elbOf(a *account.Account, kind, of, arn, number string) (found map[string]string, err error) {
	found = map[string]string{}
	all, err := a.Objects(kind)
	for _, each := range all {
		if n, _ := each[number].(float64); each[of] == arn {
			found[each["arn"].(string)] = strconv.Itoa(int(n))
		}
	}
	return found, err
}

func describeListeners(a *account.Account, _ string, form url.Values) (any, error) {
	arn := form.Get("LoadBalancerArn")
	balancer, err := a.Object(account.LoadBalancer, path.Base(arn))
	if err != nil {
		return nil, err
	}
	if balancer == nil || !strings.HasPrefix(arn, "arn:") {
		return nil, elbNotFound("LoadBalancerNotFound", "One or more load balancers not found")
	}
	type listener struct {
		ARN  string `xml:"ListenerArn"`
		Port string
	}
	var answer struct {
		Listeners []listener `xml:"Listeners>member"`
	}
	found, err := elbOf(a, account.Listener, "loadBalancerArn", arn, "port")
	for each, port := range found {
		answer.Listeners = append(answer.Listeners, listener{each, port})
	}
	return answer, err
}

func describeRules(a *account.Account, _ string, form url.Values) (any, error) {
	arn := form.Get("ListenerArn")
	listener, err := a.Object(account.Listener, path.Base(arn))
	if err != nil {
		return nil, err
	}
	if listener == nil {
		return nil, elbNotFound("ListenerNotFound", "One or more listeners not found")
	}
	type rule struct {
		ARN      string `xml:"RuleArn"`
		Priority string
	}
	answer := struct {
		Rules []rule `xml:"Rules>member"`
	}{[]rule{{strings.Replace(arn, ":listener/", ":listener-rule/", 1) + "/default", "default"}}}
	found, err := elbOf(a, account.ListenerRule, "listenerArn", arn, "priority")
	for each, priority := range found {
		answer.Rules = append(answer.Rules, rule{each, priority})
	}
	return answer, err
}

func describeSecurityGroups(a *account.Account, _ string, form url.Values) (any, error) {
	by, err := filters(form, "vpc-id", "group-name")
	if err != nil {
		return nil, err
	}
	all, err := a.Objects(account.SecurityGroup)
	type group struct {
		ID   string `xml:"groupId"`
		Name string `xml:"groupName"`
	}
	var answer struct {
		Groups []group `xml:"securityGroupInfo>item"`
	}
	for _, each := range all {
		name, _ := each["name"].(string)
		if arn, _ := each["arn"].(string); admits(by, "vpc-id", each["vpcId"].(string)) && admits(by, "group-name", name) {
			answer.Groups = append(answer.Groups, group{path.Base(arn), name})
		}
	}
	return answer, err
}
