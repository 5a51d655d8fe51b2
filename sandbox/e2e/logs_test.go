package e2e

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/logs"
)

const logGroup = "/slipway/dev/web"

// writeLog has a task write a line at a time. No container runs in the sandbox.
func writeLog(p *project, task string, at time.Time, message string) {
	p.Helper()
	a, stream := p.aws.open(), "web/web/"+task
	if err := logs.CreateLogStream(a, logGroup, stream); !account.IsCode(err, "ResourceAlreadyExistsException") {
		require.NoError(p.TB, err)
	}
	require.NoError(p.TB, logs.PutLogEvents(a, logGroup, stream,
		[]logs.LogEvent{{Timestamp: at.UnixMilli(), Message: message}}))
}

func TestLogsOfAService(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	one, two := strings.Repeat("1", 32), strings.Repeat("2", 32)
	now := time.Now().UTC().Truncate(time.Millisecond)
	writeLog(p, one, now.Add(-time.Hour), "long ago")
	writeLog(p, one, now.Add(-2*time.Minute), "first\n")
	writeLog(p, one, now.Add(-10*time.Second), "third <ok>")
	writeLog(p, two, now.Add(-time.Minute), "second")

	const layout = "2006-01-02T15:04:05.000Z"
	line := func(ago time.Duration, task, message string) string {
		return now.Add(-ago).Format(layout) + "  " + task + "  " + message + "\n"
	}
	recent := line(2*time.Minute, one, "first") + line(time.Minute, two, "second") +
		line(10*time.Second, one, "third <ok>")
	require.Equal(t, recent, p.ok("slipway", "logs", "dev", "web").stdout)
	require.Equal(t, line(time.Hour, one, "long ago")+recent, p.ok("slipway", "logs", "dev", "web", "--since",
		"2h").stdout)
	since := now.Add(-90 * time.Second).Format(time.RFC3339)
	require.Equal(t, recent[strings.Index(recent, "\n")+1:], p.ok("slipway", "logs", "dev", "web", "--since",
		since).stdout)
	lines := strings.Split(strings.TrimSpace(p.ok("slipway", "logs", "dev", "web", "--json").stdout), "\n")
	require.Len(t, lines, 3)
	var last struct {
		Time          time.Time
		Task, Message string
	}
	require.NoError(t, json.Unmarshal([]byte(lines[2]), &last))
	require.True(t, last.Time.Equal(now.Add(-10*time.Second)))
	require.Equal(t, []string{one, "third <ok>"}, []string{last.Task, last.Message})

	p.refused([]string{`dev has no service "api": name one of its services: web`}, "slipway", "logs", "dev", "api")
	p.refused([]string{"--since yesterday: write a duration such as 10m"}, "slipway", "logs", "dev", "web", "--since",
		"yesterday")
	p.ok("pulumi", "stack", "init", "release")
	p.ok("slipway", "promote", "dev", "release")
	r := p.refused([]string{"services.web of release has no log yet, as it was never deployed: run `pulumi up --stack " +
		"release`"},
		"slipway", "logs", "release", "web")
	require.Equal(t, 2, r.status)
}

func TestLogsFollowed(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	task, now := strings.Repeat("1", 32), time.Now()
	writeLog(p, task, now.Add(-time.Second), "before")
	logs := p.start("slipway", "logs", "dev", "web", "--follow")
	logs.says("before")
	writeLog(p, task, time.Now(), "after")
	logs.says("after")
	// One that arrives late, with a time before those that were printed.
	writeLog(p, strings.Repeat("2", 32), now.Add(-30*time.Second), "late")
	logs.says("late")
	logs.interrupt()
	logs.succeeds()
	for _, message := range []string{"before", "after", "late"} {
		require.Equal(t, 1, strings.Count(logs.output.String(), message))
	}
}
