package aws

import (
	"fmt"
	"strings"

	"slipway/sandbox/account/elb"
)

// action is one action of a listener or of a rule.
var action = properties{
	"authenticateCognito": {unsupported: true}, "authenticateOidc": {unsupported: true},
	"fixedResponse": {kept: true, fields: properties{"contentType": {required: true}, "messageBody": {empty: ""},
		"statusCode": {computed: true, empty: "200"}}},
	"forward": {fields: properties{
		"stickiness":   {fields: properties{"duration": {required: true}, "enabled": {standard: false}}},
		"targetGroups": {required: true, set: true, fields: properties{"arn": {required: true}, "weight": {standard: 1.0}}}}},
	"order": {computed: true, empty: 1.0},
	"redirect": {fields: properties{"host": {standard: "#{host}"}, "path": {standard: "/#{path}"},
		"port":     {standard: "#{port}"},
		"protocol": {standard: "#{protocol}"}, "query": {standard: "#{query}"}, "statusCode": {required: true}}},
	"targetGroupArn": {empty: ""},
	"type":           {required: true},
}

var listener = &resourceType{
	kind: elb.Listener, noun: "ELBv2 Listener", key: "loadBalancerArn", arnID: true,
	properties: properties{
		"alpnPolicy":           {unsupported: true},
		"arn":                  result,
		"certificateArn":       optional,
		"defaultActions":       {required: true, fields: action},
		"loadBalancerArn":      given,
		"port":                 optional,
		"protocol":             {computed: true, empty: "HTTP"},
		"mutualAuthentication": {computed: true, unsupported: true},
		"sslPolicy":            {computed: true, empty: ""},
		"tags":                 tags, "tagsAll": tagsAll,
	},
	validate: func(path string, inputs values, fail func(string)) {
		c := checker{path, fail}
		c.between(inputs, "port", 1, 65535)
		c.oneOf(inputs, "protocol", "HTTP", "HTTPS")
		if inputs["port"] == nil {
			c.refuse("port", `"port" is required by an application load balancer`)
		}
		c.actions(inputs, "defaultActions")
	},
	identify: func(c *call) (string, error) {
		key, err := elb.NewKey(c.account, elb.Listener)
		return strings.Replace(text(c.state, "loadBalancerArn"), ":loadbalancer/", ":listener/", 1) + "/" + key, err
	},
	fill: func(c *call) {
		c.state["arn"] = c.id
		if policy := text(c.state, "sslPolicy"); text(c.state, "protocol") != "HTTPS" {
			c.state["sslPolicy"] = ""
		} else if policy == "" {
			c.state["sslPolicy"] = "ELBSecurityPolicy-2016-08"
		}
	},
	custom: &operations{update: refill},
}

// actions wants each action to have what its type needs.
func (c checker) actions(inputs values, key string) {
	list, _ := inputs[key].([]any)
	for i, element := range list {
		a, isObject := element.(values)
		if !isObject {
			continue
		}
		c := c.in(fmt.Sprintf("%s[%d]", key, i))
		block := fmt.Sprintf("%s[%d].", strings.TrimSuffix(argument(key), "s"), i)
		c.oneOf(a, "type", "forward", "redirect", "fixed-response")
		field := map[string]string{"redirect": "redirect", "fixed-response": "fixedResponse"}[text(a, "type")]
		switch {
		case field != "" && a[field] == nil:
			c.refuse(field, "Attribute %q must be specified when %q is %q", block+argument(field), block+"type", text(a, "type"))
		case text(a, "type") == "forward" && a["targetGroupArn"] == nil && a["forward"] == nil:
			c.refuse("type", "Either %q or %q must be specified when %q is \"forward\"", block+"target_group_arn",
				block+"forward", block+"type")
		}
		if redirect, ok := a["redirect"].(values); ok {
			c.in("redirect").oneOf(redirect, "statusCode", "HTTP_301", "HTTP_302")
			c.in("redirect").oneOf(redirect, "protocol", "#{protocol}", "HTTP", "HTTPS")
		}
		if response, ok := a["fixedResponse"].(values); ok {
			c.in("fixedResponse").oneOf(response, "contentType", "text/plain", "text/css", "text/html", "application/javascript",
				"application/json")
		}
	}
}

var (
	oneOfThem = properties{"values": {required: true, set: true}}
	condition = properties{
		"hostHeader":        {fields: oneOfThem},
		"httpHeader":        {fields: properties{"httpHeaderName": {required: true}, "values": {required: true, set: true}}},
		"httpRequestMethod": {fields: oneOfThem},
		"pathPattern":       {fields: oneOfThem},
		"queryStrings":      {set: true, empty: texts, fields: properties{"key": {empty: ""}, "value": {required: true}}},
		"sourceIp":          {fields: oneOfThem},
	}
)

var listenerRule = &resourceType{
	kind: elb.ListenerRule, noun: "ELBv2 Listener Rule", key: "listenerArn", arnID: true,
	properties: properties{
		"actions":     {required: true, fields: action},
		"arn":         result,
		"conditions":  {required: true, set: true, fields: condition},
		"listenerArn": given,
		"priority":    {computed: true},
		"tags":        tags, "tagsAll": tagsAll,
	},
	validate: func(path string, inputs values, fail func(string)) {
		c := checker{path, fail}
		c.between(inputs, "priority", 1, 50000)
		c.actions(inputs, "actions")
		conditions, _ := inputs["conditions"].([]any)
		for i, element := range conditions {
			if given, ok := canonical(element).(values); ok && len(given) != 1 {
				c.refuse(fmt.Sprintf("conditions[%d]", i), "one and only one of `host_header,http_header,http_request_method,"+
					"path_pattern,query_string,source_ip` must be set in a condition block")
			}
		}
	},
	identify: func(c *call) (string, error) {
		if c.state["priority"] == nil {
			if err := lastPriority(c); err != nil {
				return "", err
			}
		}
		key, err := elb.NewKey(c.account, elb.ListenerRule)
		return strings.Replace(text(c.state, "listenerArn"), ":listener/", ":listener-rule/", 1) + "/" + key, err
	},
	fill: func(c *call) { c.state["arn"] = c.id },
}

// lastPriority puts a rule that asks for no priority after every other one of its listener.
func lastPriority(c *call) error {
	rules, err := c.account.Objects(elb.ListenerRule)
	last := 0
	for _, rule := range rules {
		if text(rule, "listenerArn") == text(c.state, "listenerArn") {
			last = max(last, number(rule, "priority"))
		}
	}
	c.state["priority"] = float64(last + 1)
	return err
}
