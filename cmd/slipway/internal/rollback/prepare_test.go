package rollback

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/gittest"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/pulumitest"
	"slipway/cmd/slipway/internal/snapshot"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/cmd/slipway/internal/stagetest"
)

const family = "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop-dev-web:"

// revisions is an AWS account that has these revisions of shop-dev-web.
func revisions(t *testing.T, numbers ...string) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if request.Header.Get("X-Amz-Target") == "" { // STS
			fmt.Fprint(w, "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account>"+
				"</GetCallerIdentityResult></GetCallerIdentityResponse>")
			return
		}
		var in struct{ TaskDefinition string }
		_ = json.NewDecoder(request.Body).Decode(&in)
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		for _, number := range numbers {
			if in.TaskDefinition == "shop-dev-web:"+number {
				fmt.Fprintf(w, `{"taskDefinition": {"taskDefinitionArn": %q, "revision": %s, "status": "ACTIVE",
					"containerDefinitions": [{"name": "web", "image": "public.ecr.aws/nginx:1"}]}}`, family+number, number)
				return
			}
		}
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"__type": "ClientException", "message": "Unable to describe task definition."}`)
	}))
	t.Cleanup(server.Close)
	return server
}

// twoUpdates is a project whose stage dev was updated twice, with another greeting and another revision each time.
func twoUpdates(t *testing.T, server *httptest.Server) (gittest.Repo, *stagefile.Project, *pulumitest.Stack) {
	t.Helper()
	return updatedWith(t, server, "one", "two")
}

// updatedWith is a project whose stage dev was updated with one greeting after the other.
func updatedWith(t *testing.T, server *httptest.Server, greetings ...string) (gittest.Repo, *stagefile.Project,
	*pulumitest.Stack) {
	t.Helper()
	t.Setenv("PULUMI_BACKEND_URL", "https://api.pulumi.com")
	r := gittest.New(t)
	r.Write("Pulumi.yaml", "name: shop\nruntime: go\n")
	pulumi := &pulumitest.Stack{States: map[string]string{}, File: filepath.Join(r.Dir, "Pulumi.dev.yaml")}
	for i, greeting := range greetings {
		r.Write("Pulumi.dev.yaml", strings.ReplaceAll(`# the greeting is `+greeting+`
config:
  aws:region: eu-west-1
  aws:accessKey: a
  aws:secretKey: b
  aws:endpoints: [{ecs: URL, sts: URL}]
  shop:images: {web: {ref: "public.ecr.aws/nginx/nginx:1@sha256:`+strings.Repeat("a", 64)+`"}}
  shop:services:
    web: {image: web, cpu: 256, memory: 512, environment: {GREETING: `+greeting+`}}
`, "URL", server.URL))
		r.Git("add", "-A")
		r.Git("commit", "-q", "-m", "Greet "+greeting)
		config, err := pulumitest.Configuration(pulumi.File)
		require.NoError(t, err)
		update := pulumicli.Update{Version: i + 1, Kind: "update", Result: "succeeded", Config: config,
			StartTime:   fmt.Sprintf("2026-11-24T1%d:00:00.000Z", i),
			EndTime:     fmt.Sprintf("2026-11-24T1%d:01:00.000Z", i),
			Environment: map[string]string{"git.head": strings.TrimSpace(r.Git("rev-parse", "HEAD"))}}
		pulumi.Updates = append([]pulumicli.Update{update}, pulumi.Updates...)
		pulumi.States[fmt.Sprint(i+1)] = fmt.Sprintf(`{"resources": [{"type": "aws:ecs/service:Service",
			"outputs": {"name": "web", "cluster": "shop-dev", "taskDefinition": "%s%d"}}]}`, family, i+1)
	}
	project, err := stagefile.Find(r.Dir)
	require.NoError(t, err)
	return r, project, pulumi
}

// prepare does what the command does.
func prepare(t *testing.T, pulumi *pulumitest.Stack, project *stagefile.Project, to int, pin bool) (*Plan, error) {
	t.Helper()
	file, err := Open(t.Context(), project, "dev")
	if err != nil {
		return nil, err
	}
	of, err := snapshot.Load(t.Context(), pulumi.CLI(), project, "dev", Parts)
	require.NoError(t, err)
	return Prepare(t.Context(), of, file, to, pin)
}

func TestARollbackRestoresTheFileOfTheUpdateBefore(t *testing.T) {
	r, project, pulumi := twoUpdates(t, revisions(t, "1", "2"))
	planned, err := prepare(t, pulumi, project, 0, false)
	require.NoError(t, err)
	require.Equal(t, []int{2, 1}, []int{planned.From, planned.To})
	require.Len(t, planned.Changes, 1)
	require.Equal(t, "services.web.environment.GREETING: two → one", planned.Changes[0].Describe())
	require.Regexp(t, `(?s)^Back to update 1 of dev, from 2: .*\n  services\.web\.environment\.GREETING: two → one\n`+
		`.*  web +2 \(1\) +→ +as 1 \(1\)\n`, stagetest.Printed(planned.Print))
	require.Equal(t, []int{2, 1}, []int{planned.Services["web"].Now.Revision, planned.Services["web"].Then.Revision})
	require.Contains(t, r.Read("Pulumi.dev.yaml"), "two", "nothing is written yet")
	configs := 0
	for _, command := range pulumi.Asked {
		if strings.HasPrefix(command, "config ") {
			configs++
		}
	}
	require.Equal(t, 2, configs, "that of the file as it is, and that of the file to be: %v", pulumi.Asked)

	require.NoError(t, planned.Apply(t.Context()))
	require.Equal(t, r.Git("show", "HEAD~2:Pulumi.dev.yaml"), r.Read("Pulumi.dev.yaml"))
	require.Equal(t, "Roll dev back to update 1\n", r.Git("log", "-1", "--format=%s"))
	require.Empty(t, r.Git("status", "--porcelain"))
}

func TestARollbackKeepsTheNamespaceThatTheKeysHaveNow(t *testing.T) {
	r, project, pulumi := twoUpdates(t, revisions(t, "1", "2"))
	r.Write("Pulumi.dev.yaml", strings.ReplaceAll(r.Read("Pulumi.dev.yaml"), "shop:", "slipway:"))
	r.Git("commit", "-q", "-a", "-m", "Keys begin with slipway")
	plan, err := prepare(t, pulumi, project, 1, false)
	require.NoError(t, err)
	require.Contains(t, string(plan.next.Written), "# the greeting is one\n")
	require.Contains(t, string(plan.next.Written), "  slipway:services:\n")
	require.NotContains(t, string(plan.next.Written), "shop:")
}

func TestARollbackRefusesAFileThatTheProgramWouldRefuse(t *testing.T) {
	r, project, pulumi := updatedWith(t, revisions(t, "1", "2"), `"${NAME}", OTHER: "${X}"`, "two")
	_, err := prepare(t, pulumi, project, 0, false)
	require.ErrorAs(t, err, &exit.Finding{})
	require.ErrorContains(t, err, "the stage file of update 1 would be refused as it is:\n"+
		"services.web.environment.GREETING (Pulumi.dev.yaml): holds ${NAME}, which nothing replaces; declare")
	require.ErrorContains(t, err, "\nservices.web.environment.OTHER (Pulumi.dev.yaml): holds ${X}")
	require.ErrorContains(t, err, fmt.Sprintf("use --pin, or take the file back (`git show %.7s:./Pulumi.dev.yaml > "+
		"Pulumi.dev.yaml`), correct that", pulumi.Updates[1].Environment["git.head"]))
	require.Contains(t, r.Read("Pulumi.dev.yaml"), "two")
}

