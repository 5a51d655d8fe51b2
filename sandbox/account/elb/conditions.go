package elb

import (
	"cmp"
	"strings"

	"slipway/internal/awslimits"
	"slipway/sandbox/account"
)

func checkTargetHealth(o account.Object) error {
	check := o["healthCheck"]
	least, most := 200, 499
	if o.Text("protocolVersion") == "GRPC" {
		least, most = 0, 99
	}
	if codes := account.Text(account.Member(check, "matcher")); codes != "" && !awslimits.Codes(codes, least, most) {
		return account.Refuse("ValidationError", "Health check matcher code '%s' must be within '%d-%d' inclusive", codes,
			least,
			most)
	}
	path := account.Text(account.Member(check, "path"))
	if path != "" && (len(path) > awslimits.HealthCheckPath || path[0] != '/') {
		return account.Refuse("ValidationError",
			"Health check path '%s' must begin with a '/' character, and can be up to %d "+
				"characters", path, awslimits.HealthCheckPath)
	}
	return nil
}

// checkConditions looks at what a listener rule asks of requests.
func checkConditions(o account.Object) error {
	values, wildcards := 0, 0
	var mistake error
	for _, condition := range account.Objects(o["conditions"]) {
		values += len(account.Objects(condition["queryStrings"]))
		for field, given := range condition {
			if field == "httpHeader" && given != nil {
				mistake = cmp.Or(mistake, checkHeader(account.Object(account.Fields(given))))
			}
			for _, text := range account.Object(account.Fields(given)).List("values") {
				values++
				wildcards += strings.Count(text, "*") + strings.Count(text, "?")
				mistake = cmp.Or(mistake, checkCondition(field, text))
			}
		}
	}
	switch {
	case values > awslimits.RuleValues:
		return account.Refuse("ValidationError", "A rule can have up to %d condition values", awslimits.RuleValues)
	case wildcards > awslimits.RuleWildcards:
		return account.Refuse("ValidationError", "A rule can have up to %d wildcards", awslimits.RuleWildcards)
	}
	return mistake
}

func checkHeader(o account.Object) error {
	name := o.Text("httpHeaderName")
	switch {
	case !awslimits.HeaderName.MatchString(name) || strings.EqualFold(name, "host"):
		return account.Refuse("ValidationError", "Condition HTTP header name '%s' is not valid", name)
	case len(o.List("values")) == 0 || len(o.List("values")) > awslimits.RuleHeaderValues:
		return account.Refuse("ValidationError", "A condition of an HTTP header can have 1 to %d values",
			awslimits.RuleHeaderValues)
	}
	return nil
}

func checkCondition(field, text string) error {
	known := true
	switch field {
	case "hostHeader":
		known = awslimits.HostPattern.MatchString(strings.ToLower(text))
	case "httpHeader":
		known = awslimits.HeaderPattern.MatchString(text)
	case "pathPattern":
		known = awslimits.PathPattern.MatchString(text)
	}
	switch {
	case len(text) > awslimits.RuleValue:
		return account.Refuse("ValidationError", "Condition value '%s' exceeds the maximum length of %d characters", text,
			awslimits.RuleValue)
	case !known:
		return account.Refuse("ValidationError", "Condition value '%s' contains a character that is not valid", text)
	}
	return nil
}
