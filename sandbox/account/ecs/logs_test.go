package ecs

import (
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/logs"
)

func TestALogGroupTakesItsEventsWithIt(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.object(logs.LogGroup, "/other", account.Object{})
	put := func(group, message string, at int64) {
		t.Helper()
		if err := logs.CreateLogStream(s.Account, group, "one"); !account.IsCode(err, "ResourceAlreadyExistsException") {
			require.NoError(t, err)
		}
		require.NoError(t, logs.PutLogEvents(s.Account, group, "one", []logs.LogEvent{{Timestamp: at, Message: message}}))
	}
	all := func(after string) (messages []string, last string) {
		t.Helper()
		events, err := logs.AllLogEvents(s.Account, after)
		require.NoError(t, err)
		for _, e := range events {
			messages, last = append(messages, e.Message), max(last, e.ID)
		}
		return messages, last
	}
	put("/shop/dev/web", "late", 3)
	put("/other", "other", 2)
	put("/shop/dev/web", "early", 1)
	messages, last := all("")
	require.Equal(t, []string{"early", "other", "late"}, messages)
	put("/other", "before all", 0)
	messages, _ = all(last)
	require.Equal(t, []string{"before all"}, messages, "what has come since, whatever its time")

	require.NoError(t, s.DeleteObject(logs.LogGroup, "/shop/dev/web", false))
	s.object(logs.LogGroup, "/shop/dev/web", account.Object{})
	messages, _ = all("")
	require.Equal(t, []string{"before all", "other"}, messages)
	put("/shop/dev/web", "again", 5)
}
