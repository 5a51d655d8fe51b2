package components

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/constant"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/internal/awsclient"
)

// Run runs the program under the Pulumi engine and ends the process. It reports the program's own errors as they are,
// where the SDK would wrap each in "an unhandled error occurred: program failed".
func Run(program pulumi.RunFunc) {
	var reported bool
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		err := program(ctx)
		if err != nil {
			text := strings.TrimSpace(err.Error() + "\n" + awsclient.RoleAdvice(err, ctx.Stack()))
			reported = ctx.Log.Error(shortenPaths(text, os.Getenv("PULUMI_ROOT_DIRECTORY")), nil) == nil
		}
		return err
	})
	switch {
	case err == nil:
		return
	case !reported && !errors.Is(err, errReported):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(constant.ExitStatusLoggedError)
}

// shortenPaths writes what lies in the project, whose directory is root, relative to it, as the stage file does.
func shortenPaths(text, root string) string {
	if root = filepath.Clean(root); root == "." || root == "/" {
		return text
	}
	return strings.ReplaceAll(text, root+"/", "")
}
