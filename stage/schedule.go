package stage

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // the time zones that AWS knows, also on a machine without them
)

var (
	scheduleExpression = regexp.MustCompile(`^(at|rate|cron)\((.*)\)$`)
	rateExpression     = regexp.MustCompile(`^(?:1 (?:minute|hour|day)|(?:[2-9]|[1-9][0-9]+) (?:minutes|hours|days))$`)
)

// checkWhen checks the expression and the time zone of a schedule, which the keys lead to.
func (c *checker) checkWhen(keys []any, expression, timeZone string) {
	if when := c.root.at(below(keys, "when")...); !when.present {
		c.failAt(when, `is missing; write when, as in "cron(0 6 ? * MON-FRI *)"`)
	} else if err := checkExpression(expression); err != nil {
		c.failAt(when, "is %q; %s", expression, err)
	}
	if zone := c.root.at(below(keys, "timeZone")...); zone.present {
		if _, err := time.LoadLocation(timeZone); err != nil || timeZone == "" || timeZone == "Local" {
			c.failAt(zone, "is %q; write the name of a time zone, as in Asia/Seoul", timeZone)
		}
	}
}

// checkExpression checks a schedule expression of AWS, whose Application Auto Scaling and EventBridge Scheduler take the same
// ones (https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html). Its error is what to write instead
// (https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html).
func checkExpression(text string) error {
	parts := scheduleExpression.FindStringSubmatch(text)
	if parts == nil {
		return errors.New(`write "at(2026-12-24T18:00:00)", "rate(1 day)" or "cron(0 6 ? * MON-FRI *)"`)
	}
	switch kind, inner := parts[1], parts[2]; kind {
	case "at":
		if _, err := time.Parse("2006-01-02T15:04:05", inner); err != nil {
			return errors.New(`write a date and time, as in "at(2026-12-24T18:00:00)"`)
		}
	case "rate":
		if !rateExpression.MatchString(inner) {
			return errors.New(`write a number and minutes, hours or days, and 1 with minute, hour or day: "rate(1 day)" or "rate(2 hours)"`)
		}
	case "cron":
		return checkCron(strings.Fields(inner))
	}
	return nil
}

// cronField is what AWS takes in one field of a cron expression: numbers, and names of theirs, with , - * and /.
// (Libraries for cron read it by rules of their own: they differ in days of the week, L, W and #.)
// (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cron-expressions.html).
type cronField struct {
	name        string
	first, last int
	names       []string       // of first and those after it
	special     *regexp.Regexp // what no other field takes
	allowed     string
}

const (
	dayOfMonth = 2
	dayOfWeek  = 4
)

var cronFields = []cronField{
	{"MINUTE", 0, 59, nil, nil, "0 to 59, with , - * and /"},
	{"HOUR", 0, 23, nil, nil, "0 to 23, with , - * and /"},
	{"DAY-OF-MONTH", 1, 31, nil, regexp.MustCompile(`^(L|([1-9]|[12][0-9]|3[01])W)$`), "1 to 31, with , - * / L and W"},
	{"MONTH", 1, 12, []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}, nil,
		"1 to 12 or JAN to DEC, with , - * and /"},
	{"DAY-OF-WEEK", 1, 7, []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"},
		regexp.MustCompile(`^(L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(L|#[1-5]))$`),
		"1 (Sunday) to 7 or SUN to SAT, with , - * / L and #"},
	{"YEAR", 1970, 2199, nil, nil, "1970 to 2199, with , - * and /"},
}

func checkCron(fields []string) error {
	const form = `cron(MINUTE HOUR DAY-OF-MONTH MONTH DAY-OF-WEEK YEAR), as in "cron(0 6 ? * MON-FRI *)"`
	if len(fields) != len(cronFields) {
		return errors.New("write six fields: " + form)
	}
	// The two kinds of days are one decision: AWS wants the other one left open.
	if (fields[dayOfMonth] == "?") == (fields[dayOfWeek] == "?") {
		return errors.New("write ? for the day of the month or for the day of the week, and not for both: " + form)
	}
	for i, field := range cronFields {
		open := fields[i] == "?" && (i == dayOfMonth || i == dayOfWeek)
		if !open && slices.ContainsFunc(strings.Split(fields[i], ","), field.refuses) {
			return fmt.Errorf("its %s takes %s: %s", field.name, field.allowed, form)
		}
	}
	return nil
}

// refuses tells whether an element of a field's list is none of *, a number or name, a range of these, and one of all
// that with a step.
func (f cronField) refuses(element string) bool {
	if f.special != nil && f.special.MatchString(element) {
		return false
	}
	values, step, stepped := strings.Cut(element, "/")
	if width, err := strconv.ParseUint(step, 10, 16); stepped && (err != nil || width == 0 || int(width) > f.last) {
		return true
	}
	if values == "*" {
		return false
	}
	from, to, isRange := strings.Cut(values, "-")
	start, knowsStart := f.value(from)
	if !isRange {
		return !knowsStart
	}
	end, knowsEnd := f.value(to)
	return !knowsStart || !knowsEnd || end < start
}

func (f cronField) value(text string) (value int, known bool) {
	if i := slices.Index(f.names, text); i >= 0 {
		return f.first + i, true
	}
	number, err := strconv.ParseUint(text, 10, 16) // which takes no sign
	return int(number), err == nil && int(number) >= f.first && int(number) <= f.last
}
