package agent

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/client"

	"slipway/sandbox/account"
	"slipway/sandbox/account/logs"
)

const (
	putTime  = 100 * time.Millisecond // between two calls that store lines
	putLines = 1000                   // that one call stores at most
)

// follower carries the output of one container into its log stream: each line once, also where another agent has
// carried a part.
type follower struct {
	agent         *Agent
	task          string // the ARN
	container     string // the engine's id
	group, stream string
	begun         time.Time
	done          chan struct{} // closed when the container has ended and all that it wrote is stored

	mu      sync.Mutex
	pending []logs.LogEvent
	to      time.Time // up to when all is stored
	read    time.Time // up to when the engine's output has been read
	same    int       // lines read of exactly that moment
	// stored counts what the stream has since the last agent's word, by time and text: it is not stored again.
	stored map[string]int
}

func (f *follower) logsTo() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.to
}

func (f *follower) ended() bool {
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}

// run follows the container until it has ended, or ctx does.
func (f *follower) run(ctx context.Context) {
	for err := f.resume(); err != nil; err = f.resume() { // without knowing what is stored, lines would be stored twice
		f.agent.Say("reading " + f.stream + ": " + err.Error())
		if sleep(ctx, interval); ctx.Err() != nil {
			return
		}
	}
	putting, stop := context.WithCancel(ctx)
	var put sync.WaitGroup
	put.Go(func() { f.putAlong(putting) })
	defer func() {
		stop()
		put.Wait()
		for !f.put() && ctx.Err() == nil {
			sleep(ctx, interval)
		}
		if ctx.Err() == nil {
			close(f.done)
		}
	}()
	for ctx.Err() == nil {
		// It is read to the end once it has ended: what is followed may break off before that.
		over := f.over(ctx)
		err := f.readFrom(ctx, !over)
		if over && err == nil || isGone(err) {
			return
		}
		if err != nil {
			sleep(ctx, interval)
		}
	}
}

// resume finds out what is stored already.
func (f *follower) resume() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.to = f.to.Truncate(time.Millisecond) // of stored lines that is all that is known
	f.read, f.stored = f.to, map[string]int{}
	if f.group == "" {
		return nil
	}
	from := int64(0)
	if !f.to.IsZero() {
		from = f.to.UnixMilli()
	}
	events, err := f.agent.Account.FindLogEvents(f.task, f.group, f.stream, from, math.MaxInt64)
	if account.IsCode(err, "ResourceNotFoundException") {
		return nil
	}
	for _, e := range events {
		if e.Stream == f.stream {
			f.stored[storedKey(*e)]++
		}
	}
	return err
}

func storedKey(e logs.LogEvent) string { return fmt.Sprintf("%d %s", e.Timestamp, e.Message) }

// over reports whether the container has ended, or is not there any more.
func (f *follower) over(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	c, err := f.agent.Docker.ContainerInspect(ctx, f.container, client.ContainerInspectOptions{})
	if err != nil {
		return isGone(err)
	}
	return !c.Container.State.Running
}

// readFrom reads the container's output from where the last reading ended: up to now, or until the container ends.
func (f *follower) readFrom(ctx context.Context, follow bool) error {
	options := client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Timestamps: true, Follow: follow}
	f.mu.Lock()
	skip, since := f.same, f.read
	f.mu.Unlock()
	if !since.IsZero() {
		options.Since = fmt.Sprintf("%d.%09d", since.Unix(), since.Nanosecond())
	}
	output, err := f.agent.Docker.ContainerLogs(ctx, f.container, options)
	if err != nil {
		return err
	}
	defer output.Close()
	return frames(output, func(at time.Time, line string) {
		if at.Equal(since) && skip > 0 {
			skip--
			return
		}
		f.add(at, line)
	})
}

// add notes a line to be stored.
func (f *follower) add(at time.Time, line string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !at.Equal(f.read) {
		f.read, f.same = at, 0
	}
	f.same++
	event := logs.LogEvent{Timestamp: at.UnixMilli(), Message: line}
	key := storedKey(event)
	switch {
	case line == "": // which CloudWatch Logs refuses, and its driver leaves out
	case f.stored[key] > 0:
		f.stored[key]--
	case f.group != "":
		f.pending = append(f.pending, event)
	}
}

func (f *follower) putAlong(ctx context.Context) {
	for ctx.Err() == nil {
		sleep(ctx, putTime)
		f.put()
	}
}

// put stores what has been read, and reports whether it could.
func (f *follower) put() bool {
	for {
		f.mu.Lock()
		batch, to := f.pending[:min(len(f.pending), putLines)], f.read
		f.mu.Unlock()
		var err error
		if len(batch) > 0 {
			err = f.agent.Account.PutLogEvents(f.task, f.group, f.stream, batch)
		}
		if err != nil && !account.IsCode(err, "ResourceNotFoundException") { // the group is gone, and with it the lines
			f.agent.Say("writing to " + f.stream + ": " + err.Error())
			return false
		}
		f.mu.Lock()
		f.pending = f.pending[len(batch):]
		left := len(f.pending)
		if left == 0 {
			f.to = to
		}
		f.mu.Unlock()
		if left == 0 {
			return true
		}
	}
}

// frames reads the engine's stream of output: a header of 8 bytes, whose first is 1 or 2 for stdout or stderr and whose
// last 4 are the length of what follows, and then a time and a line. A long line comes in parts, of which only the last
// ends with a newline.
func frames(output io.Reader, line func(at time.Time, text string)) error {
	reader := bufio.NewReader(output)
	parts := map[byte]string{}
	began := map[byte]time.Time{}
	for {
		var header [8]byte
		if _, err := io.ReadFull(reader, header[:]); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		content := make([]byte, binary.BigEndian.Uint32(header[4:]))
		if _, err := io.ReadFull(reader, content); err != nil {
			return err
		}
		stamp, text, _ := strings.Cut(string(content), " ")
		at, err := time.Parse(time.RFC3339Nano, stamp)
		if err != nil {
			return fmt.Errorf("reading a container's output: %w", err)
		}
		of := header[0]
		if parts[of] == "" {
			began[of] = at
		}
		text, whole := strings.CutSuffix(text, "\n")
		parts[of] += text
		if whole {
			line(began[of], parts[of])
			delete(parts, of)
		}
	}
	for of, text := range parts { // what a container leaves without a newline
		line(began[of], text)
	}
	return nil
}

// sleep waits, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
