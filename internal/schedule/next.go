package schedule

import (
	"fmt"
	"time"

	"github.com/hashicorp/cronexpr"
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
		return nil, fmt.Errorf("%q is not a schedule expression: %w", expression, err)
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
	return nextByClock(parsed.cron, after.In(zone), most), nil
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

// nextByClock goes by clock times, which summer time neither skips nor repeats, and then asks when a clock shows them.
func nextByClock(cron *cronexpr.Expression, after time.Time, most int) (runs []time.Time) {
	if cron == nil {
		return nil
	}
	_, offset := after.Zone()
	clock := after.UTC().Add(time.Duration(offset)*time.Second - 3*time.Hour) // a clock may be set back
	for len(runs) < most {
		if clock = cron.Next(clock); clock.IsZero() {
			break
		}
		if at, there := clockTime(clock, after.Location()); there && at.After(after) {
			runs = append(runs, at)
		}
	}
	return runs
}

// clockTime is when a clock in a zone shows a date and time, for the first time; there is none that summer time leaves
// out.
func clockTime(clock time.Time, zone *time.Location) (at time.Time, there bool) {
	shown := func(at time.Time) bool { return at.Hour() == clock.Hour() && at.Minute() == clock.Minute() }
	at = time.Date(clock.Year(), clock.Month(), clock.Day(), clock.Hour(), clock.Minute(), 0, 0, zone)
	if !shown(at) {
		return at, false
	}
	for _, shift := range []time.Duration{time.Hour, 30 * time.Minute} { // by which clocks are set back
		if earlier := at.Add(-shift); shown(earlier) {
			return earlier, true
		}
	}
	return at, true
}
