// Package logs is CloudWatch Logs.
package logs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"slipway/internal/awslimits"
	"slipway/sandbox/account"
)

// LogGroup is the kind of log groups, each by its name.
const LogGroup = "logGroup"

func init() {
	account.Register(LogGroup, account.Rules{Delete: func(t *account.Tx, group string, _ account.Object, _ bool) error {
		removeLogs(t, group)
		return nil
	}, Check: func(_ *account.Tx, id string, o account.Object) error {
		return account.MustMatch("logGroupName", cmp.Or(o.Text("name"), id), awslimits.LogGroup.MatchString,
			"InvalidParameterException")
	}})
}

const (
	logStreamKind = "logStream"    // group:stream, as neither name has a colon
	logEventKind  = "logEvent of " // a log group's
)

// LogEvent is one line that a container wrote. Times are milliseconds since 1970.
type LogEvent struct {
	ID        string `json:"eventId"`
	Group     string `json:"logGroup"`
	Stream    string `json:"logStreamName"`
	Timestamp int64  `json:"timestamp"`
	Ingestion int64  `json:"ingestionTime"`
	Message   string `json:"message"`
}

func checkLogGroup(t *account.Tx, group string) error {
	if account.Get[account.Object](t, LogGroup, group) == nil {
		return account.Refuse("ResourceNotFoundException", "The specified log group does not exist.")
	}
	return nil
}

// CreateLogStream makes a stream in a log group.
func CreateLogStream(a *account.Account, group, stream string) error {
	return a.Transact(func(t *account.Tx) error {
		if err := checkLogGroup(t, group); err != nil {
			return err
		}
		if account.Get[account.Object](t, logStreamKind, group+":"+stream) != nil {
			return account.Refuse("ResourceAlreadyExistsException", "The specified log stream already exists")
		}
		PutLogStream(t, group, stream)
		return nil
	})
}

// PutLogStream adds a stream, in whatever group.
func PutLogStream(t *account.Tx, group, stream string) {
	account.Put(t, logStreamKind, group+":"+stream, account.Object{"group": group, "name": stream})
}

// PutLogEvents adds events, of which the timestamp and the message are given, to a stream.
func PutLogEvents(a *account.Account, group, stream string, events []LogEvent) error {
	return a.Transact(func(t *account.Tx) error {
		if err := checkLogGroup(t, group); err != nil {
			return err
		}
		if account.Get[account.Object](t, logStreamKind, group+":"+stream) == nil {
			return account.Refuse("ResourceNotFoundException", "The specified log stream does not exist.")
		}
		RecordLogEvents(t, group, stream, events)
		return nil
	})
}

// RecordLogEvents adds events, in whatever stream.
func RecordLogEvents(t *account.Tx, group, stream string, events []LogEvent) {
	batch := t.Next("batches of log events")
	for i, event := range events {
		event.ID = fmt.Sprintf("%048d%08d", batch, i)
		event.Group, event.Stream, event.Ingestion = group, stream, t.Now.UnixMilli()
		account.Put(t, logEventKind+group, event.ID, event)
	}
}

// removeLogs forgets what is in a log group.
func removeLogs(t *account.Tx, group string) {
	for _, stream := range account.List[account.Object](t, logStreamKind) {
		if stream.Text("group") == group {
			account.Remove(t, logStreamKind, group+":"+stream.Text("name"))
		}
	}
	account.RemoveAll(t, logEventKind+group)
}

// FindLogEvents are those of a group's streams with this prefix, from a time on and before another, oldest first.
func FindLogEvents(a *account.Account, group, prefix string, from, to int64) (found []*LogEvent, err error) {
	err = a.Transact(func(t *account.Tx) error {
		if err := checkLogGroup(t, group); err != nil {
			return err
		}
		found = slices.DeleteFunc(account.List[LogEvent](t, logEventKind+group), func(e *LogEvent) bool {
			return !strings.HasPrefix(e.Stream, prefix) || e.Timestamp < from || e.Timestamp > to
		})
		return nil
	})
	sortLogEvents(found)
	return found, err
}

func sortLogEvents(events []*LogEvent) {
	slices.SortStableFunc(events, func(x, y *LogEvent) int { return cmp.Compare(x.Timestamp, y.Timestamp) })
}

// AllLogEvents are those of every group whose ids come after one, oldest first. Ids grow as events come in, whatever
// their times are.
func AllLogEvents(a *account.Account, after string) (found []*LogEvent, err error) {
	err = a.Transact(func(t *account.Tx) error {
		found = account.ListFrom[LogEvent](t, logEventKind, after)
		return nil
	})
	sortLogEvents(found)
	return found, err
}

// StreamEvents are those of one stream, from a time on and before another, oldest first.
func StreamEvents(a *account.Account, group, stream string, from, to int64) (found []*LogEvent, err error) {
	err = a.Transact(func(t *account.Tx) error {
		if err := checkLogGroup(t, group); err != nil {
			return err
		}
		if account.Get[account.Object](t, logStreamKind, group+":"+stream) == nil {
			return account.Refuse("ResourceNotFoundException", "The specified log stream does not exist.")
		}
		found = slices.DeleteFunc(account.List[LogEvent](t, logEventKind+group), func(e *LogEvent) bool {
			return e.Stream != stream || e.Timestamp < from || e.Timestamp >= to
		})
		return nil
	})
	sortLogEvents(found)
	return found, err
}
