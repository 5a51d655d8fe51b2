package schedule

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestNextRuns(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string][]string{ // after Tuesday, 2026-11-24 20:30
		"cron(0 6 ? * MON-FRI *)": {"Wed 2026-11-25 06:00", "Thu 2026-11-26 06:00", "Fri 2026-11-27 06:00",
			"Mon 2026-11-30 06:00"},
		"cron(30 20 * * ? *)":  {"Wed 2026-11-25 20:30", "Thu 2026-11-26 20:30"},
		"cron(0/15 * * * ? *)": {"Tue 2026-11-24 20:45", "Tue 2026-11-24 21:00"},
		"cron(*/20 9-17/4 ? * 2-6 *)": {"Wed 2026-11-25 09:00", "Wed 2026-11-25 09:20", "Wed 2026-11-25 09:40",
			"Wed 2026-11-25 13:00"},
		"cron(5,35 14 * * ? *)":           {"Wed 2026-11-25 14:05", "Wed 2026-11-25 14:35", "Thu 2026-11-26 14:05"},
		"cron(15 10 ? JAN,JUL MON,WED *)": {"Mon 2027-01-04 10:15", "Wed 2027-01-06 10:15"},
		"cron(0 0 ? * 1 *)":               {"Sun 2026-11-29 00:00", "Sun 2026-12-06 00:00"},
		"cron(0 0 ? * SAT,SUN *)":         {"Sat 2026-11-28 00:00", "Sun 2026-11-29 00:00", "Sat 2026-12-05 00:00"},
		"cron(0 0 ? * 2/2 *)":             {"Wed 2026-11-25 00:00", "Fri 2026-11-27 00:00", "Mon 2026-11-30 00:00"},
		"cron(0 18 1/7 * ? *)":            {"Sun 2026-11-29 18:00", "Tue 2026-12-01 18:00", "Tue 2026-12-08 18:00"},
		"cron(0 0 L * ? *)": {"Mon 2026-11-30 00:00", "Thu 2026-12-31 00:00", "Sun 2027-01-31 00:00",
			"Sun 2027-02-28 00:00"},
		"cron(0 0 1,L * ? *)":       {"Mon 2026-11-30 00:00", "Tue 2026-12-01 00:00", "Thu 2026-12-31 00:00"},
		"cron(0 0 15W * ? *)":       {"Tue 2026-12-15 00:00", "Fri 2027-01-15 00:00", "Mon 2027-02-15 00:00"},
		"cron(0 0 15W 5,8 ? *)":     {"Fri 2027-05-14 00:00", "Mon 2027-08-16 00:00"}, // a Saturday, a Sunday
		"cron(0 0 1W 5,8 ? *)":      {"Mon 2027-05-03 00:00", "Mon 2027-08-02 00:00"}, // never in the month before
		"cron(0 0 31W 1,10 ? *)":    {"Fri 2027-01-29 00:00", "Fri 2027-10-29 00:00"}, // never in the month after
		"cron(0 0 ? * L *)":         {"Sat 2026-11-28 00:00", "Sat 2026-12-05 00:00"},
		"cron(0 0 ? * 6L *)":        {"Fri 2026-11-27 00:00", "Fri 2026-12-25 00:00", "Fri 2027-01-29 00:00"},
		"cron(0 0 ? * FRIL *)":      {"Fri 2026-11-27 00:00", "Fri 2026-12-25 00:00"},
		"cron(0 0 ? * 2#1 *)":       {"Mon 2026-12-07 00:00", "Mon 2027-01-04 00:00"},
		"cron(0 0 ? * TUE#5 *)":     {"Tue 2026-12-29 00:00", "Tue 2027-03-30 00:00", "Tue 2027-06-29 00:00"},
		"cron(0 0 29 2 ? *)":        {"Tue 2028-02-29 00:00", "Sun 2032-02-29 00:00"},
		"cron(0 0 31 * ? *)":        {"Thu 2026-12-31 00:00", "Sun 2027-01-31 00:00", "Wed 2027-03-31 00:00"},
		"cron(0 0 30 2 ? *)":        {}, // never
		"cron(0 0 1 1 ? 2025)":      {}, // never again
		"cron(0 0 1 1 ? 2026-2028)": {"Fri 2027-01-01 00:00", "Sat 2028-01-01 00:00"},
		"cron(59 23 31 12 ? 2099)":  {"Thu 2099-12-31 23:59"},
		"cron(59 23 31 12 ? 2199)":  {}, // later than the library counts
		"cron(0 0 1 1 ? 2026/2)":    {"Sat 2028-01-01 00:00", "Tue 2030-01-01 00:00"},
		"cron(0 0 LW * ? *)": {"Mon 2026-11-30 00:00", "Thu 2026-12-31 00:00", "Fri 2027-01-29 00:00",
			"Fri 2027-02-26 00:00"},
		"cron(0 0 lw 5,10 ? *)":     {"Mon 2027-05-31 00:00", "Fri 2027-10-29 00:00"},
		"cron(0 6 ? jan mon-tue *)": {"Mon 2027-01-04 06:00", "Tue 2027-01-05 06:00"},
		"at(2026-12-24T18:00:00)":   {"Thu 2026-12-24 18:00"},
		"at(2026-11-24T20:30:00)":   {},
		"rate(1 minute)":            {"Tue 2026-11-24 20:31", "Tue 2026-11-24 20:32"},
		"rate(7 hours)":             {"Wed 2026-11-25 03:10", "Wed 2026-11-25 10:10"}, // since the 20th, 11:10
		"rate(1 days)":              {"Wed 2026-11-25 11:10", "Thu 2026-11-26 11:10"},
		"rate(3 days)":              {"Thu 2026-11-26 11:10", "Sun 2026-11-29 11:10"},
	} {
		began := time.Date(2026, 11, 20, 11, 10, 0, 0, time.UTC)
		if expression == "rate(1 minute)" {
			began = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
		}
		most := max(len(want), 1)
		runs, err := Next(expression, "UTC", began, time.Date(2026, 11, 24, 20, 30, 0, 0, time.UTC), most)
		require.NoError(t, err, expression)
		got := []string{}
		for _, run := range runs {
			got = append(got, run.Format("Mon 2006-01-02 15:04"))
		}
		if len(want) == 1 { // and none after it
			more, err := Next(expression, "UTC", began, runs[0], 1)
			require.NoError(t, err, expression)
			require.Empty(t, more, expression)
		}
		require.Equal(t, want, got, expression)
	}
}

