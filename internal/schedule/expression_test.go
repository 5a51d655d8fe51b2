package schedule

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestScheduleExpressions(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"at(2026-12-24T18:00:00)",
		"rate(1 minute)", "rate(1 hour)", "rate(1 day)", "rate(2 minutes)", "rate(10 hours)", "rate(99 days)",
		"cron(0 6 ? * MON-FRI *)",
		"cron(0 22 * * ? *)",
		"cron(*/15 0-23 1 JAN ? 2026)",
		"cron(0,30 8-18/2 ? JAN,JUL-DEC 2-6 2026-2030)",
		"cron(5/10 * L * ? *)",
		"cron(0 0 15W * ? *)", "cron(0 0 31W * ? *)",
		"cron(0 0 1,15,L * ? *)",
		"cron(0 0 ? * 6L *)", "cron(0 0 ? * FRIL *)", "cron(0 0 ? * L *)",
		"cron(0 0 ? * 2#1 *)", "cron(0 0 ? * TUE#5 *)",
		"cron(0 0 ? * SUN-SAT *)", "cron(0 0 ? * 1-7 *)", "cron(0 0 ? * MON,WED,FRI *)",
		"cron(59 23 31 12 ? 1970)", "cron(0 0 1 1 ? 2199)", "cron(0 0 1 1 ? 2026/2)", "cron(0 0 1 1 ? */4)",
		"cron(0  6   ? * MON  *)",
		"cron(0 6 ? * mon-Fri *)", "cron(0 6 1 jan,Dec ? *)", "cron(0 6 ? * fril *)", "cron(0 6 ? * tue#2 *)",
		"cron(0 6 LW * ? *)", "cron(0 6 lw * ? *)", "cron(0 6 l * ? *)", "cron(0 6 15w * ? *)", "cron(0 6 1,LW * ? *)",
		"rate(1 minutes)", "rate(1 days)", "rate(2 hour)", "rate(2147483647 days)",
	} {
		_, err := Parse(good)
		require.NoError(t, err, good)
	}
	const anyKind = `write "at(2026-12-24T18:00:00)", "rate(1 day)" or "cron(`
	for bad, says := range map[string]string{
		"":                                anyKind,
		"0 6 * * *":                       anyKind,
		"every day":                       anyKind,
		"Cron(0 6 ? * MON *)":             anyKind,
		"cron 0 6 ? * MON *":              anyKind,
		"cron(0 6 ? * MON *) ":            anyKind,
		"at(2026-12-24)":                  "write a date and time",
		"at(2026-12-24T18:00)":            "write a date and time",
		"at(2026-12-24 18:00:00)":         "write a date and time",
		"at(2026-12-24T18:00:00Z)":        "write a date and time",
		"at(2026-02-30T18:00:00)":         "write a date and time",
		"at(2026-12-24T24:00:00)":         "write a date and time",
		"at(2026-12-24T8:00:00)":          "write a date and time",
		"at(2026-12-24T18:00:00.5)":       "write a date and time",
		"rate(2147483648 minutes)":        "from 1 to 2147483647",
		"rate(0 days)":                    "from 1 to",
		"rate(-1 days)":                   "minutes, hours or days",
		"rate(1.5 hours)":                 "minutes, hours or days",
		"rate(2 weeks)":                   "minutes, hours or days",
		"rate(5minutes)":                  "minutes, hours or days",
		"cron()":                          "write six fields",
		"cron(0 6 ? * MON)":               "write six fields",
		"cron(0 0 6 ? * MON *)":           "write six fields",
		"cron(0 6 * * * *)":               "write ? for the day of the month or for the day of the week, and not for both",
		"cron(0 6 1 * MON *)":             "write ? for the day of the month or for the day of the week, and not for both",
		"cron(0 6 ? * ? *)":               "write ? for the day of the month or for the day of the week, and not for both",
		"cron(? 6 1 * ? *)":               "its MINUTE takes 0 to 59",
		"cron(0 ? 1 * ? *)":               "its HOUR takes 0 to 23",
		"cron(0 6 1 ? ? *)":               "its MONTH takes 1 to 12 or JAN to DEC",
		"cron(0 6 1 * ? ?)":               "its YEAR takes 1970 to 2199",
		"cron(60 6 1 * ? *)":              "its MINUTE takes",
		"cron(0,60 6 1 * ? *)":            "its MINUTE takes", // in every minute of the hour, 0 too
		"cron(*,60 6 1 * ? *)":            "its MINUTE takes",
		"cron(-5 6 1 * ? *)":              "its MINUTE takes",
		"cron(+5 6 1 * ? *)":              "its MINUTE takes",
		"cron(1-2-3 6 1 * ? *)":           "its MINUTE takes",
		"cron(30-10 6 1 * ? *)":           "its MINUTE takes",
		"cron(*/0 6 1 * ? *)":             "its MINUTE takes",
		"cron(*/ 6 1 * ? *)":              "its MINUTE takes",
		"cron(/5 6 1 * ? *)":              "its MINUTE takes",
		"cron(*/5/5 6 1 * ? *)":           "its MINUTE takes",
		"cron(*/60 6 1 * ? *)":            "its MINUTE takes",
		"cron(0, 6 1 * ? *)":              "its MINUTE takes",
		"cron(L 6 1 * ? *)":               "its MINUTE takes",
		"cron(0 24 1 * ? *)":              "its HOUR takes 0 to 23, with , - * and /",
		"cron(0 6 0 * ? *)":               "its DAY-OF-MONTH takes 1 to 31, with , - * / L and W",
		"cron(0 6 32 * ? *)":              "its DAY-OF-MONTH takes",
		"cron(0 6 0/5 * ? *)":             "its DAY-OF-MONTH takes",
		"cron(0 6 0W * ? *)":              "its DAY-OF-MONTH takes",
		"cron(0 6 32W * ? *)":             "its DAY-OF-MONTH takes",
		"cron(0 6 3#2 * ? *)":             "its DAY-OF-MONTH takes",
		"cron(0 6 MON * ? *)":             "its DAY-OF-MONTH takes",
		"cron(0 6 1 0 ? *)":               "its MONTH takes",
		"cron(0 6 1 13 ? *)":              "its MONTH takes",
		"cron(0 6 1 DEC-JAN ? *)":         "its MONTH takes",
		"cron(0 6 1 January ? *)":         "its MONTH takes",
		"cron(0 6 ? * 0 *)":               "its DAY-OF-WEEK takes 1 (Sunday) to 7 or SUN to SAT, with , - * / L and #",
		"cron(0 6 ? * 0-6 *)":             "its DAY-OF-WEEK takes",
		"cron(0 6 ? * 8 *)":               "its DAY-OF-WEEK takes",
		"cron(0 6 ? * MONDAY *)":          "its DAY-OF-WEEK takes",
		"cron(0 6 ? * FRI-MON *)":         "its DAY-OF-WEEK takes",
		"cron(0 6 ? * 2#6 *)":             "its DAY-OF-WEEK takes",
		"cron(0 6 ? * 2#0 *)":             "its DAY-OF-WEEK takes",
		"cron(0 6 ? * 8L *)":              "its DAY-OF-WEEK takes",
		"cron(0 6 ? * 3W *)":              "its DAY-OF-WEEK takes",
		"cron(0 6 1 * ? 1969)":            "its YEAR takes",
		"cron(0 6 1 * ? 2200)":            "its YEAR takes",
		"cron(0 6 1 * ? 26)":              "its YEAR takes",
		"cron(0 6 1 * ? 2026-26)":         "its YEAR takes",
		"cron(0 6 1 * ? 2026,)":           "its YEAR takes",
		"cron(0 6 1 * ? 2030-2026)":       "its YEAR takes",
		"rate(99999999999999999999 days)": "from 1 to 2147483647",
		"rate(1 Day)":                     "minutes, hours or days",
		"cron(0 6 ? * 3#1,6#3 *)":         "its DAY-OF-WEEK takes", // as AWS's own documentation says
		"cron(0 6 ? * MON,6#3 *)":         "its DAY-OF-WEEK takes",
		"cron(0 6 WL * ? *)":              "its DAY-OF-MONTH takes",
		"cron(0 6 L-3 * ? *)":             "its DAY-OF-MONTH takes",
		"cron(0 6 W * ? *)":               "its DAY-OF-MONTH takes",
		"cron(0 6 ? * #1 *)":              "its DAY-OF-WEEK takes",
		"cron(0 6 1 * ? *\x00)":           "its YEAR takes",
		"cron(" + strings.Repeat("0,", 130) + "0 6 1 * ? *)": anyKind, // longer than AWS takes
	} {
		_, err := Parse(bad)
		require.ErrorContains(t, err, says, bad)
	}
}
