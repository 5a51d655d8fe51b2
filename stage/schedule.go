package stage

import (
	"time"
	_ "time/tzdata" // the time zones that AWS knows, also on a machine without them

	"slipway/internal/schedule"
)

// checkWhen checks the expression and the time zone of a schedule, which the keys lead to.
func (c *checker) checkWhen(keys []any, expression, timeZone string) {
	if when := c.root.at(below(keys, "when")...); !when.present {
		c.failAt(when, `is missing; write when, as in "cron(0 6 ? * MON-FRI *)"`)
	} else if _, err := schedule.Parse(expression); err != nil {
		c.failAt(when, "is %q; %s", expression, err)
	}
	if zone := c.root.at(below(keys, "timeZone")...); zone.present {
		if _, err := time.LoadLocation(timeZone); err != nil || timeZone == "" || timeZone == "Local" {
			c.failAt(zone, "is %q; write the name of a time zone, as in Asia/Seoul", timeZone)
		}
	}
}