// Nothing of the stage file has made it fail, so nothing in the file takes that back.
func TestARollbackOfAnUpdateThatFailedWithTheSameStageFile(t *testing.T) {
	_, project, pulumi := twoUpdates(t, revisions(t, "1", "2"))
	failed := pulumi.Updates[0]
	failed.Version, failed.Result = 3, "failed"
	failed.StartTime, failed.EndTime = "2026-11-24T12:00:00.000Z", "2026-11-24T12:01:00.000Z"
	pulumi.Updates = append([]pulumicli.Update{failed}, pulumi.Updates...)
	pulumi.States["3"] = pulumi.States["2"]
	_, err := prepare(t, pulumi, project, 0, false)
	require.ErrorAs(t, err, &exit.Finding{})
	require.ErrorContains(t, err, fmt.Sprintf("update 3 of dev failed with the stage file and the images of update 2: what it "+
		"changed is in the program (update 2 was made from commit %.7s); take that back with `git revert`, use --pin, or "+
		"name an earlier update with --to", failed.Environment["git.head"]))

	_, err = prepare(t, pulumi, project, 0, true)
	require.ErrorContains(t, err, "services.web: revision 2 has not what update 2 asked for", "it is chosen")
	planned, err := prepare(t, pulumi, project, 1, false)
	require.NoError(t, err)
	require.Equal(t, 1, planned.To)
}

func TestARollbackPinsTheRevisionsOfTheUpdateBefore(t *testing.T) {
	r, project, pulumi := twoUpdates(t, revisions(t, "2"))
	_, err := prepare(t, pulumi, project, 0, true)
	require.ErrorAs(t, err, &exit.Finding{})
	require.ErrorContains(t, err, "services.web: revision 1 is gone: it was deregistered")
	require.Empty(t, r.Git("status", "--porcelain"))
}

func TestARollbackStartsFromAFileThatIsCommitted(t *testing.T) {
	r, project, pulumi := twoUpdates(t, revisions(t, "1", "2"))
	require.NoError(t, os.WriteFile(pulumi.File, []byte("config: {}\n"), 0o644))
	_, err := prepare(t, pulumi, project, 0, false)
	require.ErrorContains(t, err, "has changes that are not committed: commit them")
	r.Git("checkout", "-q", "--", ".")
	require.Empty(t, pulumi.Asked, "pulumi is not asked before")
	_, err = prepare(t, pulumi, project, 7, false)
	require.ErrorContains(t, err, "dev has no update 7")
}

func TestARollbackSaysFirstThatAnotherUpdateRuns(t *testing.T) {
	_, project, pulumi := twoUpdates(t, revisions(t, "1", "2"))
	backend := t.TempDir()
	t.Setenv("PULUMI_BACKEND_URL", "file://"+backend)
	lock := filepath.Join(backend, ".pulumi/locks/organization/shop/dev/0af0.json")
	require.NoError(t, os.MkdirAll(filepath.Dir(lock), 0o755))
	require.NoError(t, os.WriteFile(lock, []byte(`{"pid": 1, "username": "dana", "hostname": "elsewhere"}`), 0o644))
	require.NoError(t, os.WriteFile(pulumi.File, []byte("config: {}\n"), 0o644)) // as an update may leave it until it ends
	_, err := Open(t.Context(), project, "dev")
	require.ErrorAs(t, err, &exit.Finding{})
	require.ErrorContains(t, err, "dana@elsewhere (process 1) has locked the stack")
	require.Empty(t, pulumi.Asked, "what an update has half done is not read")
}
