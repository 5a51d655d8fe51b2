package stage

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// NextRuns are the next times at which EventBridge Scheduler starts what an expression schedules, after a time: as many as
// most, fewer where there are no more. began is when the schedule was made or begins, from which a rate counts.
//
// A time that a change to summer time leaves out is skipped; one that there is twice counts once
// (https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html).
func NextRuns(expression, timeZone string, began, after time.Time, most int) ([]time.Time, error) {
	if err := checkExpression(expression); err != nil {
		return nil, fmt.Errorf("%q is no expression that is known here: %w", expression, err)
	}
	zone, err := time.LoadLocation(timeZone)
	if err != nil {
		return nil, fmt.Errorf("the time zone %q is not known here: %w", timeZone, err)
	}
	parts := scheduleExpression.FindStringSubmatch(expression)
	switch kind, inner := parts[1], parts[2]; kind {
	case "at":
		at, err := time.ParseInLocation("2006-01-02T15:04:05", inner, zone)
		if err != nil || !at.After(after) {
			return nil, err
		}
		return []time.Time{at}, nil
	case "rate":
		return nextByRate(rateOf(inner), began, after, most), nil
	default:
		if after.Before(began) {
			after = began.Add(-time.Nanosecond)
		}
		return nextByCron(strings.Fields(inner), after.In(zone), most), nil
	}
}

// rateOf is the time between two runs, given the inside of a checked rate expression. A day is 24 hours.
func rateOf(inner string) time.Duration {
	value, unit, _ := strings.Cut(inner, " ")
	number, _ := strconv.Atoi(value) // checked
	switch strings.TrimSuffix(unit, "s") {
	case "minute":
		return time.Duration(number) * time.Minute
	case "hour":
		return time.Duration(number) * time.Hour
	default:
		return time.Duration(number) * 24 * time.Hour
	}
}

func nextByRate(every time.Duration, began, after time.Time, most int) (runs []time.Time) {
	next := began
	if !next.After(after) {
		next = began.Add((after.Sub(began)/every + 1) * every)
	}
	for ; len(runs) < most; next = next.Add(every) {
		runs = append(runs, next)
	}
	return runs
}

// nextByCron looks at each day in turn, in the zone of after: it is quick enough, and there is nothing to get wrong.
func nextByCron(fields []string, after time.Time, most int) (runs []time.Time) {
	minutes, hours := cronFields[0].values(fields[0]), cronFields[1].values(fields[1])
	months, years := cronFields[3].values(fields[3]), cronFields[5].values(fields[5])
	last := cronFields[5].last
	for day := noon(after); day.Year() <= last; day = day.AddDate(0, 0, 1) {
		if !slices.Contains(years, day.Year()) || !slices.Contains(months, int(day.Month())) || !onDay(fields, day) {
			continue
		}
		for _, hour := range hours {
			for _, minute := range minutes {
				at, there := clockTime(day, hour, minute, after.Location())
				if !there || !at.After(after) {
					continue
				}
				if runs = append(runs, at); len(runs) == most {
					return runs
				}
			}
		}
	}
	return runs
}

// noon stands for a day: in UTC, where each has one.
func noon(at time.Time) time.Time {
	return time.Date(at.Year(), at.Month(), at.Day(), 12, 0, 0, 0, time.UTC)
}

// clockTime is when a clock in a zone shows a time on a day, for the first time; there is none that summer time leaves out.
func clockTime(day time.Time, hour, minute int, zone *time.Location) (at time.Time, there bool) {
	at = time.Date(day.Year(), day.Month(), day.Day(), hour, minute, 0, 0, zone)
	if at.Hour() != hour || at.Minute() != minute {
		return at, false
	}
	for _, shift := range []time.Duration{time.Hour, 30 * time.Minute} { // by which clocks are set back
		if earlier := at.Add(-shift); earlier.Hour() == hour && earlier.Minute() == minute {
			return earlier, true
		}
	}
	return at, true
}

// onDay tells whether a day is one of the month's and of the week's that the fields name.
func onDay(fields []string, day time.Time) bool {
	return anyElement(fields[dayOfMonth], func(element string) bool { return onDayOfMonth(element, day) }) &&
		anyElement(fields[dayOfWeek], func(element string) bool { return onDayOfWeek(element, day) })
}

func anyElement(field string, is func(element string) bool) bool {
	return field == "?" || slices.ContainsFunc(strings.Split(field, ","), is)
}

func onDayOfMonth(element string, day time.Time) bool {
	last := time.Date(day.Year(), day.Month()+1, 0, 12, 0, 0, 0, time.UTC).Day()
	if element == "L" {
		return day.Day() == last
	}
	if number, isWeekday := strings.CutSuffix(element, "W"); isWeekday {
		wanted, _ := cronFields[dayOfMonth].value(number)
		return wanted <= last && day.Day() == nearestWeekday(day, wanted, last)
	}
	return slices.Contains(cronFields[dayOfMonth].values(element), day.Day())
}

// nearestWeekday is the day from Monday to Friday that is nearest to a day of the month, and in the same month.
func nearestWeekday(month time.Time, day, last int) int {
	switch time.Date(month.Year(), month.Month(), day, 12, 0, 0, 0, time.UTC).Weekday() {
	case time.Saturday:
		if day == 1 {
			return 3
		}
		return day - 1
	case time.Sunday:
		if day == last {
			return day - 2
		}
		return day + 1
	}
	return day
}

func onDayOfWeek(element string, day time.Time) bool {
	number := int(day.Weekday()) + 1 // 1 is Sunday
	if element == "L" {              // the last day of the week
		return day.Weekday() == time.Saturday
	}
	if name, isLast := strings.CutSuffix(element, "L"); isLast {
		wanted, _ := cronFields[dayOfWeek].value(name)
		return number == wanted && day.AddDate(0, 0, 7).Month() != day.Month()
	}
	if name, nth, isNth := strings.Cut(element, "#"); isNth {
		wanted, _ := cronFields[dayOfWeek].value(name)
		return number == wanted && strconv.Itoa((day.Day()-1)/7+1) == nth
	}
	return slices.Contains(cronFields[dayOfWeek].values(element), number)
}

// values are the numbers that a checked field stands for, in order.
func (f cronField) values(text string) (values []int) {
	for _, element := range strings.Split(text, ",") {
		span, step, stepped := strings.Cut(element, "/")
		from, to, isRange := strings.Cut(span, "-")
		first, last, width := f.first, f.last, 1
		if stepped {
			width, _ = strconv.Atoi(step)
		}
		if span != "*" {
			first, _ = f.value(from)
			switch {
			case isRange:
				last, _ = f.value(to)
			case !stepped:
				last = first
			}
		}
		for value := first; value <= last; value += width {
			values = append(values, value)
		}
	}
	slices.Sort(values)
	return slices.Compact(values)
}
