package account

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"slipway/internal/awslimits"
)

// checkLimits refuses what goes beyond AWS's own quotas, or is called as AWS does not take it, whatever else there is.
func (t *tx) checkLimits(kind, id string, o Object) error {
	if err := checkTags(o); err != nil {
		return err
	}
	name := cmp.Or(o.text("name"), id)
	switch kind {
	case Role, RolePolicy, Policy, RolePolicyAttachment:
		return t.checkIAMLimits(kind, id, o)
	case Repository:
		if len(name) > awslimits.RepositoryNameLength || !awslimits.RepositoryName.MatchString(name) {
			return refuse("InvalidParameterException", "Invalid parameter at 'repositoryName' failed to satisfy constraint: "+
				"'%s'", name)
		}
	case LogGroup:
		return mustMatch("logGroupName", name, awslimits.LogGroup.MatchString, "InvalidParameterException")
	case Cluster:
		return mustMatch("clusterName", name, awslimits.ECSName.MatchString, "InvalidParameterException")
	case SecurityGroup:
		for _, key := range []string{"name", "description"} {
			if text := o.text(key); text != "" && !awslimits.SecurityGroupText.MatchString(text) {
				return refuse("InvalidParameterValue", "Value (%s) for parameter %s is invalid. Character sets beyond ASCII are "+
					"not supported.", text, key)
			}
		}
	case Secret:
		return mustMatch("name", name, awslimits.SecretName.MatchString, "ValidationException")
	case MetricAlarm:
		if length := len([]rune(name)); length == 0 || length > awslimits.AlarmName {
			return refuse("ValidationError", "Value at 'alarmName' failed to satisfy constraint: Member must have length "+
				"less than or equal to %d", awslimits.AlarmName)
		}
	case TargetGroup:
		return checkTargetHealth(o)
	case ListenerRule:
		return checkConditions(o)
	case Record:
		return checkLabels(o.text("fqdn"), "InvalidChangeBatch")
	case Certificate:
		return checkDomains(o)
	}
	return nil
}

// mustMatch refuses a value in the words of AWS's own constraints.
func mustMatch(member, value string, matches func(string) bool, code string) error {
	if matches(value) {
		return nil
	}
	return refuse(code, "1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must "+
		"satisfy regular expression pattern",
		value, member)
}

// checkTags refuses tags that no service of AWS takes.
func checkTags(o Object) error {
	tags, _ := o["tagsAll"].(map[string]any)
	if len(tags) > awslimits.Tags {
		return refuse("TooManyTagsException", "A resource has up to %d tags, and not %d.", awslimits.Tags, len(tags))
	}
	for key, value := range tags {
		if key == "" {
			return refuse("InvalidTagParameterException", "A tag has no key.")
		}
		if err := errors.Join(checkTagText(key, awslimits.TagKey), checkTagText(fmt.Sprint(value),
			awslimits.TagValue)); err != nil {
			return err
		}
	}
	return nil
}

func checkTagText(text string, longest int) error {
	switch {
	case strings.HasPrefix(strings.ToLower(text), awslimits.NotTag):
		return refuse("InvalidTagParameterException", "aws: prefixed tag key names are not allowed for external use: %s",
			text)
	case len([]rune(text)) > longest || !awslimits.TagText.MatchString(text):
		return refuse("InvalidTagParameterException", "The tag '%s' has more than %d characters, or others than letters, "+
			"digits, spaces and _.:/=+-@",
			text, longest)
	}
	return nil
}

func checkTargetHealth(o Object) error {
	check := o["healthCheck"]
	least, most := 200, 499
	if o.text("protocolVersion") == "GRPC" {
		least, most = 0, 99
	}
	if codes := text(member(check, "matcher")); codes != "" && !awslimits.Codes(codes, least, most) {
		return refuse("ValidationError", "Health check matcher code '%s' must be within '%d-%d' inclusive", codes, least,
			most)
	}
	if path := text(member(check, "path")); path != "" && (len(path) > awslimits.HealthCheckPath || path[0] != '/') {
		return refuse("ValidationError", "Health check path '%s' must begin with a '/' character, and can be up to %d "+
			"characters", path, awslimits.HealthCheckPath)
	}
	return nil
}

// checkConditions looks at what a listener rule asks of requests.
func checkConditions(o Object) error {
	values, wildcards := 0, 0
	var mistake error
	for _, condition := range objects(o["conditions"]) {
		values += len(objects(condition["queryStrings"]))
		for field, given := range condition {
			for _, text := range Object(object(given)).list("values") {
				values++
				wildcards += strings.Count(text, "*") + strings.Count(text, "?")
				mistake = cmp.Or(mistake, checkCondition(field, text))
			}
		}
	}
	switch {
	case values > awslimits.RuleValues:
		return refuse("ValidationError", "A rule can have up to %d condition values", awslimits.RuleValues)
	case wildcards > awslimits.RuleWildcards:
		return refuse("ValidationError", "A rule can have up to %d wildcards", awslimits.RuleWildcards)
	}
	return mistake
}

func checkCondition(field, text string) error {
	known := true
	switch field {
	case "hostHeader":
		known = awslimits.HostPattern.MatchString(strings.ToLower(text))
	case "pathPattern":
		known = awslimits.PathPattern.MatchString(text)
	}
	switch {
	case len(text) > awslimits.RuleValue:
		return refuse("ValidationError", "Condition value '%s' exceeds the maximum length of %d characters", text,
			awslimits.RuleValue)
	case !known:
		return refuse("ValidationError", "Condition value '%s' contains a character that is not valid", text)
	}
	return nil
}

func object(value any) map[string]any {
	o, _ := value.(map[string]any)
	return o
}

// checkLabels refuses a name that DNS does not have.
func checkLabels(name, code string) error {
	if len(name) > awslimits.DNSName {
		return refuse(code, "[Domain name is too long: %s]", name)
	}
	if label := slices.IndexFunc(strings.Split(name, "."), func(label string) bool {
		return label == "" ||
			len(label) > awslimits.DNSLabel
	}); label >= 0 {
		return refuse(code, "[Domain label is too long or empty: %s]", name)
	}
	return nil
}

// checkDomains looks at the names that a certificate is for.
func checkDomains(o Object) error {
	if first := o.text("domainName"); len(first) > awslimits.CertificateDomain {
		return refuse("ValidationException", "The first domain name can be no longer than %d characters: %s",
			awslimits.CertificateDomain, first)
	}
	for _, domain := range append(o.list("subjectAlternativeNames"), o.text("domainName")) {
		if err := checkLabels(domain, "ValidationException"); err != nil {
			return err
		}
		for _, label := range strings.Split(strings.TrimPrefix(domain, "*."), ".") {
			if err := mustMatch("domainName", label, awslimits.CertificateLabel.MatchString, "ValidationException"); err != nil {
				return err
			}
		}
	}
	return nil
}
