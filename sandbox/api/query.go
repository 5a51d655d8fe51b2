package api

import (
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"slipway/sandbox/account"
)

// query answers one request of the query protocol, which has forms and XML.
type query func(a *account.Account, region string, form url.Values) (any, error)

// queries are those of each service, by the name that requests are signed for.
var queries = map[string]map[string]query{
	"ec2": {
		"DescribeLaunchTemplates": describeLaunchTemplates,
		"DescribeRouteTables":     describeRouteTables,
		"DescribeSecurityGroups":  describeSecurityGroups,
		"DescribeSubnets":         describeSubnets,
		"DescribeVpcEndpoints":    describeVpcEndpoints,
		"DescribeVpcs":            describeVpcs,
	},
	"elasticloadbalancing": {
		"DescribeListeners":     describeListeners,
		"DescribeLoadBalancers": describeLoadBalancers,
		"DescribeRules":         describeRules,
		"DescribeTags":          describeElbTags,
		"DescribeTargetGroups":  describeTargetGroups,
	},
	"iam": {
		"GetPolicy":               getPolicy,
		"GetRole":                 getRole,
		"ListRolePolicies":        listRolePolicies,
		"SimulatePrincipalPolicy": simulatePrincipalPolicy,
	},
	"sqs": {"GetQueueUrl": getQueueURL},
	"sts": {"AssumeRole": assumeRole, withWebIdentity: assumeRole, "GetCallerIdentity": getCallerIdentity},
}

func answerQuery(w http.ResponseWriter, r *http.Request, a *account.Account) {
	service := cmp.Or(scope(r, scopeService), "sts") // which takes a request that is not signed
	action := r.FormValue("Action")
	do, known := queries[service][action]
	if !known {
		failQuery(w, service, &account.Error{Code: "InvalidAction",
			Message: "The sandbox has no operation " + action + " of " + service + "."})
		return
	}
	if err := authorizeForm(a, region(r), service, r.Form); err != nil {
		failQuery(w, service, err)
		return
	}
	result, err := do(a, region(r), r.Form)
	if err != nil {
		failQuery(w, service, err)
		return
	}
	if service != "ec2" { // whose answers have no element of their own for the result
		result = xmlElement(action+"Result", result)
	}
	writeXML(w, http.StatusOK, xmlElement(action+"Response", result))
}

// xmlNode is an element with a value in it.
type xmlNode struct {
	XMLName xml.Name
	Inner   any
}

func xmlElement(name string, inner any) xmlNode { return xmlNode{xml.Name{Local: name}, inner} }

// MarshalXML writes what the value has into the element itself.
func (n xmlNode) MarshalXML(encoder *xml.Encoder, _ xml.StartElement) error {
	start := xml.StartElement{Name: n.XMLName}
	if inner, isNode := n.Inner.(xmlNode); isNode {
		if err := encoder.EncodeToken(start); err != nil {
			return err
		}
		if err := encoder.Encode(inner); err != nil {
			return err
		}
		return encoder.EncodeToken(start.End())
	}
	return encoder.EncodeElement(n.Inner, start)
}

func failQuery(w http.ResponseWriter, service string, err error) {
	code, status := "InternalFailure", http.StatusInternalServerError
	message := err.Error()
	var refusal *account.Error
	if errors.As(err, &refusal) {
		code, message, status = refusal.Code, refusal.Message, http.StatusBadRequest
	}
	if service == "ec2" {
		writeXML(w, status, struct {
			XMLName xml.Name `xml:"Response"`
			Code    string   `xml:"Errors>Error>Code"`
			Message string   `xml:"Errors>Error>Message"`
		}{Code: code, Message: message})
		return
	}
	writeXML(w, status, struct {
		XMLName xml.Name `xml:"ErrorResponse"`
		Code    string   `xml:"Error>Code"`
		Message string   `xml:"Error>Message"`
	}{Code: code, Message: message})
}

func writeXML(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	_ = xml.NewEncoder(w).Encode(body) // the client has hung up
}

// members are the values of a list in a form: NAME.member.1 in IAM, NAME.1 in EC2.
func members(form url.Values, name string) (values []string) {
	for i := 1; ; i++ {
		key := fmt.Sprintf("%s.%d", name, i)
		if !form.Has(key) {
			return values
		}
		values = append(values, form.Get(key))
	}
}

// tag is one of a thing's.
type tag struct{ Key, Value string }

// tagsOf are all tags of an object, by their keys.
func tagsOf(o account.Object) (tags []tag) {
	held, _ := o["tagsAll"].(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(held)) {
		value, _ := held[key].(string)
		tags = append(tags, tag{key, value})
	}
	return tags
}
