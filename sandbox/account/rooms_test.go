package account

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// floors are the packages of AWS's services from the ground up: each knows those of lower floors, and this package,
// which knows none.
var floors = [][]string{
	{"accounttest"},
	{"discovery", "dns", "iam", "logs", "secrets", "vpc"},
	{"ecr", "elb", "instances", "scaling", "scheduler", "sts"},
	{"ecs", "waf"},
}

func TestServicesKnowThoseBelowThem(t *testing.T) {
	t.Parallel()
	floorOf := func(service string) int {
		floor := slices.IndexFunc(floors, func(services []string) bool { return slices.Contains(services, service) })
		require.GreaterOrEqual(t, floor, 0, "%q has no floor yet: add it to floors", service)
		return floor
	}
	files, err := filepath.Glob("*/*.go")
	require.NoError(t, err)
	own, err := filepath.Glob("*.go")
	require.NoError(t, err)
	seen := 0
	for _, file := range append(files, own...) {
		floor := -1
		if service := filepath.Dir(file); service != "." {
			floor = floorOf(service)
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, imported := range parsed.Imports {
			path := strings.Trim(imported.Path.Value, `"`)
			require.NotRegexp(t, "^slipway/sandbox/(agent|api|aws|docker|registry)", path, file)
			if service, is := strings.CutPrefix(path, "slipway/sandbox/account/"); is {
				require.Less(t, floorOf(service), floor, "%s imports %s, which is not below it", file, service)
				seen++
			}
		}
	}
	require.Greater(t, seen, 10, "imports were read")
}
