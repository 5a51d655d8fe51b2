package aws

import (
	"fmt"
	"slices"

	"slipway/sandbox/account/logs"
)

// retentions are the days that CloudWatch Logs keeps events for; 0 is for ever.
var retentions = []int{0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
	3288, 3653}

var logGroup = &resourceType{
	kind: logs.LogGroup, noun: "CloudWatch Logs Log Group", key: "name", autoname: true,
	existing: "ResourceAlreadyExistsException: The specified log group already exists: %s",
	properties: properties{
		"arn":             result,
		"kmsKeyId":        {empty: ""},
		"name":            {replaces: true},
		"namePrefix":      {replaces: true, computed: true, unsupported: true, empty: ""},
		"retentionInDays": {empty: 0.0},
		"skipDestroy":     {standard: false},
		"tags":            tags, "tagsAll": tagsAll,
	},
	validate: func(path string, inputs values, fail func(string)) {
		if days, known := inputs["retentionInDays"].(float64); known && !slices.Contains(retentions, int(days)) {
			fail(fmt.Sprintf("expected retention_in_days to be one of %v, got %v. Examine values at '%s.retentionInDays'.",
				retentions, days, path))
		}
	},
	fill: func(c *call) { c.state["arn"] = c.arn("logs", "log-group:"+c.id) },
	custom: &operations{delete: func(c *call) error {
		if isTrue(c.state, "skipDestroy") {
			return nil
		}
		return c.account.DeleteObject(logs.LogGroup, c.id, false)
	}},
}
