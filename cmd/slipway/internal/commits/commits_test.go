package commits

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/gittest"
)

func TestTheCommitsBetweenTwoImages(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	head := func() string { return strings.TrimSpace(r.Git("rev-parse", "--short=7", "HEAD")) }
	base := head()
	r.Git("checkout", "-q", "-b", "hotfix")
	r.Git("commit", "-q", "--allow-empty", "-m", "A hotfix")
	hotfix := head()
	r.Git("checkout", "-q", "main")
	for i := range shown + 2 {
		r.Git("commit", "-q", "--allow-empty", "-m", fmt.Sprint("Work ", i))
	}
	found := Find(t.Context(), r.Dir, head()+"-dirty", hotfix)
	require.Empty(t, found.Note)
	require.Equal(t, [2]int{shown + 2, 1}, found.Count)
	require.Len(t, found.Only[0], shown)
	require.Equal(t, Commit{head(), fmt.Sprint("Work ", shown+1)}, found.Only[0][0])
	require.Equal(t, []Commit{{hotfix, "A hotfix"}}, found.Only[1])
	var out bytes.Buffer
	command := &cobra.Command{}
	command.SetOut(&out)
	found.Print(console.NewReport(command), [2]string{"dev", "release"})
	require.Contains(t, out.String(), "    22 commits only in dev:\n      "+head()+" Work 21\n")
	require.Contains(t, out.String(), "      … and 2 more\n    1 commit only in release:\n      "+hotfix+" A hotfix\n")

	require.Nil(t, Find(t.Context(), r.Dir, base, base+"-dirty"))
	require.Nil(t, Find(t.Context(), r.Dir, base, ""))
	require.Nil(t, Find(t.Context(), r.Dir, base, "--output=x"))
	require.Equal(t, "commit 0123abc is not in this clone: git fetch",
		Find(t.Context(), r.Dir, base, "0123abc").Note)
	require.Contains(t, Find(t.Context(), t.TempDir(), base, hotfix).Note,
		"the commits in between are not known: not a git repository")

	shallow := filepath.Join(t.TempDir(), "clone")
	r.Git("clone", "-q", "--depth", "2", "file://"+r.Dir, shallow)
	require.Equal(t, "commit "+base+" is not in this clone: git fetch --unshallow",
		Find(t.Context(), shallow, head(), base).Note)
	parent := strings.TrimSpace(r.Git("rev-parse", "--short=7", "HEAD^"))
	known := Find(t.Context(), shallow, head(), parent)
	require.Contains(t, known.Note, "this clone is shallow")
	require.Equal(t, [2]int{1, 0}, known.Count)
}
