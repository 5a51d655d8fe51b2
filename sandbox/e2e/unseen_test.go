package e2e

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/ecs"
)

// uniqueText is a value that occurs nowhere else, not in the tests either, which are part of the project.
func uniqueText() string { return "hunter2-" + rand.Text() }

// requireUnseen asserts that values occur nowhere: not in what commands said, not in files of the project or of the
// state, and not in what anybody can read of a task.
func requireUnseen(p *project, said []string, values ...string) {
	p.Helper()
	for _, value := range values {
		for _, form := range forms(value) {
			for _, output := range said {
				require.NotContains(p, output, form)
			}
		}
	}
	files := 0
	for _, dir := range []string{p.aws.dir, p.dir} {
		err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && strings.HasSuffix(name, ".git/objects"): // compressed
				return filepath.SkipDir
			case !entry.Type().IsRegular() || strings.HasPrefix(name, filepath.Join(p.aws.dir, "account.db")):
				return nil
			}
			content, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			files++
			for _, value := range values {
				for _, form := range forms(value) {
					require.False(p, strings.Contains(string(content), form), "%s holds %s", name, form)
				}
			}
			return nil
		})
		require.NoError(p.TB, err)
	}
	require.Greater(p, files, 100)
	require.FileExists(p, filepath.Join(p.aws.dir, "state/.pulumi/stacks/slipway/dev.json"), "the state was among them")
	require.DirExists(p, filepath.Join(p.aws.dir, "state/.pulumi/history/slipway/dev"))
	definitions, err := ecs.TaskDefinitions(p.aws.open())
	require.NoError(p.TB, err)
	for _, definition := range definitions {
		text := ecs.ContainersJSON(definition.Containers)
		for _, value := range values {
			require.NotContains(p, text, value)
		}
	}
}

// forms are the ways to write a text: as it is, in hexadecimal digits, and in base64 with any number of bytes before
// and behind it.
func forms(text string) []string {
	found := []string{text, hex.EncodeToString([]byte(text)), strings.ToUpper(hex.EncodeToString([]byte(text)))}
	for shift := range 3 {
		encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("-", shift) + text))
		// without the digits that depend on the neighbours
		found = append(found, encoded[[]int{0, 2, 3}[shift]:len(encoded)-2])
	}
	return found
}

func TestTheFormsOfATextAreFoundInWhatSurroundsIt(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"", "a", "ab", "abc"} {
		encoded := base64.StdEncoding.EncodeToString([]byte(prefix + "hunter2-4b1d" + "zz"))
		found := false
		for _, form := range forms("hunter2-4b1d")[3:] {
			found = found || strings.Contains(encoded, form)
		}
		require.True(t, found, prefix)
	}
}
