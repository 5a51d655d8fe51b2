// Package schedule reads the schedule expressions of AWS, which EventBridge Scheduler and Application Auto Scaling
// share: at, rate and cron (https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html,
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cron-expressions.html). What they allow is checked here,
// as libraries for cron have rules of their own; when a cron expression runs next, a library says.
package schedule

import (
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/cronexpr"
)

// Longest is how many characters an expression may have
// (https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html).
const Longest = 256

// Expression is one that AWS takes. Exactly one of its fields is set.
type Expression struct {
	at   string               // a date and time, in the schedule's time zone
	rate time.Duration        // between two runs; a day is 24 hours
	cron *cronexpr.Expression // nil where it has no year up to lastYear
}

const atForm = "2006-01-02T15:04:05"

var (
	form     = regexp.MustCompile(`^(at|rate|cron)\((.*)\)$`)
	rateForm = regexp.MustCompile(`^([0-9]+)\s+(minute|hour|day)s?$`)
)

// Parse reads an expression. Its error is what to write instead.
func Parse(text string) (Expression, error) {
	parts := form.FindStringSubmatch(text)
	if parts == nil || len(text) > Longest {
		return Expression{}, errors.New(`write "at(2026-12-24T18:00:00)", "rate(1 day)" or "cron(0 6 ? * MON-FRI *)"`)
	}
	switch kind, inner := parts[1], parts[2]; kind {
	case "at":
		// Parse takes hours of one digit and fractions of a second, which AWS does not.
		if _, err := time.Parse(atForm, inner); err != nil || len(inner) != len(atForm) {
			return Expression{}, errors.New(`write a date and time, as in "at(2026-12-24T18:00:00)"`)
		}
		return Expression{at: inner}, nil
	case "rate":
		return parseRate(inner)
	default:
		fields, err := parseCron(strings.Fields(inner))
		return Expression{cron: fields}, err
	}
}

// mostInRate is the largest number in a rate. AWS documents a positive integer, and none that is larger than its own
// type.
const mostInRate = math.MaxInt32

// parseRate takes each unit in the singular and in the plural, as EventBridge Scheduler does. (EventBridge's rules,
// which nothing here uses, do not.)
func parseRate(inner string) (Expression, error) {
	parts := rateForm.FindStringSubmatch(inner)
	if parts == nil {
		return Expression{}, errors.New(`write a number and minutes, hours or days, as in "rate(1 day)" or "rate(2 hours)"`)
	}
	number, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || number < 1 || number > mostInRate {
		return Expression{}, errors.New("write a number of minutes, hours or days from 1 to " + strconv.Itoa(mostInRate))
	}
	unit := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}[parts[2]]
	if number > int64(math.MaxInt64/unit) { // 292 years
		return Expression{rate: math.MaxInt64}, nil
	}
	return Expression{rate: time.Duration(number) * unit}, nil
}
