package main

import (
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
	"github.com/spf13/cobra"
	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

const (
	// oldestCLI is the first Pulumi CLI whose ReplacementTrigger replaces a resource for its value alone.
	oldestCLI = "v3.226.0"
	// cliModule holds the CLI, and cliVersion is the variable that tells it its version.
	cliModule  = "github.com/pulumi/pulumi/pkg/v3"
	cliVersion = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
)

func cliCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "cli",
		Short: "Print the path of the Pulumi CLI that exec uses; build one where there is none",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			path, err := pulumiCLI(command.ErrOrStderr())
			if err == nil {
				fmt.Fprintln(command.OutOrStdout(), path)
			}
			return err
		},
	}
}

// pulumiCLI is the pulumi on the PATH where it is new enough, else the one that was built into .bin, else one that it
// builds there.
func pulumiCLI(progress io.Writer) (string, error) {
	if cli := os.Getenv(cliVariable); cli != "" { // in an exec, where pulumi is this program
		return cli, nil
	}
	if path, err := exec.LookPath("pulumi"); err == nil && newEnough(path) {
		return filepath.Abs(path)
	}
	root, err := repository()
	if err != nil {
		return "", err
	}
	built := filepath.Join(root, ".bin", "pulumi")
	if newEnough(built) {
		return built, nil
	}
	if err := os.MkdirAll(filepath.Dir(built), 0o755); err != nil {
		return "", err
	}
	lock := flock.New(built + ".lock")
	if err := lock.Lock(); err != nil {
		return "", err
	}
	defer lock.Unlock()
	if newEnough(built) { // built by another command meanwhile
		return built, nil
	}
	return built, buildCLI(filepath.Join(root, "sandbox", "cli"), built, progress)
}

// repository is the checkout that this program was built in, or else that of the current directory: what has the
// module from which the CLI is built.
func repository() (string, error) {
	var starts []string
	if executable, err := os.Executable(); err == nil {
		if executable, err = filepath.EvalSymlinks(executable); err == nil {
			starts = append(starts, executable)
		}
	}
	if here, err := os.Getwd(); err == nil {
		starts = append(starts, here)
	}
	for _, start := range starts {
		if root, ok := parentWith(start, "sandbox/cli/go.mod"); ok {
			return root, nil
		}
	}
	return "", fmt.Errorf("there is no pulumi %s or later on the PATH, and no sandbox/cli here to build it from: "+
		"install the Pulumi CLI, or run sandbox in the project's checkout", oldestCLI)
}

// parentWith is the nearest of start and the directories above it that has the file.
func parentWith(start, file string) (string, bool) {
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
			return dir, true
		}
		if dir == filepath.Dir(dir) {
			return "", false
		}
	}
}

func newEnough(path string) bool {
	version := versionOf(path)
	return semver.IsValid(version) && semver.Compare(version, oldestCLI) >= 0
}

// versionOf reads the version in the executable, which a CLI built from its module has, and asks any other CLI.
func versionOf(path string) string {
	if info, err := buildinfo.ReadFile(path); err == nil && info.Main.Path == cliModule &&
		semver.IsValid(info.Main.Version) {
		return info.Main.Version
	}
	output, err := exec.Command(path, "version").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(output))
}

func buildCLI(module, target string, progress io.Writer) error {
	version, err := requiredVersion(filepath.Join(module, "go.mod"))
	if err != nil {
		return err
	}
	fmt.Fprintf(progress, "building the Pulumi CLI %s once, about 5 minutes: %s\n", version, target)
	// Beside the target, so that nobody finds half of it there.
	unfinished := target + ".unfinished"
	build := exec.Command("go", "build", "-buildvcs=false", "-trimpath", "-ldflags=-s -w -X "+cliVersion+"="+version, "-o",
		unfinished,
		cliModule+"/cmd/pulumi")
	build.Dir = module
	build.Stdout, build.Stderr = progress, progress
	if err := build.Run(); err != nil {
		return fmt.Errorf("building the Pulumi CLI in %s: %w", module, err)
	}
	return os.Rename(unfinished, target)
}

func requiredVersion(goMod string) (string, error) {
	content, err := os.ReadFile(goMod)
	if err != nil {
		return "", err
	}
	module, err := modfile.Parse(goMod, content, nil)
	if err != nil {
		return "", err
	}
	for _, required := range module.Require {
		if required.Mod.Path == cliModule {
			return required.Mod.Version, nil
		}
	}
	return "", errors.New(goMod + " does not require " + cliModule)
}
