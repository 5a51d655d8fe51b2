package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// rooms are the packages of slipway, over which its verbs stand.
const rooms = "cmd/slipway/internal/"

// floors are the packages from the ground up, each with all that lies below its directory and has no place of its own.
// A package may import those of lower floors, and its own neighbours in the same directory.
var floors = [][]string{
	{"internal/awsclient", "internal/awslimits", "internal/git", "internal/imageref", "internal/schedule",
		"internal/origins", "internal/pulumiconfig", "internal/spelling", "internal/version", "stage/fields"},
	{"internal/secretref"},
	{"stage", "internal/registries", "internal/taskrun", "internal/awsclient/awstest"},
	{"internal/policies", "internal/registries/registrytest"},
	{"internal/ecsread"},
	{"components/internal/build", "components/internal/mirror", "components/internal/predeploy",
		"components/internal/retention", "components/internal/rollout"},
	{"components"},
	{rooms + "exit", rooms + "gittest"},
	{rooms + "console", rooms + "stagefile"},
	{rooms + "awsreader", rooms + "commits", rooms + "pulumicli", rooms + "stagetest"},
	{rooms + "flatconfig", rooms + "pulumitest"},
	{rooms + "snapshot"},
	{rooms + "timeline"},
	{rooms + "comparison", rooms + "deployrole", rooms + "history", rooms + "logs", rooms + "oneoff",
		rooms + "pinning", rooms + "preview", rooms + "promotion", rooms + "recovery", rooms + "rollback", rooms + "scaffold",
		rooms + "status", rooms + "verify"},
	{".", "app", "cmd", "docs", "examples", "sandbox"},
}

// resourceSDKs declare resources, or call AWS.
var resourceSDKs = []string{"github.com/pulumi/pulumi-aws/", "github.com/pulumi/pulumi-docker/",
	"github.com/aws/aws-sdk-go-v2/service/"}

func TestNothingImportsUpwards(t *testing.T) {
	t.Parallel()
	seen := 0
	for directory, imports := range importsOf(t) {
		place, floor := placeOf(directory)
		require.NotEmpty(t, place, "%s has no floor yet: add it to floors", directory)
		for _, imported := range imports {
			for _, sdk := range resourceSDKs {
				require.False(t, place == "stage" && strings.HasPrefix(imported, sdk),
					"%s imports %s: a stage file knows no resource",
					directory, imported)
			}
			below, own := strings.CutPrefix(imported, "slipway/")
			if !own {
				continue
			}
			seen++
			its, lower := placeOf(below)
			require.NotEmpty(t, its, "%s has no floor yet: add it to floors", below)
			require.True(t, lower < floor || its == place, "%s imports %s, which is not below it", directory, imported)
			require.False(t, its == "components" && place != "." && place != "examples", "%s imports %s: only a program declares resources", directory,
				imported)
		}
	}
	require.Greater(t, seen, 20, "imports were read")
}

// placeOf is the entry of floors that a directory belongs to, and its floor.
func placeOf(directory string) (place string, floor int) {
	for ; ; directory = path.Dir(directory) {
		for i, places := range floors {
			for _, place := range places {
				if place == directory {
					return place, i
				}
			}
		}
		if !strings.Contains(directory, "/") {
			return "", 0
		}
	}
}

// importsOf are the imports of each directory with Go code in the repository, without those of tests.
func importsOf(t *testing.T) map[string][]string {
	t.Helper()
	imports := map[string][]string{}
	require.NoError(t, filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && strings.HasPrefix(entry.Name(), "."):
			return filepath.SkipDir
		case entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		directory := filepath.ToSlash(filepath.Dir(name))
		for _, one := range file.Imports {
			imported, err := strconv.Unquote(one.Path.Value)
			if err != nil {
				return err
			}
			imports[directory] = append(imports[directory], imported)
		}
		return nil
	}))
	return imports
}
