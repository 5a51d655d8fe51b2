package logs

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"slipway/internal/taskrun"
)

// looks are the answers to FilterLogEvents, one after the other: an event's text, or an error.
type looks struct {
	taskrun.Logs
	answers []any
}

func (l *looks) FilterLogEvents(context.Context, *cloudwatchlogs.FilterLogEventsInput, ...func(*cloudwatchlogs.Options),
) (*cloudwatchlogs.FilterLogEventsOutput, error) {
	next := l.answers[0]
	l.answers = l.answers[1:]
	if err, failed := next.(error); failed {
		return nil, err
	}
	text := next.(string)
	return &cloudwatchlogs.FilterLogEventsOutput{Events: []types.FilteredLogEvent{{EventId: &text, Message: &text,
		Timestamp: aws.Int64(1)}}}, nil
}

func TestFollowingALogGoesOnAfterAFailedRead(t *testing.T) {
	t.Parallel()
	denied := &smithy.GenericAPIError{Code: "AccessDeniedException"}
	full := errors.New("no space left on device")
	for name, test := range map[string]struct {
		answers []any
		print   error
		want    error
		printed []string
		unread  int
	}{
		"two in a row, and later a refusal": {[]any{"a", io.ErrUnexpectedEOF, io.ErrUnexpectedEOF, "b", denied}, nil, denied,
			[]string{"a", "b"}, 1},
		"at the beginning":      {[]any{io.ErrUnexpectedEOF}, nil, io.ErrUnexpectedEOF, nil, 0},
		"where nobody reads it": {[]any{"a"}, full, full, []string{"a"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var printed []string
			unread := 0
			err := read(t.Context(), true, func(error) { unread++ }, &taskrun.Log{
				Logs: &looks{answers: test.answers}, Group: "/shop/dev/web",
				Print: func(event types.FilteredLogEvent) error { printed = append(printed, *event.Message); return test.print },
			})
			require.ErrorIs(t, err, test.want)
			require.Equal(t, test.printed, printed)
			require.Equal(t, test.unread, unread)
		})
	}
}
