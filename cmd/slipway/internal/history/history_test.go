package history

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/stagetest"
	"slipway/cmd/slipway/internal/timeline"
)

func TestHistoryMarksUpdatesThatWereMadeFromUncommittedChanges(t *testing.T) {
	t.Parallel()
	entry := func(number int, dirty bool) *timeline.Entry {
		return &timeline.Entry{Number: number, Kind: "update", Result: "succeeded", Dirty: dirty, Author: "Kim",
			Start: time.Unix(1764460800, 0), Commit: "eb21d02f0c6d0d8b2b8f4a3c7f7c1f2f4a5b6c7d", Message: "Add a page"}
	}
	table := func(entries ...*timeline.Entry) string {
		return stagetest.Printed(func(r *console.Report) { printTable(r, "dev", entries) })
	}
	mixed := table(entry(2, true), entry(1, false))
	require.Contains(t, mixed, "eb21d02+ ")
	require.Contains(t, mixed, "eb21d02 ")
	require.Contains(t, mixed, "\n+ made from that commit with uncommitted changes, in whatever file (a new encryptionsalt is one)\n")
	require.NotContains(t, table(entry(1, false)), "uncommitted")

	whole := func(e *timeline.Entry) string {
		return stagetest.Printed(func(r *console.Report) { printUpdate(r, "dev", e) })
	}
	require.Contains(t, whole(entry(2, true)),
		"commit   eb21d02f0c6d0d8b2b8f4a3c7f7c1f2f4a5b6c7d + uncommitted changes\n")
	require.NotContains(t, whole(entry(1, false)), "uncommitted")
	nameless := entry(3, true)
	nameless.Commit = ""
	require.NotContains(t, whole(nameless)+table(nameless), "uncommitted")
}
