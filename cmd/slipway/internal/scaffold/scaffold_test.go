package scaffold

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// repository is a directory with files, and the options of an init there.
func repository(t *testing.T, files map[string]string) (root string, options Options) {
	t.Helper()
	root = filepath.Join(t.TempDir(), "shop")
	require.NoError(t, os.MkdirAll(filepath.Join(root, ".git"), 0o755))
	for name, content := range files {
		require.NoError(t, os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(content), 0o644))
	}
	return root, Options{Directory: root, Slipway: "../../../..", Project: "shop", Region: "eu-west-1",
		Stages: []Stage{{Name: "dev", Account: "111111111111"},
			{Name: "release", Account: "222222222222", Region: "eu-central-1"}}}
}

// made is the plan for them, written.
func made(t *testing.T, root string, options Options) *Plan {
	t.Helper()
	plan, err := Make(t.Context(), options)
	require.NoError(t, err)
	require.NoError(t, plan.Write())
	return plan
}

func readFile(t *testing.T, elements ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(elements...))
	require.NoError(t, err)
	return string(text)
}

const simple = "FROM scratch\nCOPY app /app\nEXPOSE 3000\n"

func TestAProgramIsSlipwaysOwn(t *testing.T) {
	t.Parallel()
	root, options := repository(t, map[string]string{"Dockerfile": simple})
	plan := made(t, root, options)
	require.Equal(t, readFile(t, "../../../../main.go"), readFile(t, root, "main.go"))
	require.Equal(t, readFile(t, "../../../../go.sum"), readFile(t, root, "go.sum"))
	var project, ours map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(readFile(t, root, "Pulumi.yaml")), &project))
	require.NoError(t, yaml.Unmarshal([]byte(readFile(t, "../../../../Pulumi.yaml")), &ours))
	require.Equal(t, "shop", project["name"])
	for _, key := range []string{"runtime", "requiredPulumiVersion"} {
		require.Equal(t, ours[key], project[key], key)
	}
	require.True(t, strings.HasSuffix(readFile(t, root, "Pulumi.dev.yaml"), `
config:
  aws:region: eu-west-1
  aws:allowedAccountIds: ["111111111111"]
  slipway:images:
    web:
      build:
        context: .
`), readFile(t, root, "Pulumi.dev.yaml"))
	require.True(t, strings.HasSuffix(readFile(t, root, "Pulumi.release.yaml"), `
# Stage release builds nothing: `+"`slipway promote dev release`"+` writes here which images it runs.
config:
  aws:region: eu-central-1
  aws:allowedAccountIds: ["222222222222"]
`), readFile(t, root, "Pulumi.release.yaml"))
	require.Contains(t, readFile(t, root, ".dockerignore"), "/Pulumi.*\n")
	require.Equal(t, []string{"pulumi stack init dev", "pulumi up --stack dev"}, plan.Next)

	loaded, err := plan.load(plan.options.Stages[0])
	require.NoError(t, err)
	require.Equal(t, 3000, loaded.Services["web"].Port)

	// It compiles as it is, with the modules that slipway was compiled with.
	build := exec.Command("go", "list", "-trimpath", "-deps", "-mod=readonly", ".")
	build.Dir, build.Env = root, append(os.Environ(), "GOPROXY=off", "GOFLAGS=", "GOWORK=off")
	output, err := build.CombinedOutput()
	require.NoError(t, err, string(output))
	require.Contains(t, string(output), "slipway/components\n")
}

func TestAProgramBesideGoCodeWithoutAModuleHasADirectoryOfItsOwn(t *testing.T) {
	t.Parallel()
	_, options := repository(t, map[string]string{"Dockerfile": simple, "server.go": "package main\n"})
	plan, err := Make(t.Context(), options)
	require.NoError(t, err)
	require.Equal(t, "deploy", filepath.Base(plan.Directory))
	require.Contains(t, outcome(plan), "Go code of its own → the program goes to deploy")
}

func TestBesideOtherGoCodeTheProgramIsInDeploy(t *testing.T) {
	t.Parallel()
	root, options := repository(t, map[string]string{"go.mod": "module example.com/shop\n", "Dockerfile": simple,
		"worker/Dockerfile": simple, "go.work": "go 1.26.0\n\nuse .\n"})
	require.Contains(t, outcome(made(t, root, options)), "! go.work: use: the program compiles once it is in the workspace")
	require.Equal(t, "module example.com/shop\n", readFile(t, root, "go.mod"))
	require.Contains(t, readFile(t, root, "deploy/go.mod"), "module shop/deploy\n")
	dev := readFile(t, root, "deploy/Pulumi.dev.yaml")
	require.Contains(t, dev, "context: ..\n")
	require.Contains(t, dev, "context: ../worker\n")
	require.Equal(t, "# What changes a stage, and no image\n/deploy\n", readFile(t, root, ".dockerignore"))
	_, err := os.Stat(filepath.Join(root, "worker/.dockerignore"))
	require.True(t, os.IsNotExist(err), "that context does not hold the program")
}

