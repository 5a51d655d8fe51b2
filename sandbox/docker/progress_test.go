package docker

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	control "github.com/moby/buildkit/api/services/control"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func TestTheClassicBuildersMessagesAreFollowed(t *testing.T) {
	t.Parallel()
	var lines []string
	collect := func(line string) { lines = append(lines, line) }
	require.NoError(t, followBuild(strings.NewReader(`{"stream":"Step 1/2 : FROM `+
		`scratch\n"}{"stream":"\n"}{"status":"Pulling"}{"aux":{"ID":"x"}}`), collect))
	require.Equal(t, []string{"Step 1/2 : FROM scratch", "Pulling"}, lines)
	require.EqualError(t, followBuild(strings.NewReader(`{"errorDetail":{"message":"no"},"error":"no"}`), collect), "no")
	require.ErrorContains(t, followBuild(strings.NewReader(`{"stream":`), collect), "following the build")
}

func TestBuildKitsMessagesAreFollowed(t *testing.T) {
	t.Parallel()
	at := func(seconds float64) *timestamppb.Timestamp {
		return timestamppb.New(time.Unix(1, 0).Add(time.Duration(seconds * float64(time.Second))))
	}
	trace := func(status *control.StatusResponse) string {
		encoded, err := proto.Marshal(status)
		require.NoError(t, err)
		message, err := json.Marshal(map[string]any{"id": buildKitMessage, "aux": encoded})
		require.NoError(t, err)
		return string(message)
	}
	vertex := func(v *control.Vertex) string {
		return trace(&control.StatusResponse{Vertexes: []*control.Vertex{v}})
	}
	const copied, run = "sha256:1", "sha256:2"
	text := vertex(&control.Vertex{Digest: copied, Name: "[1/2] COPY a /"}) +
		vertex(&control.Vertex{Digest: copied, Name: "[1/2] COPY a /", Started: at(0)}) +
		trace(&control.StatusResponse{Statuses: []*control.VertexStatus{
			{Vertex: copied, ID: "copying", Current: 1, Total: 2},
			{Vertex: copied, ID: "copying", Current: 2, Total: 2, Completed: at(1)},
			{Vertex: "sha256:other", ID: "of nobody", Completed: at(1)}}}) +
		vertex(&control.Vertex{Digest: copied, Name: "[1/2] COPY a /", Started: at(0), Completed: at(0), Cached: true}) +
		vertex(&control.Vertex{Digest: copied, Name: "[1/2] COPY a /", Started: at(0), Completed: at(0), Cached: true}) +
		vertex(&control.Vertex{Digest: run, Name: "[2/2] RUN x", Started: at(1)}) +
		trace(&control.StatusResponse{
			Logs: []*control.VertexLog{{Vertex: run, Msg: []byte("one\r\ntwo\n"), Timestamp: at(1.25)},
				{Vertex: "sha256:other", Msg: []byte("of nobody")}},
			Warnings: []*control.VertexWarning{{Vertex: run, Short: []byte("be careful")}}})
	told := []string{"#1 [1/2] COPY a /", "#1 copying done", "#1 CACHED", "#2 [2/2] RUN x", "#2 0.250 one", "#2 0.250 two",
		"#2 WARN: be careful"}
	for name, test := range map[string]struct {
		end  *control.Vertex
		rest []string
		err  string
	}{
		"success": {&control.Vertex{Digest: run, Completed: at(3.5), Started: at(1)}, []string{"#2 DONE 2.5s"}, ""},
		"failure": {&control.Vertex{Digest: run, Completed: at(2), Started: at(1), Error: "exit code: 1"},
			[]string{"#2 ERROR: exit code: 1"}, "[2/2] RUN x: failed to solve: exit code: 1\n  one\n  two"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			messages := text + vertex(test.end)
			if test.err != "" {
				messages += `{"error":"failed to solve: exit code: 1"}`
			}
			var lines []string
			err := followBuild(strings.NewReader(messages), func(line string) { lines = append(lines, line) })
			require.Equal(t, append(told[:len(told):len(told)], test.rest...), lines)
			if test.err == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, test.err)
			}
		})
	}
	var lines []string
	require.EqualError(t, followBuild(strings.NewReader(text+`{"error":"no such image"}`),
		func(line string) { lines = append(lines, line) }), "no such image", "of no step")
}
