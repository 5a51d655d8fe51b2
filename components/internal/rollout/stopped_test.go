package rollout

import (
	"context"
	"errors"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"slipway/internal/taskrun"
)

func TestTheContainerThatEndedATaskComesFirst(t *testing.T) {
	t.Parallel()
	ended := func(name string, code int32) types.Container { return types.Container{Name: &name, ExitCode: &code} }
	for name, test := range map[string]struct {
		containers []types.Container
		want       []string
	}{
		"one of several": {[]types.Container{ended("prepare", 0), ended("log", 143), ended("web", 3)},
			[]string{"web", "log", "prepare"}},
		"out of memory":       {[]types.Container{ended("prepare", 0), ended("web", 137)}, []string{"web", "prepare"}},
		"none that failed":    {[]types.Container{ended("web", 0), ended("log", 0)}, []string{"web", "log"}},
		"none that had begun": {[]types.Container{{Name: awssdk.String("web")}}, nil},
	} {
		require.Equal(t, test.want, firstExited(types.Task{Containers: test.containers}), name)
	}
}

// lines answers with some events, whatever the stream.
type lines struct {
	taskrun.Logs
	lines []string
	err   error
	asked []string
}

func (l *lines) GetLogEvents(_ context.Context, input *cloudwatchlogs.GetLogEventsInput,
	_ ...func(*cloudwatchlogs.Options),
) (*cloudwatchlogs.GetLogEventsOutput, error) {
	l.asked = append(l.asked, *input.LogGroupName+" "+*input.LogStreamName)
	var events []logtypes.OutputLogEvent
	for _, line := range l.lines {
		events = append(events, logtypes.OutputLogEvent{Message: &line})
	}
	return &cloudwatchlogs.GetLogEventsOutput{Events: events}, l.err
}

func TestTheLastLinesOfAStoppedTaskAreShort(t *testing.T) {
	t.Parallel()
	task := types.Task{
		TaskArn:    awssdk.String("arn:aws:ecs:r:1:task/c/abc"),
		Containers: []types.Container{{Name: awssdk.String("web"), ExitCode: awssdk.Int32(1)}},
	}
	words := func(log *lines) []string {
		return (&Rollout{LogGroup: "/shop/dev/web"}).lastLogLines(t.Context(), log, task)
	}
	log := &lines{lines: []string{"no database", strings.Repeat("ü", 1000)}}
	require.Equal(t, []string{
		"  The last lines of the container web of the task abc:", "    no database", "    " + strings.Repeat("ü", 299) + "…",
	}, words(log))
	require.Equal(t, []string{"/shop/dev/web web/web/abc"}, log.asked)
	require.Empty(t, words(&lines{}))
	require.Empty(t, words(&lines{err: errors.New("AccessDeniedException")}))
}
