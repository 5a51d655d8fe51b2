package schedule

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cron is a checked cron expression.
type cron struct {
	minutes, hours, months, years []int // in order
	day                           func(day time.Time) bool
}

// cronField is what AWS takes in one field: numbers, and names of theirs in either case, with , - * and /.
type cronField struct {
	name        string
	first, last int
	names       []string // of first and those after it
	allowed     string
}

var (
	minute     = cronField{"MINUTE", 0, 59, nil, "0 to 59, with , - * and /"}
	hour       = cronField{"HOUR", 0, 23, nil, "0 to 23, with , - * and /"}
	dayOfMonth = cronField{"DAY-OF-MONTH", 1, 31, nil, "1 to 31, with , - * / L and W"}
	month      = cronField{"MONTH", 1, 12, strings.Fields("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC"),
		"1 to 12 or JAN to DEC, with , - * and /"}
	dayOfWeek = cronField{"DAY-OF-WEEK", 1, 7, strings.Fields("SUN MON TUE WED THU FRI SAT"),
		"1 (Sunday) to 7 or SUN to SAT, with , - * / L and #"}
	year = cronField{"YEAR", 1970, 2199, nil, "1970 to 2199, with , - * and /"}
)

const cronForm = `cron(MINUTE HOUR DAY-OF-MONTH MONTH DAY-OF-WEEK YEAR), as in "cron(0 6 ? * MON-FRI *)"`

func parseCron(fields []string) (*cron, error) {
	if len(fields) != 6 {
		return nil, errors.New("write six fields: " + cronForm)
	}
	ofMonth, ofWeek := strings.ToUpper(fields[2]), strings.ToUpper(fields[4])
	// The two kinds of days are one decision: AWS wants the other one left open.
	if (ofMonth == "?") == (ofWeek == "?") {
		return nil, errors.New("write ? for the day of the month or for the day of the week, and not for both: " + cronForm)
	}
	parsed := &cron{}
	var wrong error
	numbers := func(field cronField, text string) []int {
		values, known := field.values(text)
		if !known && wrong == nil {
			wrong = field.mistake()
		}
		return values
	}
	parsed.minutes, parsed.hours = numbers(minute, fields[0]), numbers(hour, fields[1])
	days, parse, text := dayOfMonth, parseDayOfMonth, ofMonth
	if ofMonth == "?" {
		days, parse, text = dayOfWeek, parseDayOfWeek, ofWeek
	}
	if wrong == nil {
		if parsed.day = parseDays(text, parse); parsed.day == nil {
			wrong = days.mistake()
		}
	}
	parsed.months, parsed.years = numbers(month, strings.ToUpper(fields[3])), numbers(year, fields[5])
	return parsed, wrong
}

func (f cronField) mistake() error {
	return fmt.Errorf("its %s takes %s: %s", f.name, f.allowed, cronForm)
}

// values are the numbers that a field stands for, in order; known is false where AWS does not take it.
func (f cronField) values(text string) (values []int, known bool) {
	for _, element := range strings.Split(text, ",") {
		some, known := f.element(element)
		if !known {
			return nil, false
		}
		values = append(values, some...)
	}
	slices.Sort(values)
	return slices.Compact(values), true
}

// element reads *, a number or name, a range of these, or one of all that with a step.
func (f cronField) element(text string) (values []int, known bool) {
	span, stepText, stepped := strings.Cut(text, "/")
	from, to, isRange := strings.Cut(span, "-")
	first, last, step := f.first, f.last, 1
	if stepped {
		width, err := strconv.ParseUint(stepText, 10, 16) // which takes no sign
		if err != nil || width == 0 || int(width) > f.last {
			return nil, false
		}
		step = int(width)
	}
	if span != "*" {
		if first, known = f.value(from); !known {
			return nil, false
		}
		switch {
		case isRange:
			if last, known = f.value(to); !known || last < first {
				return nil, false
			}
		case !stepped:
			last = first
		}
	}
	for value := first; value <= last; value += step {
		values = append(values, value)
	}
	return values, true
}

