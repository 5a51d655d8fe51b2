package api

import (
	"strings"

	"slipway/sandbox/account"
	"slipway/sandbox/account/discovery"
)

func listNamespaces(a *account.Account, _ string, p struct {
	Filters []struct {
		Name, Condition string
		Values          []string
	}
	NextToken  string
	MaxResults int
}) (any, error) {
	for _, filter := range p.Filters {
		if filter.Name != "TYPE" || len(filter.Values) != 1 || filter.Values[0] != "HTTP" {
			return nil, unknownParameter("Filters."+filter.Name, "ListNamespaces")
		}
	}
	all, err := a.Objects(discovery.Namespace)
	listed := []object{}
	for _, o := range all {
		listed = append(listed, object{"Arn": o["arn"], "Name": o["name"], "Type": "HTTP",
			"Id": o.Text("arn")[strings.LastIndex(o.Text("arn"), "/")+1:]})
	}
	part, next, err2 := page(listed, p.MaxResults, 100, p.NextToken)
	if err == nil {
		err = err2
	}
	answer := object{"Namespaces": part}
	if next != "" {
		answer["NextToken"] = next
	}
	return answer, err
}

func listNamespaceTags(a *account.Account, _ string, p struct{ ResourceARN string }) (any, error) {
	o, err := a.Object(discovery.Namespace, lastPart(p.ResourceARN))
	if err != nil {
		return nil, err
	}
	if o == nil {
		return nil, account.Refuse("ResourceNotFoundException", "No resource found for ARN: %s", p.ResourceARN)
	}
	tags := []object{}
	for _, each := range tagsOf(o) {
		tags = append(tags, object{"Key": each.Key, "Value": each.Value})
	}
	return object{"Tags": tags}, nil
}
