package logs

import (
	"fmt"
	"slipway/sandbox/account"
	"slipway/sandbox/account/accounttest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestALogGroupTakesItsEventsWithIt(t *testing.T) {
	t.Parallel()
	s := accounttest.New(t)
	s.Object(LogGroup, "/shop/dev/web", account.Object{})
	s.Object(LogGroup, "/other", account.Object{})
	put := func(group, message string, at int64) {
		t.Helper()
		if err := CreateLogStream(s.Account, group, "one"); !account.IsCode(err, "ResourceAlreadyExistsException") {
			require.NoError(t, err)
		}
		require.NoError(t, PutLogEvents(s.Account, group, "one", []LogEvent{{Timestamp: at, Message: message}}))
	}
	all := func(after string) (messages []string, last string) {
		t.Helper()
		events, err := AllLogEvents(s.Account, after)
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

	require.NoError(t, s.DeleteObject(LogGroup, "/shop/dev/web", false))
	s.Object(LogGroup, "/shop/dev/web", account.Object{})
	messages, _ = all("")
	require.Equal(t, []string{"before all", "other"}, messages)
	put("/shop/dev/web", "again", 5)
}

func TestLogGroupsThatAWSDoesNotTake(t *testing.T) {
	t.Parallel()
	a := accounttest.New(t)
	tags := func(key, value string) account.Object {
		return account.Object{"name": "x", "tagsAll": map[string]any{key: value}}
	}
	many := map[string]any{}
	for i := range 51 {
		many[fmt.Sprint("tag", i)] = "x"
	}
	a.RequireRefused(LogGroup, account.Object{"name": "x", "tagsAll": many}, "TooManyTagsException")
	a.RequireRefused(LogGroup, tags(strings.Repeat("k", 129), ""), "InvalidTagParameterException")
	a.RequireRefused(LogGroup, tags("k", strings.Repeat("v", 257)), "InvalidTagParameterException")
	a.RequireRefused(LogGroup, tags("AWS:x", ""), "aws: prefixed")
	a.RequireRefused(LogGroup, tags("k", "a&b"), "InvalidTagParameterException")
	a.RequireRefused(LogGroup, account.Object{"name": "a b"}, "InvalidParameterException")
}
