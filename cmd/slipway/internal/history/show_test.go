package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/pulumitest"
	"slipway/cmd/slipway/internal/snapshot"
	"slipway/cmd/slipway/internal/stagetest"
)

const family = "arn:aws:ecs:eu-west-1:123456789012:task-definition/slipway-release-web:"

// twoUpdates is a stage that was updated twice, with another greeting and another revision each time.
func twoUpdates(t *testing.T) (*pulumitest.Stack, func(Options) (string, error)) {
	t.Helper()
	t.Setenv("PULUMI_BACKEND_URL", "https://api.pulumi.com")
	greetings := []string{"one", "two"}
	account := stagetest.Account(t, map[string]any{
		"DescribeServices": map[string]any{"services": []any{}},
		"DescribeTaskDefinition": func(body string) any {
			for i, greeting := range greetings {
				if strings.Contains(body, fmt.Sprintf(`slipway-release-web:%d"`, i+1)) {
					return map[string]any{"taskDefinition": map[string]any{"taskDefinitionArn": family + fmt.Sprint(i+1),
						"revision": i + 1, "status": "ACTIVE", "containerDefinitions": []any{map[string]any{"name": "web",
							"image": "public.ecr.aws/nginx:1", "environment": []any{map[string]string{"name": "GREETING",
								"value": greeting}}}}}}
				}
			}
			return errors.New("ClientException")
		},
		"ListTaskDefinitions": map[string]any{"taskDefinitionArns": []any{}},
	})
	project := stagetest.Project(t, "config: {}\n")
	pulumi := &pulumitest.Stack{File: project.StageFile("release"), States: map[string]string{},
		Outputs: `{"services": {"web": {"taskDefinition": "` + family + `2"}}}`}
	for i, greeting := range greetings {
		require.NoError(t, os.WriteFile(pulumi.File, []byte("config:\n"+account+"  slipway:services:\n    web: {image: "+
			"\"public.ecr.aws/nginx:1\", environment: {GREETING: "+greeting+"}}\n"), 0o600))
		config, err := pulumitest.Configuration(pulumi.File)
		require.NoError(t, err)
		pulumi.Updates = append([]pulumicli.Update{{Version: i + 1, Kind: "update", Result: "succeeded", Config: config,
			Message: "Greet " + greeting, StartTime: fmt.Sprintf("2026-11-24T1%d:00:00.000Z", i),
			EndTime: fmt.Sprintf("2026-11-24T1%d:01:00.000Z", i)}}, pulumi.Updates...)
		pulumi.States[fmt.Sprint(i+1)] = fmt.Sprintf(`{"resources": [{"type": "aws:ecs/service:Service", "urn": "a::web",
			"outputs": {"name": "web", "cluster": "slipway-release", "taskDefinition": "%s%d"}}]}`, family, i+1)
	}
	return pulumi, func(options Options) (string, error) {
		of, err := snapshot.Load(t.Context(), pulumi.CLI(), project, "release", options.Parts())
		require.NoError(t, err)
		text := stagetest.Printed(func(r *console.Report) { err = Show(t.Context(), of, r, options, func() {}) })
		return text, err
	}
}

func TestWhatHistoryPrints(t *testing.T) {
	pulumi, show := twoUpdates(t)
	table, err := show(Options{Limit: 1})
	require.NoError(t, err)
	require.Contains(t, table, "Greet two")
	require.Contains(t, table, "web 2 (1)")
	require.Contains(t, table, "services.web.environment.GREETING")
	require.NotContains(t, table, "Greet one")

	whole, err := show(Options{Number: 2})
	require.NoError(t, err)
	require.Contains(t, whole, "Update 2 of release: succeeded\n")
	require.Contains(t, whole, "\nConfiguration:\n  services.web.environment.GREETING: one → two\n")
	require.Contains(t, whole, "\nweb: 1 (1) → 2 (1)\n  web.environment.GREETING: one → two\n")

	encoded, err := show(Options{Number: 1, JSON: true})
	require.NoError(t, err)
	var found struct {
		Number   int
		Services map[string]struct{ Revision int }
	}
	require.NoError(t, json.Unmarshal([]byte(encoded), &found))
	require.Equal(t, []int{1, 1}, []int{found.Number, found.Services["web"].Revision})

	_, err = show(Options{Number: 3})
	require.EqualError(t, err, "release has no update 3: `slipway history release --limit 0` lists them, 1 to 2")
	pulumi.Updates = nil
	table, err = show(Options{})
	require.NoError(t, err)
	require.Equal(t, "release has never been updated: run `pulumi up --stack release`.\n", table)
	table, err = show(Options{JSON: true})
	require.NoError(t, err)
	require.Equal(t, "[]\n", table)
}
