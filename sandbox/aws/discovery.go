package aws

import (
	"path"
	"strings"

	"slipway/sandbox/account/discovery"
)

var httpNamespace = &resourceType{
	kind: discovery.Namespace, noun: "Service Discovery HTTP Namespace", key: "name",
	properties: properties{
		"arn": result, "httpName": result,
		"description": {empty: "", replaces: true},
		"name":        given,
		"tags":        tags, "tagsAll": tagsAll,
	},
	identify: func(c *call) (string, error) { return c.account.NewID("ns-") },
	fill: func(c *call) {
		c.state["arn"] = c.arn("servicediscovery", "namespace/"+c.id)
		c.state["httpName"] = strings.ToLower(text(c.state, "name"))
	},
	objectKey: func(c *call) string { return path.Base(c.id) },
}
