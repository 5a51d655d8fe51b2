package scaffold

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/internal/pulumiconfig"
)

var update = flag.Bool("update", false, "write testdata/*/expected.txt anew")

// Each directory of testdata is a repository; its expected.txt has the stage files that are written for it, and what is
// said line by line. The files are loaded as an update would.
func TestWhatRepositoriesBecome(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("testdata/*/expected.txt")
	require.NoError(t, err)
	require.NotEmpty(t, cases)
	for _, expected := range cases {
		name := filepath.Base(filepath.Dir(expected))
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root, options := repository(t, map[string]string{"README.md": ""})
			require.NoError(t, os.CopyFS(root, os.DirFS(filepath.Dir(expected))))
			require.NoError(t, os.Remove(filepath.Join(root, "expected.txt")))
			options.Lookup = func(string) (string, bool) { return "", false }
			if strings.HasPrefix(name, "copilot") {
				options.StagesGiven = true
				options.Stages = []Stage{{Name: "test", Account: "111111111111"}, {Name: "prod"}}
			}
			plan, err := Make(t.Context(), options)
			require.NoError(t, err)
			got := outcome(plan)
			for _, secret := range []string{"hunter2", "in-the-env-file"} {
				require.NotContains(t, got, secret)
			}
			if *update {
				require.NoError(t, os.WriteFile(expected, []byte(got), 0o644))
			}
			require.Equal(t, readFile(t, expected), got)
		})
	}
}

// outcome is what people see of a plan, but for the files that are the same always.
func outcome(plan *Plan) string {
	var text strings.Builder
	names := []string{"Pulumi.yaml"}
	for _, of := range plan.options.Stages {
		names = append(names, pulumiconfig.FileName(of.Name))
	}
	for _, name := range names {
		_, content, _ := strings.Cut(plan.content(name), "config:\n")
		text.WriteString("== " + name + "\n" + content)
	}
	text.WriteString("== lines\n")
	for _, line := range plan.Lines {
		text.WriteString(line.String() + "\n")
	}
	text.WriteString("== next\n" + strings.Join(plan.Next, "\n") + "\n")
	return text.String()
}