func TestNextRunsInATimeZone(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		expression, zone, after string
		want                    []string
	}{
		"a zone without summer time": {"cron(0 6 * * ? *)", "Asia/Seoul", "2026-11-24T20:30:00Z",
			[]string{"2026-11-24T21:00:00Z", "2026-11-25T21:00:00Z"}},
		"its day of the week": {"cron(0 6 ? * MON *)", "Asia/Seoul", "2026-11-24T20:30:00Z",
			[]string{"2026-11-29T21:00:00Z"}},
		"a time that is left out in spring": {"cron(30 2 * * ? *)", "Europe/Berlin", "2026-03-27T12:00:00Z",
			[]string{"2026-03-28T01:30:00Z", "2026-03-30T00:30:00Z"}},
		"around what is left out": {"cron(0 * * * ? *)", "Europe/Berlin", "2026-03-29T00:00:00Z",
			[]string{"2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"}},
		"a time that there is twice in autumn": {"cron(30 2 * * ? *)", "Europe/Berlin", "2026-10-24T12:00:00Z",
			[]string{"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}},
		"between the two": {"cron(30 2 * * ? *)", "Europe/Berlin", "2026-10-25T00:45:00Z",
			[]string{"2026-10-26T01:30:00Z"}},
		"clocks set back by half an hour": {"cron(45 1 * * ? *)", "Australia/Lord_Howe", "2026-04-03T20:00:00Z",
			[]string{"2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"}},
		"at": {"at(2026-12-24T18:00:00)", "America/New_York", "2026-11-24T20:30:00Z", []string{"2026-12-24T23:00:00Z"}},
		"a day of a rate is 24 hours": {"rate(1 day)", "Europe/Berlin", "2026-03-28T12:00:00Z",
			[]string{"2026-03-29T11:00:00Z", "2026-03-30T11:00:00Z"}},
	} {
		t.Run(name, func(t *testing.T) {
			after, err := time.Parse(time.RFC3339, test.after)
			require.NoError(t, err)
			began := time.Date(2026, 1, 1, 11, 0, 0, 0, time.UTC)
			runs, err := Next(test.expression, test.zone, began, after, len(test.want))
			require.NoError(t, err)
			var got []string
			for _, run := range runs {
				got = append(got, run.UTC().Format(time.RFC3339))
			}
			require.Equal(t, test.want, got)
		})
	}
}

func TestNextRunsBeginWithTheSchedule(t *testing.T) {
	t.Parallel()
	now, begins := time.Date(2026, 11, 24, 20, 30, 0, 0, time.UTC), time.Date(2026, 12, 1, 6, 0, 0, 0, time.UTC)
	for _, expression := range []string{"rate(1 hour)", "cron(0 * * * ? *)"} {
		runs, err := Next(expression, "UTC", begins, now, 2)
		require.NoError(t, err)
		require.Equal(t, []time.Time{begins, begins.Add(time.Hour)}, runs, expression)
	}
}

func TestNextRunsOfWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	_, err := Next("cron(0 0 ? * FRI-MON *)", "UTC", time.Time{}, time.Now(), 1)
	require.ErrorContains(t, err, `"cron(0 0 ? * FRI-MON *)" is not a schedule expression: its DAY-OF-WEEK takes`)
	_, err = Next("rate(1 day)", "Mars/Olympus", time.Time{}, time.Now(), 1)
	require.ErrorContains(t, err, `the time zone "Mars/Olympus" is not known here`)
}

// The numbers are larger than a time.Duration holds.
func TestNextOfARateOfCenturies(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 20, 30, 0, 0, time.UTC)
	for _, expression := range []string{"rate(100000 days)", "rate(2147483647 days)", "rate(2147483647 hours)"} {
		for _, began := range []time.Time{now.AddDate(-1, 0, 0), now.AddDate(-280, 0, 0)} {
			runs, err := Next(expression, "UTC", began, now, 2)
			require.NoError(t, err)
			require.True(t, runs[0].After(now), "%s: %s", expression, runs)
			require.True(t, runs[1].After(runs[0]), "%s: %s", expression, runs)
		}
	}
}
