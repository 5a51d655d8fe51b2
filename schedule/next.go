package schedule

import (
	"fmt"
	"slices"
	"time"
)

// Next are the next times at which EventBridge Scheduler starts what an expression schedules, after a time: as many as
// most, fewer where there are no more. began is when the schedule was made or begins, from which a rate counts. Its
// error names what is not known here.
//
// A time that a change to summer time leaves out is skipped; one that there is twice counts once
// (https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html).
func Next(expression, timeZone string, began, after time.Time, most int) ([]time.Time, error) {
	parsed, err := Parse(expression)
	if err != nil {
		return nil, fmt.Errorf("%q is no expression that is known here: %w", expression, err)
	}
	zone, err := time.LoadLocation(timeZone)
	if err != nil {
		return nil, fmt.Errorf("the time zone %q is not known here: %w", timeZone, err)
	}
	switch {
	case parsed.at != "":
		at, err := time.ParseInLocation(atForm, parsed.at, zone)
		if err != nil || !at.After(after) {
			return nil, err
		}
		return []time.Time{at}, nil
	case parsed.rate > 0:
		return nextByRate(parsed.rate, began, after, most), nil
	}
	if after.Before(began) {
		after = began.Add(-time.Nanosecond)
	}
	return parsed.cron.next(after.In(zone), most), nil
}

func nextByRate(every time.Duration, began, after time.Time, most int) (runs []time.Time) {
	next := began
	if !next.After(after) {
		next = began.Add(after.Sub(began) / every * every).Add(every) // in two steps, neither of which overflows
	}
	for ; len(runs) < most; next = next.Add(every) {
		runs = append(runs, next)
	}
	return runs
}

// next looks at each day in turn, in the zone of after: it is quick enough, and there is nothing to get wrong.
func (c *cron) next(after time.Time, most int) (runs []time.Time) {
	for day := noon(after); day.Year() <= year.last; day = day.AddDate(0, 0, 1) {
		if !slices.Contains(c.years, day.Year()) || !slices.Contains(c.months, int(day.Month())) || !c.day(day) {
			continue
		}
		for _, hour := range c.hours {
			for _, minute := range c.minutes {
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

// clockTime is when a clock in a zone shows a time on a day, for the first time; there is none that summer time leaves
// out.
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
