package account

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // AWS knows every time zone, wherever the sandbox runs

	"slipway/internal/awslimits"
	"slipway/internal/schedule"
)

// MustMatch refuses a value in the words of AWS's own constraints.
func MustMatch(member, value string, matches func(string) bool, code string) error {
	if matches(value) {
		return nil
	}
	return Refuse(code, "1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must "+
		"satisfy regular expression pattern",
		value, member)
}

// CheckTags refuses tags that no service of AWS takes.
func CheckTags(o Object) error {
	tags, _ := o["tagsAll"].(map[string]any)
	if len(tags) > awslimits.Tags {
		return Refuse("TooManyTagsException", "A resource has up to %d tags, and not %d.", awslimits.Tags, len(tags))
	}
	for key, value := range tags {
		if key == "" {
			return Refuse("InvalidTagParameterException", "A tag has no key.")
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
		return Refuse("InvalidTagParameterException", "aws: prefixed tag key names are not allowed for external use: %s",
			text)
	case len([]rune(text)) > longest || !awslimits.TagText.MatchString(text):
		return Refuse("InvalidTagParameterException", "The tag '%s' has more than %d characters, or others than letters, "+
			"digits, spaces and _.:/=+-@",
			text, longest)
	}
	return nil
}

// TakesExpression tells whether AWS takes a schedule expression.
func TakesExpression(text string) bool {
	_, err := schedule.Parse(text)
	return err == nil
}

// ValidZone tells whether AWS knows a time zone; "" is UTC.
func ValidZone(name string) bool {
	_, err := time.LoadLocation(cmp.Or(name, "UTC"))
	return err == nil && name != "Local"
}
