package account

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"slipway/internal/awslimits"
)

// LogGroup is the kind of log groups, each by its name.
const LogGroup = "logGroup"

func init() {
	Register(LogGroup, Rules{Delete: func(t *Tx, group string, _ Object, _ bool) error {
		t.removeLogs(group)
		return nil
	}, Check: func(_ *Tx, id string, o Object) error {
		return MustMatch("logGroupName", cmp.Or(o.Text("name"), id), awslimits.LogGroup.MatchString,
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

func (t *Tx) checkLogGroup(group string) error {
	if Get[Object](t, LogGroup, group) == nil {
		return Refuse("ResourceNotFoundException", "The specified log group does not exist.")
	}
	return nil
}

// CreateLogStream makes a stream in a log group.
func (a *Account) CreateLogStream(group, stream string) error {
	return a.Transact(func(t *Tx) error {
		if err := t.checkLogGroup(group); err != nil {
			return err
		}
		if Get[Object](t, logStreamKind, group+":"+stream) != nil {
			return Refuse("ResourceAlreadyExistsException", "The specified log stream already exists")
		}
		t.createLogStream(group, stream)
		return nil
	})
}

func (t *Tx) createLogStream(group, stream string) {
	Put(t, logStreamKind, group+":"+stream, Object{"group": group, "name": stream})
}

// PutLogEvents adds events, of which the timestamp and the message are given, to a stream.
func (a *Account) PutLogEvents(group, stream string, events []LogEvent) error {
	return a.Transact(func(t *Tx) error {
		if err := t.checkLogGroup(group); err != nil {
			return err
		}
		if Get[Object](t, logStreamKind, group+":"+stream) == nil {
			return Refuse("ResourceNotFoundException", "The specified log stream does not exist.")
		}
		t.putLogEvents(group, stream, events)
		return nil
	})
}

func (t *Tx) putLogEvents(group, stream string, events []LogEvent) {
	batch := t.Next("batches of log events")
	for i, event := range events {
		event.ID = fmt.Sprintf("%048d%08d", batch, i)
		event.Group, event.Stream, event.Ingestion = group, stream, t.Now.UnixMilli()
		Put(t, logEventKind+group, event.ID, event)
	}
}

// removeLogs forgets what is in a log group.
func (t *Tx) removeLogs(group string) {
	for _, stream := range List[Object](t, logStreamKind) {
		if stream.Text("group") == group {
			Remove(t, logStreamKind, group+":"+stream.Text("name"))
		}
	}
	RemoveAll(t, logEventKind+group)
}

// logNote writes a line of the sandbox itself into the log of a task's container, where it has one.
func (m moment) logNote(task *Task, c Container, format string, args ...any) {
	group, stream := c.LogGroup(), c.LogStream(task.ID())
	if group == "" || Get[Object](m.Tx, LogGroup, group) == nil {
		return
	}
	m.createLogStream(group, stream)
	m.putLogEvents(group, stream, []LogEvent{{Timestamp: m.at.UnixMilli(), Message: fmt.Sprintf(format, args...)}})
}

// FindLogEvents are those of a group's streams with this prefix, from a time on and before another, oldest first.
func (a *Account) FindLogEvents(group, prefix string, from, to int64) (found []*LogEvent, err error) {
	err = a.Transact(func(t *Tx) error {
		if err := t.checkLogGroup(group); err != nil {
			return err
		}
		found = slices.DeleteFunc(List[LogEvent](t, logEventKind+group), func(e *LogEvent) bool {
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
func (a *Account) AllLogEvents(after string) (found []*LogEvent, err error) {
	err = a.Transact(func(t *Tx) error {
		found = ListFrom[LogEvent](t, logEventKind, after)
		return nil
	})
	sortLogEvents(found)
	return found, err
}

// StreamEvents are those of one stream, from a time on and before another, oldest first.
func (a *Account) StreamEvents(group, stream string, from, to int64) (found []*LogEvent, err error) {
	err = a.Transact(func(t *Tx) error {
		if err := t.checkLogGroup(group); err != nil {
			return err
		}
		if Get[Object](t, logStreamKind, group+":"+stream) == nil {
			return Refuse("ResourceNotFoundException", "The specified log stream does not exist.")
		}
		found = slices.DeleteFunc(List[LogEvent](t, logEventKind+group), func(e *LogEvent) bool {
			return e.Stream != stream || e.Timestamp < from || e.Timestamp >= to
		})
		return nil
	})
	sortLogEvents(found)
	return found, err
}
