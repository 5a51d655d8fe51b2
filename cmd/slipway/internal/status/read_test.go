package status

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/pulumitest"
	"slipway/cmd/slipway/internal/stagetest"
)

// deployed is a project whose stage release was deployed as its file says, on an account that has its service.
func deployed(t *testing.T, f *fakeAWS) (read func() (*Stage, error), pulumi *pulumitest.Stack) {
	t.Helper()
	t.Setenv("PULUMI_BACKEND_URL", "https://api.pulumi.com")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if request.Header.Get("X-Amz-Target") == "" { // STS
			fmt.Fprint(w, "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account>"+
				"</GetCallerIdentityResult></GetCallerIdentityResponse>")
			return
		}
		f.ServeHTTP(w, request)
	}))
	t.Cleanup(server.Close)
	project := stagetest.Project(t, fmt.Sprintf(`config:
  aws:region: eu-west-1
  aws:accessKey: a
  aws:secretKey: b
  aws:endpoints: [{ecs: %[1]q, ecr: %[1]q, sts: %[1]q}]
  slipway:images: {web: {build: {context: .}}}
  slipway:services:
    web: {image: web, cpu: 256, memory: 512, replicas: 0, environment: {GREETING: hello}}
`, server.URL))
	require.NoError(t, os.WriteFile(filepath.Join(project.Directory, "Dockerfile"), []byte("FROM scratch\n"), 0o644))
	pulumi = &pulumitest.Stack{File: project.StageFile("release"), States: map[string]string{"": `{}`},
		Outputs: `{"slipway": {"version": "0.2.0"}, "services": {"web": {"revision": 2, "taskDefinition": "` + fakeRevision + `shop-dev-web:2"}}}`}
	config, err := pulumitest.Configuration(pulumi.File)
	require.NoError(t, err)
	pulumi.Updates = []pulumicli.Update{{Version: 1, Kind: "update", Result: "succeeded", Config: config,
		StartTime: "2026-11-24T10:00:00.000Z", EndTime: "2026-11-24T10:01:00.000Z"}}
	return func() (*Stage, error) { return Read(t.Context(), pulumi.CLI(), project, "release") }, pulumi
}

func TestAStageThatRunsWhatItAsksForHasNoDifferences(t *testing.T) {
	read, pulumi := deployed(t, &fakeAWS{containers: map[string]string{"web": "public.ecr.aws/nginx:1"}})
	found, err := read()
	require.NoError(t, err)
	require.Empty(t, found.Differences)
	require.Equal(t, 2, found.Services["web"].Running.Revision)
	require.Contains(t, stagetest.Printed(func(r *console.Report) { Print(r, []*Stage{found}) }),
		"\nrelease: last update succeeded, ")
	require.Contains(t, stagetest.Printed(func(r *console.Report) { Print(r, []*Stage{found}) }),
		"\n  deployed by slipway 0.2.0\n  what was asked for is what runs\n")
	require.Zero(t, exit.Status(Verdict([]*Stage{found})))
	require.Len(t, pulumi.Asked, 3, "configuration, history and state, each once: %v", pulumi.Asked)
}

func TestADifferenceIsToldByWhatTheFourSourcesSay(t *testing.T) {
	f := &fakeAWS{containers: map[string]string{"web": "public.ecr.aws/nginx:1"}}
	read, pulumi := deployed(t, f)
	pulumi.States[""] = `{"pending_operations": [{"type": "creating", "resource": {"type": "aws:ecs/service:Service",
		"urn": "urn:pulumi:release::slipway::aws:ecs/service:Service::api"}}]}`
	hi := `{"web": {"image": "web", "cpu": 256, "memory": 512, "replicas": 0, "environment": {"GREETING": "hi"}}}`
	pulumi.Updates[0].Config["slipway:services"] = pulumicli.ConfigValue{Value: &hi}
	pulumi.Updates[0].Result = "failed"
	f.service = map[string]any{"taskDefinition": fakeRevision + "shop-dev-web:1",
		"deployments": []any{map[string]string{"status": "PRIMARY", "rolloutState": "COMPLETED"}}}
	found, err := read()
	require.NoError(t, err)
	require.Len(t, found.Differences, 4)
	require.Equal(t, 1, exit.Status(Verdict([]*Stage{found})))
	require.Contains(t, found.Differences[0], "(creating aws:ecs/service:Service api)")
	require.Equal(t, "not deployed yet: services.web.environment.GREETING", found.Differences[1])
	require.Contains(t, found.Differences[2], "the last update failed")
	require.Equal(t, "services.web: runs revision 1, and the last update that succeeded deployed 2", found.Differences[3])
}
