package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

type historyEntry struct {
	Number                                int
	Kind, Result, Commit, Author, Message string
	Services                              map[string]struct {
		Revision        int
		Pinned, Changed bool
		Image           struct{ Tag, Digest, Commit string }
	}
	Changes    []struct{ Key, Old, New, What string }
	Containers map[string][]struct{ Key, Old, New, What string }
}

func TestHistoryTellsEveryUpdate(t *testing.T) {
	t.Parallel()
	p := withHistory(t)
	var history []historyEntry
	r := p.ok("slipway", "history", "release", "--json")
	require.NoError(t, json.Unmarshal([]byte(r.stdout), &history))
	require.Len(t, history, len(pastUpdates))
	commits := strings.Fields(p.git("log", "--format=%H"))
	for i, past := range pastUpdates {
		e := history[len(history)-1-i] // newest first
		require.Equal(t, i+1, e.Number)
		require.Equal(t, past.message, strings.TrimSpace(strings.SplitN(e.Message, "\n", 2)[0]))
		require.Equal(t, past.result, e.Result, past.message)
		require.Equal(t, "Dana Developer", e.Author)
		require.Contains(t, commits, e.Commit, past.message)
		var deployed, changed []string
		for _, name := range []string{"api", "web", "worker"} {
			service := e.Services[name]
			require.Equal(t, revisionsAfter(i + 1)[name], service.Revision, "%s after %s", name, past.message)
			if service.Changed {
				deployed = append(deployed, fmt.Sprintf("%s:%d", name, service.Revision))
			}
			require.NotEmpty(t, service.Image.Tag)
			require.NotEmpty(t, service.Image.Commit)
		}
		require.Equal(t, past.deployed, strings.Join(deployed, " "), past.message)
		for _, change := range e.Changes {
			changed = append(changed, change.Key)
		}
		if i > 0 {
			require.Equal(t, past.changed, changed, past.message)
		}
	}
	require.True(t, history[3].Services["web"].Pinned, "update 9")
	images := p.aws.images()
	require.Equal(t, images[0].Tag, history[len(history)-1].Services["web"].Image.Tag)
	require.Equal(t, images[1].Tag, history[0].Services["web"].Image.Tag)
	require.NotContains(t, r.output, "hunter2")

	table := p.ok("slipway", "history", "release", "--limit", "3")
	rows, _, _ := strings.Cut(table.stdout, "\n\n") // what follows explains a mark
	require.Len(t, strings.Split(strings.TrimSpace(rows), "\n"), 4, "a header and three rows")
	require.NotContains(t, table.stdout, "\x1b", "no colours in a pipe")
}

func TestHistoryShowsOneUpdateWhole(t *testing.T) {
	t.Parallel()
	p := withHistory(t)
	r := p.ok("slipway", "history", "release", "2")
	require.Contains(t, r.stdout, "services.web.environment.GREETING: hello from release → good day")
	require.Contains(t, r.stdout, "web.environment.GREETING: hello from release → good day")
	r = p.ok("slipway", "history", "release", "4")
	require.Contains(t, r.stdout, "secrets.KEY: changed (secret)")
	require.NotContains(t, r.output, "hunter2")
	var one historyEntry
	r = p.ok("slipway", "history", "release", "6", "--json")
	require.NoError(t, json.Unmarshal([]byte(r.stdout), &one))
	require.Len(t, one.Containers["worker"], 3, "cpu of task and container, memory: %v", one.Containers)
	r = p.refused([]string{"release has no update 13", "1 to 12"}, "slipway", "history", "release", "13")
	require.Equal(t, 2, r.status)

	p.ok("pulumi", "stack", "init", "staging")
	p.write("Pulumi.staging.yaml", "config: {}\n")
	require.Contains(t, p.ok("slipway", "history", "staging").stdout, "staging has never been updated")
	r = p.run("slipway", "history", "nowhere")
	require.Equal(t, 2, r.status)
	require.Contains(t, r.output, "there is no stage nowhere: Pulumi.<stage>.yaml is there for dev, release")
}

func TestHistoryWithoutTheKeyToTheSecrets(t *testing.T) {
	t.Parallel()
	p := withHistory(t)
	r := p.ok("env", "PULUMI_CONFIG_PASSPHRASE=wrong", "slipway", "history", "release")
	require.Contains(t, r.output, "could not all be decrypted")
	require.Contains(t, r.stdout, "services.web.environment.GREETING")
}

func TestTheOtherCommandsOnAStageWithAHistory(t *testing.T) {
	t.Parallel()
	p := withHistory(t)
	r := p.refused([]string{"KEY", "REGION", "replicas"}, "slipway", "diff", "dev", "release")
	require.Equal(t, 1, r.status)
	require.NotContains(t, r.output, "hunter2")
	p.ok("slipway", "verify", "release")
	p.ok("slipway", "verify", "dev")
	p.ok("slipway", "logs", "release", "worker", "--since", "1h")
	r = p.ok("slipway", "promote", "dev", "release", "--commit")
	require.Contains(t, r.output, "already runs the images of dev")
	require.Empty(t, p.git("status", "--porcelain"))
	require.Contains(t, p.ok("slipway", "completion", "bash").stdout, "slipway")
	require.Contains(t, p.ok("slipway", "__complete", "status", "").stdout, "release")
	for _, command := range []string{"status", "history", "diff", "logs", "verify", "promote", "rollback"} {
		help := p.ok("slipway", command, "--help").stdout
		require.Contains(t, help, "Examples:")
		require.Contains(t, help, "--json")
	}
}