func (f cronField) value(text string) (value int, known bool) {
	if i := slices.Index(f.names, text); i >= 0 {
		return f.first + i, true
	}
	number, err := strconv.ParseUint(text, 10, 16)
	return int(number), err == nil && int(number) >= f.first && int(number) <= f.last
}

// parseDays is whether a day is one of those that a list names; nil where AWS does not take the list.
func parseDays(list string, parse func(element string) func(time.Time) bool) func(day time.Time) bool {
	elements := strings.Split(list, ",")
	// "If you use the # character, you can define only one expression in the day-of-week field."
	if len(elements) > 1 && strings.Contains(list, "#") {
		return nil
	}
	var any []func(time.Time) bool
	for _, element := range elements {
		is := parse(element)
		if is == nil {
			return nil
		}
		any = append(any, is)
	}
	return func(day time.Time) bool {
		return slices.ContainsFunc(any, func(is func(time.Time) bool) bool { return is(day) })
	}
}

// parseDayOfMonth takes L, the last day, LW, the last from Monday to Friday, and 15W, the one from Monday to Friday
// that is nearest to the 15th, beside numbers.
func parseDayOfMonth(element string) func(day time.Time) bool {
	switch number, nearest := strings.CutSuffix(element, "W"); {
	case element == "L":
		return func(day time.Time) bool { return day.Day() == lastOf(day) }
	case element == "LW":
		return func(day time.Time) bool { return day.Day() == nearestWeekday(day, lastOf(day)) }
	case nearest:
		wanted, known := dayOfMonth.value(number)
		if !known {
			return nil
		}
		return func(day time.Time) bool { return wanted <= lastOf(day) && day.Day() == nearestWeekday(day, wanted) }
	}
	values, known := dayOfMonth.element(element)
	if !known {
		return nil
	}
	return func(day time.Time) bool { return slices.Contains(values, day.Day()) }
}

// lastOf is the last day of a day's month.
func lastOf(day time.Time) int {
	return time.Date(day.Year(), day.Month()+1, 0, 12, 0, 0, 0, time.UTC).Day()
}

// nearestWeekday is the day from Monday to Friday that is nearest to a day of the month, and in the same month.
func nearestWeekday(month time.Time, day int) int {
	switch time.Date(month.Year(), month.Month(), day, 12, 0, 0, 0, time.UTC).Weekday() {
	case time.Saturday:
		if day == 1 {
			return 3
		}
		return day - 1
	case time.Sunday:
		if day == lastOf(month) {
			return day - 2
		}
		return day + 1
	}
	return day
}

// parseDayOfWeek takes L, the last day of the week, 6L, the month's last Friday, and 2#1, its first Monday, beside
// numbers and names.
func parseDayOfWeek(element string) func(day time.Time) bool {
	number := func(day time.Time) int { return int(day.Weekday()) + 1 } // 1 is Sunday
	if element == "L" {
		return func(day time.Time) bool { return day.Weekday() == time.Saturday }
	}
	if name, isLast := strings.CutSuffix(element, "L"); isLast {
		if wanted, known := dayOfWeek.value(name); known {
			return func(day time.Time) bool {
				return number(day) == wanted && day.AddDate(0, 0, 7).Month() != day.Month()
			}
		}
		return nil
	}
	if name, nth, isNth := strings.Cut(element, "#"); isNth {
		wanted, known := dayOfWeek.value(name)
		which, err := strconv.ParseUint(nth, 10, 8)
		if !known || err != nil || which < 1 || which > 5 {
			return nil
		}
		return func(day time.Time) bool { return number(day) == wanted && (day.Day()-1)/7+1 == int(which) }
	}
	values, known := dayOfWeek.element(element)
	if !known {
		return nil
	}
	return func(day time.Time) bool { return slices.Contains(values, number(day)) }
}
