package account

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// validExpression reports whether EventBridge Scheduler takes a schedule's expression.
func validExpression(expression string) bool {
	kind, arguments, _ := strings.Cut(expression, "(")
	arguments, closed := strings.CutSuffix(arguments, ")")
	switch {
	case !closed:
		return false
	case kind == "at":
		_, err := time.Parse("2006-01-02T15:04:05", arguments)
		return err == nil
	case kind == "rate":
		return validRate.MatchString(arguments)
	}
	return kind == "cron" && validCron(arguments)
}

var validRate = regexp.MustCompile(`^[1-9]\d{0,8} (minute|hour|day)s?$`)

// cronField is what one of the six fields may hold, beside *: numbers, names for them, and what else matches.
type cronField struct {
	from, to int
	names    []string // of the numbers from `from` on
	special  *regexp.Regexp
}

var cronFields = []cronField{
	{from: 0, to: 59},
	{from: 0, to: 23},
	{from: 1, to: 31, special: regexp.MustCompile(`^(\?|L|LW|([1-9]|[12]\d|3[01])W)$`)},
	{from: 1, to: 12, names: strings.Fields("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC")},
	{from: 1, to: 7, names: strings.Fields("SUN MON TUE WED THU FRI SAT"), special: regexp.MustCompile(`^(\?|L|([1-7]|[A-Z]{3})L|([1-7]|[A-Z]{3})#[1-5])$`)},
	{from: 1970, to: 2199},
}

const dayOfMonth, dayOfWeek = 2, 4

// validCron reports whether these are the fields of a cron expression. One of the two days has to be left open, by ?.
func validCron(text string) bool {
	fields := strings.Fields(text)
	if len(fields) != len(cronFields) || (fields[dayOfMonth] == "?") == (fields[dayOfWeek] == "?") {
		return false
	}
	for i, field := range fields {
		if !cronFields[i].valid(strings.ToUpper(field)) {
			return false
		}
	}
	return true
}

// valid takes a list of ranges, each with a step: 1,5-9,0/15.
func (f cronField) valid(text string) bool {
	if f.special != nil && f.special.MatchString(text) {
		return true
	}
	for _, part := range strings.Split(text, ",") {
		values, step, stepped := strings.Cut(part, "/")
		if n, err := strconv.Atoi(step); stepped && (err != nil || n < 1) {
			return false
		}
		first, last, ranged := strings.Cut(values, "-")
		if values != "*" && (!f.number(first) || ranged && !f.number(last)) {
			return false
		}
	}
	return true
}

func (f cronField) number(text string) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n >= f.from && n <= f.to || slices.Contains(f.names, text)
}
