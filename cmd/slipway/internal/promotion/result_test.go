package promotion

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/gittest"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/stagefile"
)

func TestTheMessageOfAPromotionNamesTheTags(t *testing.T) {
	t.Parallel()
	one := Change{Name: "web", Changed: true, Old: &pulumicli.Image{Tag: "w1"}, New: pulumicli.Image{Tag: "w2"}}
	two := Change{Name: "api", Changed: true, New: pulumicli.Image{Tag: "a1"}}
	same := Change{Name: "same", New: pulumicli.Image{Tag: "s1"}}
	require.Equal(t, "Promote web w2 to release",
		(&Result{From: "dev", To: "me/shop/release", Images: []Change{one, same}}).message())
	require.Equal(t, "Promote dev to release\n\napi: a1\nweb: w1 → w2\n",
		(&Result{From: "dev", To: "release", Images: []Change{two, same, one}}).message())
}

func TestPromoteCommits(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Write("Pulumi.yaml", "name: slipway\nruntime: go\n")
	r.Write("Pulumi.release.yaml", "config: {}\n")
	project := &stagefile.Project{Directory: r.Dir, Name: "slipway"}
	commit := func() (*Result, error) {
		return promote(t, shop(), project, Options{Services: []string{"web"}, Commit: true})
	}
	_, err := commit()
	require.ErrorContains(t, err, "Pulumi.release.yaml is not in git yet")
	r.Git("add", "-A")
	_, err = commit()
	require.ErrorContains(t, err, "has uncommitted changes, which --commit would take along")
	require.ErrorAs(t, err, &exit.Finding{})
	r.Git("commit", "-q", "-m", "stages")

	r.Hook("echo 'not on a Friday'; exit 1\n")
	_, err = commit()
	require.ErrorContains(t, err, "stays as it was, as it could not be committed: git commit: not on a Friday")
	require.Empty(t, r.Git("status", "--porcelain"))

	r.Hook("exit 0\n")
	r.Write("other", "two\n")
	done, err := commit()
	require.NoError(t, err)
	require.Equal(t, strings.TrimSpace(r.Git("rev-parse", "--short", "HEAD")), done.Commit)
	require.Equal(t, "Promote web "+cleanTag+" to release\n", r.Git("log", "-1", "--format=%s"))
	require.Equal(t, " M other\n", r.Git("status", "--porcelain"))
	require.Equal(t, "Next: pulumi up --stack release", done.Next())

	again, err := commit()
	require.NoError(t, err)
	require.False(t, again.Changed)
	require.Empty(t, again.Commit)
	require.Empty(t, again.Next())
}

func TestACommitOutsideOfARepositorySaysWhatToDoInstead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.dev.yaml"), []byte("config: {}\n"), 0o644))
	_, err := committable(t.Context(), dir, "Pulumi.dev.yaml", "Pulumi.dev.yaml")
	require.ErrorContains(t, err, "Pulumi.dev.yaml cannot be committed: no git repository holds it")
}
