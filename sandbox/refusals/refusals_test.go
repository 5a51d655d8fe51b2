package refusals

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"slipway/components"
	"slipway/sandbox/account"
	"slipway/sandbox/api"
	"slipway/sandbox/aws"
	"slipway/sandbox/registry"
	"slipway/stage"
)

const (
	region       = "ap-northeast-2"
	defaultCases = 300
)

// number is a variable of the environment, by which a run is repeated (SEED) or made longer (CASES).
func number(t *testing.T, variable string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	value, err := strconv.ParseUint(text, 10, 64)
	require.NoError(t, err, variable)
	return value
}

func TestWhatTheAccountRefusesTheProgramRefusesFirst(t *testing.T) {
	seed, cases := number(t, "SEED", 1), number(t, "CASES", defaultCases)
	t.Logf("SEED=%d CASES=%d", seed, cases)
	var mutex sync.Mutex
	refused, made := 0, 0
	t.Run("cases", func(t *testing.T) {
		for i := range cases {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				file := newStageFile(rand.New(rand.NewPCG(seed, i)))
				outcome := try(t, file)
				mutex.Lock()
				defer mutex.Unlock()
				if outcome.refused {
					refused++
				} else {
					made++
				}
			})
		}
	})
	t.Logf("%d refused before any change, %d made", refused, made)
	require.NotZero(t, refused)
	require.NotZero(t, made)
}

// outcome of a stage file: refused before any change, or made as a whole.
type outcome struct{ refused bool }

// keyAndFile is how a refusal begins: services.web.port (Pulumi.dev.yaml): …, or the file alone where no key corrects
// it.
var keyAndFile = regexp.MustCompile(`^([^\s(].* )?\(?Pulumi(\.[^ ]+)?\.yaml\)?: .`)

func try(t *testing.T, file *stageFile) outcome {
	t.Helper()
	root := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(root, "app"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "app", "Dockerfile"), []byte("FROM scratch\nCOPY Dockerfile /\n"),
		0o600))
	own, err := account.Open(filepath.Join(root, "account"))
	require.NoError(t, err)
	defer func() { require.NoError(t, own.Close()) }()
	port, stop, err := aws.Serve(own, aws.OwnUser(own))
	require.NoError(t, err)
	defer stop()
	apis := httptest.NewServer(api.New(own, registry.New(filepath.Join(root, "registry"), own)))
	defer apis.Close()

	input := file.input(t, root, apis.URL)
	declared := newProvider(t, port, input)
	err = pulumi.RunErr(func(ctx *pulumi.Context) error { return program(ctx, input) },
		pulumi.WithMocks(input.Project, input.Stage, declared), func(info *pulumi.RunInfo) {
			info.DryRun = true // so that nothing is watched; what is declared is made all the same
			info.Config, info.ConfigSecretKeys = input.Config, input.SecretKeys
		})
	var early *refusal
	switch {
	case errors.As(err, &early):
		for _, line := range strings.Split(early.Error(), "\n") {
			require.Regexp(t, keyAndFile, line, "a refusal names key and file\n%s", file)
		}
		require.Zero(t, declared.made(), "nothing has been made\n%s", file)
		return outcome{refused: true}
	default:
		require.NoError(t, errors.Join(err, declared.refused()), "AWS refuses what a preview does not\n%s", file)
		return outcome{}
	}
}

// refusal is what the program says before it changes anything.
type refusal struct{ error }

// program declares a stage as main.go does.
func program(ctx *pulumi.Context, input stage.Input) error {
	preflight, err := components.RunPreflight(ctx, input)
	if err != nil {
		return &refusal{err}
	}
	_, err = components.Deploy(ctx, preflight, nil)
	return err
}

// input is the stage file as the engine hands it to the program, with a provider that reaches the account.
func (f *stageFile) input(t *testing.T, root, endpoint string) stage.Input {
	t.Helper()
	endpoints := map[string]string{}
	for _, service := range []string{"ecr", "ecs", "iam", "sts", "scheduler", "ec2", "elbv2", "acm", "secretsmanager",
		"ssm", "logs"} {
		endpoints[service] = endpoint
	}
	config := map[string]string{"aws:region": region, "aws:accessKey": "AKIA123456789012", "aws:secretKey": "sandbox",
		"aws:endpoints": text(t, []any{endpoints})}
	input := stage.Input{Project: f.project, Stage: f.stage, Root: root, Config: config}
	for key, value := range f.keys {
		if !strings.Contains(key, ":") {
			key = f.project + ":" + key
		}
		config[key] = text(t, value)
	}
	if f.encrypted {
		input.SecretKeys = []string{f.project + ":secrets"}
	}
	return input
}

func text(t *testing.T, value any) string {
	t.Helper()
	if text, is := value.(string); is {
		return text
	}
	body, err := json.Marshal(value)
	require.NoError(t, err)
	return string(body)
}
