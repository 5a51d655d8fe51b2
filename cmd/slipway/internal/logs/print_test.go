package logs

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/snapshot"
	"slipway/cmd/slipway/internal/stagetest"
	"slipway/internal/taskrun"
)

// groups are log groups of two lines each.
type groups struct {
	taskrun.Logs
	named string
}

func (g *groups) FilterLogEvents(_ context.Context, in *cloudwatchlogs.FilterLogEventsInput,
	_ ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.FilterLogEventsOutput, error) {
	if *in.LogGroupName != g.named {
		return nil, &smithy.GenericAPIError{Code: "ResourceNotFoundException"}
	}
	event := func(id, stream, message string) types.FilteredLogEvent {
		return types.FilteredLogEvent{EventId: &id, LogStreamName: &stream, Message: &message, Timestamp: aws.Int64(1)}
	}
	return &cloudwatchlogs.FilterLogEventsOutput{Events: []types.FilteredLogEvent{event("1", "web/web/0a1b", "hello"),
		event("2", "proxy/proxy/0a1b", "GET /")}}, nil
}

func TestWhatLogsPrints(t *testing.T) {
	t.Parallel()
	of := &snapshot.Stage{Project: stagetest.Project(t, ""), Stack: "release", StageConfig: &pulumicli.StageConfig{
		Config: map[string]string{"slipway:services": `{"web": {"image": "web"}, "api": {"image": "web"}}`,
			"slipway:images": `{"web": {"ref": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:v1@sha256:` +
				strings.Repeat("ab", 32) + `"}}`}}}
	for name, test := range map[string]struct {
		options       Options
		prints, fails string
		status        int
	}{
		"lines": {Options{Name: "web"},
			"1970-01-01T00:00:00.001Z  0a1b  hello\n1970-01-01T00:00:00.001Z  0a1b  proxy: GET /\n", "", 0},
		"as JSON": {Options{Name: "web", JSON: true},
			`{"time":"1970-01-01T00:00:00.001Z","task":"0a1b","container":"web","message":"hello"}` + "\n" +
				`{"time":"1970-01-01T00:00:00.001Z","task":"0a1b","container":"proxy","message":"GET /"}` + "\n", "", 0},
		"no log yet": {Options{Name: "api"}, "",
			"services.api of release has no log yet, as it was never deployed: run `pulumi up --stack release`", 2},
		"no such name": {Options{Name: "wbe"}, "", `release has no service "wbe": name one of its services: api, web`, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var err error
			text := stagetest.Printed(func(r *console.Report) {
				err = Print(t.Context(), of, &groups{named: "/slipway/release/web"}, r, test.options, func() {})
			})
			require.Equal(t, test.prints, text)
			require.Equal(t, test.status, exit.Status(err))
			if test.fails != "" {
				require.EqualError(t, err, test.fails)
			}
		})
	}
}
