package taskrun

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// lateness is how much later than others an event with an earlier time may arrive. Each look goes that much back.
const lateness = 2 * time.Minute

// Log reads the events of a log group, each once.
type Log struct {
	// Logs makes the calls.
	Logs Logs
	// Group is the log group, and Stream what the names of its streams begin with; empty for all.
	Group, Stream string
	// From is the time of the first event.
	From time.Time
	// Print is given each event. What it returns is a PrintError to whoever looks.
	Print func(types.FilteredLogEvent) error

	// seen are the events given so far that the next look would find again, with their times.
	seen map[string]time.Time
}

// PrintError is an error of Print's, and none of reading.
type PrintError struct{ Err error }

func (e *PrintError) Error() string { return e.Err.Error() }

func (e *PrintError) Unwrap() error { return e.Err }

// Look gives the events that were not given yet, oldest first. A stream that is not there yet has none.
func (l *Log) Look(ctx context.Context) error {
	input := &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &l.Group, StartTime: aws.Int64(l.From.UnixMilli())}
	if l.Stream != "" {
		input.LogStreamNamePrefix = &l.Stream
	}
	if l.seen == nil {
		l.seen = map[string]time.Time{}
	}
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(l.Logs, input)
	newest, now := l.From, time.Now() // a container's clock may be ahead
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, event := range page.Events {
			id, at := aws.ToString(event.EventId), time.UnixMilli(aws.ToInt64(event.Timestamp))
			if at.After(newest) && !at.After(now) {
				newest = at
			}
			if _, given := l.seen[id]; given {
				continue
			}
			l.seen[id] = at
			if err := l.Print(event); err != nil {
				return &PrintError{err}
			}
		}
	}
	if from := newest.Add(-lateness); from.After(l.From) {
		l.From = from
	}
	for id, at := range l.seen {
		if at.Before(l.From) {
			delete(l.seen, id)
		}
	}
	return nil
}

// Stream is the name of the log stream of a container of a task, given the last part of the task's ARN.
func Stream(container, taskID string) string { return container + "/" + container + "/" + taskID }

// ErrorLines is how many lines of a log an error has, and longestLine how many characters of each.
const ErrorLines, longestLine = 10, 300

// ShortLine is a line of a log as an error has it.
func ShortLine(line string) string {
	if runes := []rune(line); len(runes) > longestLine {
		return string(runes[:longestLine-1]) + "…"
	}
	return line
}

// LastLines reads the last n lines of a stream, oldest first; none where it is not there.
func LastLines(ctx context.Context, logs Logs, group, stream string, n int) ([]string, error) {
	input := &cloudwatchlogs.GetLogEventsInput{
		LogGroupName: &group, LogStreamName: &stream, Limit: aws.Int32(int32(n)), StartFromHead: aws.Bool(false),
	}
	var lines []string
	for len(lines) < n {
		page, err := logs.GetLogEvents(ctx, input)
		if missing := (*types.ResourceNotFoundException)(nil); errors.As(err, &missing) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		var earlier []string
		for _, event := range page.Events {
			earlier = append(earlier, Line(aws.ToString(event.Message)))
		}
		lines = append(earlier, lines...)
		// A page may be empty before the last one, which the same token tells.
		if page.NextBackwardToken == nil || aws.ToString(page.NextBackwardToken) == aws.ToString(input.NextToken) {
			break
		}
		input.NextToken = page.NextBackwardToken
	}
	return lines[max(0, len(lines)-n):], nil
}

// Line is the message of an event without its line's end.
func Line(message string) string { return strings.TrimRight(message, "\r\n") }
