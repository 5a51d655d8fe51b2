package api

import (
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"slipway/sandbox/account"
	"slipway/sandbox/account/elb"
	"slipway/sandbox/account/instances"
	"slipway/sandbox/account/vpc"
)

func elbNotFound(code, message string) error { return &account.Error{Code: code, Message: message} }

// elbNamed are the things of a kind whose names a form has; all where it has none.
func elbNamed(a *account.Account, form url.Values, kind, code, message string) (found []account.Object, err error) {
	names := members(form, "Names.member")
	all, err := a.Objects(kind)
	for _, each := range all {
		if name, _ := each["name"].(string); len(names) == 0 || slices.Contains(names, name) {
			found = append(found, each)
		}
	}
	if err == nil && len(found) < len(names) {
		err = elbNotFound(code, message)
	}
	return found, err
}

func describeLoadBalancers(a *account.Account, _ string, form url.Values) (any, error) {
	found, err := elbNamed(a, form, elb.LoadBalancer, "LoadBalancerNotFound", "One or more load balancers not found")
	type balancer struct{ LoadBalancerArn, LoadBalancerName any }
	var answer struct {
		Balancers []balancer `xml:"LoadBalancers>member"`
	}
	for _, each := range found {
		answer.Balancers = append(answer.Balancers, balancer{each["arn"], each["name"]})
	}
	return answer, err
}

func describeTargetGroups(a *account.Account, _ string, form url.Values) (any, error) {
	found, err := elbNamed(a, form, elb.TargetGroup, "TargetGroupNotFound", "One or more target groups not found")
	type group struct{ TargetGroupArn, TargetGroupName any }
	var answer struct {
		Groups []group `xml:"TargetGroups>member"`
	}
	for _, each := range found {
		answer.Groups = append(answer.Groups, group{each["arn"], each["name"]})
	}
	return answer, err
}

// mostTagged is how many things AWS tells the tags of at once
// (https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html).
const mostTagged = 20

// describeElbTags has the tags of load balancers and target groups.
func describeElbTags(a *account.Account, _ string, form url.Values) (any, error) {
	type described struct {
		ResourceArn string
		Tags        []tag `xml:"Tags>member"`
	}
	var answer struct {
		Described []described `xml:"TagDescriptions>member"`
	}
	arns := members(form, "ResourceArns.member")
	if len(arns) > mostTagged {
		return nil, &account.Error{Code: "ValidationError",
			Message: "1 validation error detected: Value at 'resourceArns' failed to " +
				"satisfy constraint: Member must have length less than or equal to 20"}
	}
	for _, arn := range arns {
		kind, code := elb.LoadBalancer, "LoadBalancerNotFound"
		if strings.Contains(arn, ":targetgroup/") {
			kind, code = elb.TargetGroup, "TargetGroupNotFound"
		}
		found, err := a.Object(kind, path.Base(arn))
		if err == nil && found == nil {
			err = elbNotFound(code, "The resource '"+arn+"' does not exist")
		}
		if err != nil {
			return nil, err
		}
		answer.Described = append(answer.Described, described{arn, tagsOf(found)})
	}
	return answer, nil
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
	balancer, err := a.Object(elb.LoadBalancer, path.Base(arn))
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
	found, err := elbOf(a, elb.Listener, "loadBalancerArn", arn, "port")
	for each, port := range found {
		answer.Listeners = append(answer.Listeners, listener{each, port})
	}
	return answer, err
}

func describeRules(a *account.Account, _ string, form url.Values) (any, error) {
	arn := form.Get("ListenerArn")
	listener, err := a.Object(elb.Listener, path.Base(arn))
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
	found, err := elbOf(a, elb.ListenerRule, "listenerArn", arn, "priority")
	for each, priority := range found {
		answer.Rules = append(answer.Rules, rule{each, priority})
	}
	return answer, err
}

func describeLaunchTemplates(a *account.Account, _ string, form url.Values) (any, error) {
	by, err := filters(form, "launch-template-name")
	if err != nil {
		return nil, err
	}
	all, err := a.Objects(instances.LaunchTemplate)
	type template struct {
		ID   string `xml:"launchTemplateId"`
		Name string `xml:"launchTemplateName"`
	}
	var answer struct {
		Templates []template `xml:"launchTemplates>item"`
	}
	for _, each := range all {
		if name := each.Text("name"); admits(by, "launch-template-name", name) {
			answer.Templates = append(answer.Templates, template{each.Text("id"), name})
		}
	}
	return answer, err
}

func describeSecurityGroups(a *account.Account, _ string, form url.Values) (any, error) {
	by, err := filters(form, "vpc-id", "group-name", "tag:project", "tag:stage")
	if err != nil {
		return nil, err
	}
	all, err := a.Objects(vpc.SecurityGroup)
	type tagged struct {
		Key   string `xml:"key"`
		Value string `xml:"value"`
	}
	type group struct {
		ID   string   `xml:"groupId"`
		Name string   `xml:"groupName"`
		Tags []tagged `xml:"tagSet>item"`
	}
	var answer struct {
		Groups []group `xml:"securityGroupInfo>item"`
	}
	for _, each := range all {
		name, _ := each["name"].(string)
		found := group{path.Base(each["arn"].(string)), name, nil}
		held := map[string]string{}
		for _, one := range tagsOf(each) {
			found.Tags, held[one.Key] = append(found.Tags, tagged(one)), one.Value
		}
		if admits(by, "vpc-id", each["vpcId"].(string)) && admits(by, "group-name", name) &&
			admits(by, "tag:project", held["project"]) && admits(by, "tag:stage", held["stage"]) {
			answer.Groups = append(answer.Groups, found)
		}
	}
	return answer, err
}
