package scaling

import (
	"slipway/sandbox/account"
	"slipway/sandbox/account/accounttest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAnAlarmsNameThatAWSDoesNotTake(t *testing.T) {
	t.Parallel()
	err := accounttest.New(t).PutObject(MetricAlarm, "x", account.Object{"name": strings.Repeat("a", 256)},
		func(func(int) string) account.Object { return nil })
	require.ErrorContains(t, err, "less than or equal to 255")
}
