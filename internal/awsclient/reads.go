package awsclient

import (
	"cmp"
	"fmt"
	"time"
)

const (
	// AttemptLimit is how long one attempt of a request may take: to connect, to send it, and to read the whole answer.
	AttemptLimit = 25 * time.Second
	// CallLimit is how long a call may take, with all its attempts.
	CallLimit = 2 * time.Minute
	// FirstPoll and LastPoll bound the time between two reads of a watch: short at first, for what ends at once.
	FirstPoll, LastPoll = 250 * time.Millisecond, 3 * time.Second
	// UnreadLimit is for how long a watch goes on that reads nothing.
	UnreadLimit = 5 * time.Minute
)

// Reads are the reads of a watch, one after the other. The zero value is ready for the first one.
type Reads struct {
	// Limit is for how long the watch goes on that reads nothing; zero for UnreadLimit.
	Limit time.Duration

	last time.Time // that something was read, or the watch began
	err  error     // of the latest one
}

// After takes how a read ended. It returns nil where the watch is to go on: after an answer, and after an error that
// may pass, until nothing has been read for the limit. Otherwise its error is why the watch ends.
func (r *Reads) After(err error) error {
	if err == nil || r.last.IsZero() {
		r.last = time.Now()
	}
	r.err = err
	limit := cmp.Or(r.Limit, UnreadLimit)
	switch {
	case err == nil:
		return nil
	case Definite(err):
		return err
	case time.Since(r.last) > limit:
		return fmt.Errorf("nothing could be read for %s: %w", limit, err)
	}
	return nil
}

// Unread is why the latest read failed; nil where it was answered.
func (r *Reads) Unread() error { return r.err }
