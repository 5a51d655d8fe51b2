package account

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestScheduleExpressions(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]bool{
		"rate(5 minutes)":                    true,
		"rate(1 day)":                        true,
		"rate(0 days)":                       false,
		"rate(5 weeks)":                      false,
		"rate(5minutes)":                     false,
		"at(2026-11-20T13:00:00)":            true,
		"at(2026-11-31T13:00:00)":            false,
		"at(2026-11-20T13:00:00Z)":           false,
		"cron(0 6 ? * MON-FRI *)":            true,
		"cron(0/15 8-18 1,15 jan-mar ? *)":   true,
		"cron(0 0 L * ? 2030)":               true,
		"cron(0 0 15W * ? *)":                true,
		"cron(0 0 ? * 2#1 *)":                true,
		"cron(0 0 ? * 6L *)":                 true,
		"cron(0-15/1 8-8 ? * 2,3,4,5,6,7 *)": true,
		"cron(0 6 * * MON-FRI *)":            false,
		"cron(0 6 ? * ? *)":                  false,
		"cron(60 6 * * ? *)":                 false,
		"cron(0 24 * * ? *)":                 false,
		"cron(0 6 32 * ? *)":                 false,
		"cron(0 6 * 13 ? *)":                 false,
		"cron(0 6 ? * 8 *)":                  false,
		"cron(0 6 * * ? 1969)":               false,
		"cron(0/0 6 * * ? *)":                false,
		"cron(0 6 * * ?)":                    false,
		"cron(0 6 * * ? *":                   false,
		"0 6 * * ? *":                        false,
		"":                                   false,
	} {
		require.Equal(t, want, validExpression(expression), expression)
	}
}
