package copilot

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSchedulesAreThoseOfEventBridge(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]string{
		"@daily": "cron(0 0 * * ? *)", "@hourly": "cron(0 * * * ? *)", "@weekly": "cron(0 0 ? * 1 *)",
		"@every 90m": "rate(90 minutes)", "@every 1m": "rate(1 minute)", "0 12 * * *": "cron(0 12 * * ? *)",
		"*/5 8-18 * * 1-5": "cron(*/5 8-18 ? * 2-6 *)", "0 0 * * 7": "cron(0 0 ? * 1 *)",
		"0 0 * * MON-FRI": "cron(0 0 ? * MON-FRI *)", "0 0 1 * *": "cron(0 0 1 * ? *)",
		"rate(2 hours)": "rate(2 hours)", "cron(0 9 3W * ? *)": "cron(0 9 3W * ? *)",
	} {
		got, err := expression(written)
		require.NoError(t, err, written)
		require.Equal(t, want, got, written)
	}
	for _, written := range []string{"", "@noon", "@every 5s", "0 0 1 * 1", "0 0 * * */2", "99 * * * *", "rate(0 hours)"} {
		_, err := expression(written)
		require.Error(t, err, written)
	}
}