func TestWhatIsThereIsKept(t *testing.T) {
	t.Parallel()
	root, options := repository(t, map[string]string{"Dockerfile": simple, ".gitignore": "*.log\n.bin\n",
		".dockerignore": "/Pulumi.*\nmain.go\n/go.mod\ngo.sum/\n", "Pulumi.release.yaml": "config: {}\n"})
	plan, err := Make(t.Context(), options)
	require.NoError(t, err)
	err = plan.Write()
	require.ErrorContains(t, err, "kept as it was: Pulumi.release.yaml, .gitignore")
	require.NotContains(t, err.Error(), ".dockerignore")
	require.Equal(t, "*.log\n.bin\n", readFile(t, root, ".gitignore"))
	require.Equal(t, "config: {}\n", readFile(t, root, "Pulumi.release.yaml"))
	for _, file := range plan.Files {
		if file.Name == ".gitignore" {
			require.Equal(t, []string{"/.sandbox/", "/.slipway/"}, file.Missing)
		}
	}
	require.NoError(t, os.Remove(filepath.Join(root, "Pulumi.release.yaml")))
	require.NoError(t, os.WriteFile(filepath.Join(root, ".gitignore"), []byte("/.bin\n/.sandbox\n/.slipway\n"), 0o644))
	made(t, root, options) // what was written before is the same
}

func TestAllMistakesComeBeforeAnythingIsWritten(t *testing.T) {
	t.Parallel()
	root, options := repository(t, map[string]string{"Dockerfile.a": simple, "Dockerfile.b": simple,
		"sg-api/Dockerfile": simple})
	options.Project, options.Stages[1].Region = "My Shop", "moon"
	for _, say := range [][]string{
		{"Dockerfile.a and Dockerfile.b"},
		{`the project is named "My Shop"`, `"moon" is not a region`, "sg-api"},
	} {
		plan, err := Make(t.Context(), options)
		require.NotNil(t, plan)
		for _, text := range say {
			require.ErrorContains(t, err, text)
		}
		require.NoError(t, os.RemoveAll(filepath.Join(root, "Dockerfile.b")))
	}
	left, err := os.ReadDir(root)
	require.NoError(t, err)
	require.Len(t, left, 3, "only what was there")
}

func TestWhereSlipwayIs(t *testing.T) {
	t.Parallel()
	root, options := repository(t, map[string]string{"Dockerfile": simple, "slipway/go.mod": "module other\n"})
	options.Slipway = filepath.Join(root, "slipway")
	_, err := Make(t.Context(), options)
	require.ErrorContains(t, err, "has no go.mod of the module slipway")
	options.Slipway, options.Directory = "../../../..", "../../../../app"
	_, err = Make(t.Context(), options)
	require.ErrorContains(t, err, "is in the copy of slipway")
	options.Slipway = ""
	_, err = Make(t.Context(), options)
	require.ErrorContains(t, err, "name it with --slipway")
}

// All that the workflows of docs/ci/github say of this repository's own layout is another's in the adapted ones.
func TestWorkflowsAreForWhereTheProgramIs(t *testing.T) {
	t.Parallel()
	root, options := repository(t, map[string]string{"go.mod": "module example.com/shop\n",
		"services/web/Dockerfile": simple, ".gitmodules": "[submodule \"slipway\"]\n\tpath = slipway\n"})
	options.Workflows = true
	_, err := Make(t.Context(), options)
	require.ErrorContains(t, err, "is not in the repository")

	copied := filepath.Join(root, "slipway")
	for _, name := range []string{"main.go", "go.mod", "go.sum", "Pulumi.yaml"} {
		require.NoError(t, os.MkdirAll(copied, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(copied, name), []byte(readFile(t, "../../../..", name)), 0o644))
	}
	require.NoError(t, os.CopyFS(filepath.Join(copied, "docs/ci"), os.DirFS("../../../../docs/ci")))
	options.Slipway = copied
	made(t, root, options)

	dev := readFile(t, root, ".github/workflows/dev.yml")
	require.Contains(t, dev, "paths: [services/web/**, slipway/**, deploy/main.go, deploy/go.*, deploy/Pulumi.yaml, "+
		"deploy/Pulumi.dev.yaml]\n")
	require.Contains(t, dev, "\ndefaults: {run: {working-directory: deploy}}\njobs:\n")
	require.Contains(t, dev, "uses: actions/checkout@v4\n        with: {submodules: true}\n")
	require.Contains(t, readFile(t, root, ".github/workflows/preview.yml"), "with: {submodules: true, fetch-depth: 0}")
	require.Contains(t, readFile(t, root, ".github/workflows/preview.yml"), "go.*, deploy/Pulumi*.yaml]")
	require.Contains(t, readFile(t, root, ".github/workflows/release.yml"), "paths: [deploy/Pulumi.release.yaml]")
	action := readFile(t, root, ".github/actions/slipway/action.yml")
	require.Contains(t, action, "make -C slipway .bin/slipway\n        cd deploy && go build -o .bin/program . #")
	require.Contains(t, action, `echo "$GITHUB_WORKSPACE/slipway/.bin" >> "$GITHUB_PATH"`)
	require.Contains(t, action, "go-version-file: deploy/go.mod")
	for _, text := range []string{dev, action} {
		require.NotContains(t, text, "make app")
		require.NotContains(t, text, "components/**")
	}
}
