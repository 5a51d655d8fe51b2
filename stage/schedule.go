package stage

import (
	"time"
	_ "time/tzdata" // the time zones that AWS knows, also on a machine without them

	"slipway/internal/schedule"
)

// checkWhen checks the expression and the time zone of a schedule.
func checkWhen(here place, expression, timeZone string) {
	if when := here.at("when"); !when.present {
		when.fail(`is missing; write when, as in "cron(0 6 ? * MON-FRI *)"`)
	} else if _, err := schedule.Parse(expression); err != nil {
		when.fail("is %q; %s", expression, err)
	}
	_, err := time.LoadLocation(timeZone)
	here.at("timeZone").expect(err == nil && timeZone != "" && timeZone != "Local", timeZone,
		"the name of a time zone, as in Asia/Seoul")
}
