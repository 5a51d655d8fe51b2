package e2e

import (
	"compress/gzip"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// testdata/upgrade is a stage that has something of each resource type, with the state that an earlier version of the
// program has left of it: `pulumi stack export` after its first `pulumi up`. Whoever updates the program sees no
// change.
func TestTheStateOfAnEarlierVersionIsUpToDate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := projectIn(t, dir)
	require.NoError(t, os.CopyFS(p.dir, os.DirFS("testdata/upgrade")))
	p.replace("Pulumi.yaml", compiled, prebuilt)
	packed, err := os.Open("testdata/upgrade/state.json.gz")
	require.NoError(t, err)
	defer packed.Close()
	unpacked, err := gzip.NewReader(packed)
	require.NoError(t, err)
	state, err := io.ReadAll(unpacked)
	require.NoError(t, err)
	// Whose container beside the main one ran a tag that might move.
	const moving = "public.ecr.aws/docker/library/busybox:1"
	pinned := busybox(t).Pinned()
	p.replace("Pulumi.dev.yaml", moving, pinned)
	p.write("state.json", strings.ReplaceAll(string(state), moving, pinned))

	p.ok("pulumi", "stack", "init", "dev")
	p.ok("pulumi", "stack", "import", "--stack", "dev", "--file", "state.json")
	p.ok("pulumi", "preview", "--stack", "dev", "--expect-no-changes", "--non-interactive", "--color", "never")
}
