package refusals

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const root = "../.."

// unreachable are limits that no stage file comes to: of names that the program makes up itself, and of hosts, of which
// a listener rule takes shorter ones.
var unreachable = strings.Fields("DNSName FireLensOptions IAMName LogGroup RequiredLogOptions ScheduleName SecretName " +
	"SecurityGroupText")

// unchecked are patterns that AWS does not give, or holds nobody to: what the sandbox refused by them, AWS might take.
var unchecked = strings.Fields("LogBuffer OrganizationID VariableName")

// words are not limits: they say them.
var words = strings.Fields("CPUInWords FindTaskSize OnFargate Partition SystemControlsInWords TaskSize TaskSizes")

// A limit that only one side knows proves nothing: the sandbox is as strict as AWS, and the program says so first.
func TestBothSidesUseTheOneTable(t *testing.T) {
	t.Parallel()
	program := sources(t, "stage", "components", "internal/policies", "internal/secretref")
	sandbox := sources(t, "sandbox/account", "sandbox/aws", "sandbox/seed",
		"sandbox/agent")
	for _, name := range limits(t) {
		if slices.Contains(words, name) {
			continue
		}
		require.True(t, slices.Contains(unchecked, name) ||
			strings.Contains(sandbox, "awslimits."+name), "the sandbox knows no %s", name)
		if !slices.Contains(unreachable, name) {
			require.True(t, strings.Contains(program, "awslimits."+name), "a preview knows no %s", name)
		}
	}
}

// limits are the table's exported names.
func limits(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "internal", "awslimits", "*.go"))
	require.NoError(t, err)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		for _, object := range file.Scope.Objects { //nolint:staticcheck // names are all that is asked for
			if ast.IsExported(object.Name) {
				names = append(names, object.Name)
			}
		}
	}
	require.NotEmpty(t, names)
	return names
}

// sources is the text of the code in some directories, without tests.
func sources(t *testing.T, directories ...string) string {
	t.Helper()
	text := strings.Builder{}
	for _, directory := range directories {
		require.NoError(t, filepath.WalkDir(filepath.Join(root, directory), func(name string, entry fs.DirEntry,
			err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
				return err
			}
			body, err := os.ReadFile(name)
			text.Write(body)
			return err
		}))
	}
	return text.String()
}
