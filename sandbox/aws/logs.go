package aws

import "slipway/sandbox/account"

var logGroup = &resourceType{
	kind: account.LogGroup, noun: "CloudWatch Logs Log Group", key: "name", autoname: true,
	existing: "ResourceAlreadyExistsException: The specified log group already exists: %s",
	properties: properties{
		"arn":             result,
		"kmsKeyId":        {empty: ""},
		"name":            {replaces: true},
		"namePrefix":      {replaces: true, computed: true, empty: ""},
		"retentionInDays": {empty: 0.0},
		"skipDestroy":     {standard: false},
		"tags":            tags, "tagsAll": tagsAll,
	},
	fill: func(c *call) { c.state["arn"] = c.arn("logs", "log-group:"+c.id) },
	custom: &operations{delete: func(c *call) error {
		if isTrue(c.state, "skipDestroy") {
			return nil
		}
		return c.account.DeleteObject(account.LogGroup, c.id, false)
	}},
}
