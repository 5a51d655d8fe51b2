package docker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	control "github.com/moby/buildkit/api/services/control"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// buildKitMessage is the id of a message of BuildKit's in what the engine says of a build.
const buildKitMessage = "moby.buildkit.trace"

// followBuild passes a build's messages on until it ends: a classic builder's as they are, and BuildKit's as `docker
// build --progress=plain` prints them. The error of a build that fails names the step, and has its last words.
func followBuild(messages io.Reader, print func(line string)) error {
	told := progress{print: print, steps: map[string]*step{}}
	for decoder := json.NewDecoder(messages); ; {
		var message struct {
			ID, Stream, Status, Error string
			Aux                       json.RawMessage
		}
		if err := decoder.Decode(&message); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("following the build: %w", err)
		}
		if message.Error != "" {
			return told.failure(message.Error)
		}
		if message.ID == buildKitMessage {
			if err := told.add(message.Aux); err != nil {
				return fmt.Errorf("following the build: %w", err)
			}
		}
		if line := strings.TrimSpace(message.Stream + message.Status); line != "" {
			print(line)
		}
	}
}

// progress is how far BuildKit is.
type progress struct {
	print func(line string)
	steps map[string]*step // by digest
	order []*step
}

// step is one of BuildKit's vertices: an instruction, or what an instruction needs.
type step struct {
	number  int
	name    string
	error   string
	started time.Time
	ended   bool
	lines   []string // its last ones
}

// lastLines is how many lines of a failed step its error has.
const lastLines = 20

func (p *progress) add(message json.RawMessage) error {
	var encoded []byte
	if err := json.Unmarshal(message, &encoded); err != nil {
		return err
	}
	var status control.StatusResponse
	if err := proto.Unmarshal(encoded, &status); err != nil {
		return err
	}
	for _, vertex := range status.Vertexes {
		p.addVertex(vertex)
	}
	for _, part := range status.Statuses {
		if at := p.steps[part.Vertex]; at != nil && part.Completed != nil {
			p.print(fmt.Sprintf("#%d %s done", at.number, part.ID))
		}
	}
	for _, log := range status.Logs {
		at := p.steps[log.Vertex]
		if at == nil {
			continue
		}
		for line := range strings.Lines(string(log.Msg)) {
			line = strings.TrimRight(line, "\r\n")
			p.print(fmt.Sprintf("#%d %.3f %s", at.number, log.Timestamp.AsTime().Sub(at.started).Seconds(), line))
			at.lines = append(at.lines, line)
			at.lines = at.lines[max(0, len(at.lines)-lastLines):]
		}
	}
	for _, warning := range status.Warnings {
		if at := p.steps[warning.Vertex]; at != nil {
			p.print(fmt.Sprintf("#%d WARN: %s", at.number, warning.Short))
		}
	}
	return nil
}

// addVertex tells of a step's beginning and of its end. BuildKit repeats itself.
func (p *progress) addVertex(vertex *control.Vertex) {
	at := p.steps[vertex.Digest]
	if at == nil {
		at = &step{name: vertex.Name, number: len(p.order) + 1}
		p.steps[vertex.Digest], p.order = at, append(p.order, at)
	}
	if vertex.Started != nil && at.started.IsZero() {
		at.started = vertex.Started.AsTime()
		p.print(fmt.Sprintf("#%d %s", at.number, at.name))
	}
	if vertex.Completed == nil || at.ended {
		return
	}
	at.ended, at.error = true, vertex.Error
	switch {
	case vertex.Error != "":
		p.print(fmt.Sprintf("#%d ERROR: %s", at.number, vertex.Error))
	case vertex.Cached:
		p.print(fmt.Sprintf("#%d CACHED", at.number))
	default:
		p.print(fmt.Sprintf("#%d DONE %.1fs", at.number, seconds(vertex.Started, vertex.Completed)))
	}
}

func seconds(from, to *timestamppb.Timestamp) float64 {
	return to.AsTime().Sub(from.AsTime()).Seconds()
}

// failure is the error of a build, with the step that it is of and what that said.
func (p *progress) failure(message string) error {
	failed := slices.IndexFunc(p.order, func(s *step) bool { return s.error != "" && strings.Contains(message, s.error) })
	if failed < 0 {
		return errors.New(message)
	}
	at := p.order[failed]
	return errors.New(strings.Join(append([]string{at.name + ": " + message}, at.lines...), "\n  "))
}
