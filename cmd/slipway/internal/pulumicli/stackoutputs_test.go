package pulumicli

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/stagefile"
	"slipway/stage"
)

// otherStack is the state of a stack with outputs, as `pulumi stack export` prints it.
const otherStack = `{"deployment": {"resources": [
	{"type": "aws:sqs/queue:Queue", "outputs": {"host": "another"}},
	{"type": "pulumi:pulumi:Stack", "outputs": {"host": "db.internal", "port": 5432, "subnets": ["subnet-1"],
		"password": {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", SECRET},
		"hosts": ["a", {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", SECRET}]}}
]}}`

// answering is a CLI that prints what it is told to by commands, and remembers these.
func answering(answers map[string]string) (cli CLI, asked func() []string) {
	var commands []string
	var mutex sync.Mutex
	return CLI{Run: func(_ context.Context, _ string, _ io.Reader, args ...string) (string, string, error) {
			mutex.Lock()
			defer mutex.Unlock()
			command := strings.Join(args, " ")
			commands = append(commands, command)
			if answer, known := answers[command]; known {
				return answer, "", nil
			}
			return "", "error: no stack named 'x' found", errors.New("exit status 255")
		}}, func() []string {
			slices.Sort(commands)
			return commands
		}
}

func TestTheOutputsOfAnotherStackAreReadFromItsStateOnce(t *testing.T) {
	t.Setenv("PULUMI_BACKEND_URL", "file:///tmp/state")
	const export = "stack export --stack organization/network/dev"
	project := &stagefile.Project{Name: "shop", Directory: t.TempDir()}
	cli, asked := answering(map[string]string{
		export: strings.ReplaceAll(otherStack, "SECRET", `"ciphertext": "v1:x"`),
	})
	read := StackOutputs(context.Background(), cli, project, "dev", false)
	for range 2 {
		values, err := read("network/dev")
		require.NoError(t, err)
		require.Equal(t, map[string]stage.OutputValue{
			"host": {Value: "db.internal"}, "port": {Value: 5432.0}, "subnets": {Value: []any{"subnet-1"}},
			"password": {Value: "[secret]", Secret: true}, "hosts": {Value: []any{"a", "[secret]"}, Secret: true},
		}, values)
	}
	require.Equal(t, []string{export}, asked())
	_, err := read("team/network/dev")
	require.EqualError(t, err, "there is no stack team/network/dev; run `pulumi up` there first, or correct its name")

	// With secrets where they can be decrypted, and without where not.
	cli, _ = answering(map[string]string{
		export + " --show-secrets": strings.ReplaceAll(otherStack, "SECRET", `"plaintext": "\"hunter2\""`),
	})
	values, err := StackOutputs(context.Background(), cli, project, "dev", true)("network/dev")
	require.NoError(t, err)
	require.Equal(t, stage.OutputValue{Value: "hunter2", Secret: true}, values["password"])
	cli, _ = answering(map[string]string{export: strings.ReplaceAll(otherStack, "SECRET", `"ciphertext": "v1:x"`)})
	values, err = StackOutputs(context.Background(), cli, project, "dev", true)("network/dev")
	require.NoError(t, err)
	require.Equal(t, stage.OutputValue{Value: "[secret]", Secret: true}, values["password"])
}

func TestOtherStacksAreOfTheStagesOwnOrganization(t *testing.T) {
	project := &stagefile.Project{Name: "shop", Directory: t.TempDir()}
	cli, asked := answering(map[string]string{"org get-default": "team\n"})
	organization := func(stack string) string {
		found, err := cli.organization(context.Background(), project, stack)
		require.NoError(t, err)
		return found
	}
	t.Setenv("PULUMI_BACKEND_URL", "s3://bucket")
	require.Equal(t, "organization", organization("dev"))
	t.Setenv("PULUMI_BACKEND_URL", "https://api.pulumi.com")
	require.Equal(t, "others", organization("others/shop/dev"))
	require.Empty(t, asked())
	require.Equal(t, "team", organization("dev"))
	cli, _ = answering(map[string]string{"org get-default": "No Default Org Specified\n"})
	_, err := cli.organization(context.Background(), project, "dev")
	require.ErrorContains(t, err, "name the stage as ORGANIZATION/PROJECT/STAGE")
}
