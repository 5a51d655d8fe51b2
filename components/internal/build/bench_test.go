package build

import (
	"bytes"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkHashOfALargeContext measures staging and hashing a context of 1 GB in 20,000 files against `git hash-object`
// on the same files, alternating: docs/performance.md has the figures.
func BenchmarkHashOfALargeContext(b *testing.B) {
	const files, size = 20_000, 50_000
	root := b.TempDir()
	require.NoError(b, os.MkdirAll(filepath.Join(root, "app"), 0o755))
	require.NoError(b, os.WriteFile(filepath.Join(root, "app/Dockerfile"), []byte("FROM scratch\nCOPY . /\n"), 0o644))
	random := rand.New(rand.NewSource(1))
	content := make([]byte, size)
	var names strings.Builder
	for i := range files {
		name := filepath.Join(root, fmt.Sprintf("app/%03d/%05d", i/100, i))
		if i%100 == 0 {
			require.NoError(b, os.MkdirAll(filepath.Dir(name), 0o755))
		}
		random.Read(content)
		require.NoError(b, os.WriteFile(name, content, 0o644))
		fmt.Fprintln(&names, name)
	}
	began := time.Now()
	_, err := stageContext(root, ".slipway/dev/web", build, nil)
	require.NoError(b, err)
	b.Logf("staged for the first time in %s", time.Since(began).Round(time.Millisecond))

	for b.Loop() {
		const rounds = 3
		var ours, gits time.Duration
		for range rounds {
			began := time.Now()
			_, err := stageContext(root, ".slipway/dev/web", build, nil)
			require.NoError(b, err)
			ours += time.Since(began)

			git := exec.Command("git", "hash-object", "--stdin-paths")
			git.Stdin = bytes.NewReader([]byte(names.String()))
			began = time.Now()
			require.NoError(b, git.Run())
			gits += time.Since(began)
		}
		b.ReportMetric(ours.Seconds()/gits.Seconds(), "times-git")
		b.ReportMetric(ours.Seconds()/rounds, "s/context")
	}
}
