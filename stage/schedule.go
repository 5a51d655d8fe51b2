package stage

import (
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/adhocore/gronx"
)

var (
	scheduleExpression = regexp.MustCompile(`^(at|rate|cron)\((.*)\)$`)
	cronYears          = regexp.MustCompile(`^(?:\*|(?:19[7-9]|2[01][0-9])[0-9])(?:[-,/][0-9]+)*$`)
	rateExpression     = regexp.MustCompile(`^(?:1 (?:minute|hour|day)|(?:[2-9]|[1-9][0-9]+) (?:minutes|hours|days))$`)
)

// checkExpression checks a schedule expression of AWS. Its error is what to write instead
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

func checkCron(fields []string) error {
	const form = `cron(MINUTE HOUR DAY-OF-MONTH MONTH DAY-OF-WEEK YEAR), as in "cron(0 6 ? * MON-FRI *)"`
	if len(fields) != 6 {
		return errors.New("write six fields: " + form)
	}
	// The two kinds of days are one decision: AWS wants the other one left open.
	if day, weekday := fields[2], fields[4]; (day == "?") == (weekday == "?") {
		return errors.New("write ? for the day of the month or for the day of the week, and not for both: " + form)
	}
	for i, field := range fields {
		if field == "?" && i != 2 && i != 4 {
			return errors.New("only one of the two days can be ?: " + form)
		}
	}
	// What the library takes and AWS does not: Sunday is 1, and years have four digits of our time.
	if strings.Contains(fields[4], "0") || !cronYears.MatchString(fields[5]) {
		return errors.New("days of the week are 1 (Sunday) to 7 or SUN to SAT, years 1970 to 2199: " + form)
	}
	if !gronx.New().IsValid("0 " + strings.Join(fields, " ")) {
		return errors.New("write " + form)
	}
	return nil
}
