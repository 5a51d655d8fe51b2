package timeline

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/pulumitest"
	"slipway/cmd/slipway/internal/snapshot"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/internal/awsclient"
	"slipway/internal/ecsread"
)

const (
	registry    = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/"
	revisionARN = "arn:aws:ecs:eu-west-1:123456789012:task-definition/"
)

// ranAt is an update that succeeded, as the CLI tells of it.
func ranAt(start, end, services string) pulumicli.Update {
	value := func(text string) pulumicli.ConfigValue { return pulumicli.ConfigValue{Value: &text} }
	return pulumicli.Update{Kind: "update", Result: "succeeded", StartTime: "2026-11-24T" + start + ".000Z",
		EndTime: "2026-11-24T" + end + ".000Z",
		Config: map[string]pulumicli.ConfigValue{"shop:services": value(services),
			"shop:images": value(`{"web": {"build": {"context": "."}}}`)}}
}

// fakeFamily is ECS with the revisions of shop-dev-web, from 1.
type fakeFamily struct {
	revisions []fakeRevisionOfWeb
	skew      time.Duration // of its clock
}

type fakeRevisionOfWeb struct {
	at       string // by AWS's clock
	greeting string
	untagged bool
}

func (f *fakeFamily) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("Date", time.Now().Add(f.skew).UTC().Format(http.TimeFormat))
	var in struct {
		TaskDefinition, Status string
		Include                []string
	}
	_ = json.NewDecoder(request.Body).Decode(&in)
	answer := map[string]any{}
	switch _, operation, _ := strings.Cut(request.Header.Get("X-Amz-Target"), "."); operation {
	case "ListTaskDefinitions":
		var arns []string
		for i := range f.revisions {
			if in.Status == "ACTIVE" {
				arns = append(arns, revisionARN+"shop-dev-web:"+strconv.Itoa(i+1))
			}
		}
		answer["taskDefinitionArns"] = arns
	case "DescribeTaskDefinition":
		number := ecsread.RevisionNumber(in.TaskDefinition)
		if number < 1 || number > len(f.revisions) {
			w.WriteHeader(http.StatusBadRequest)
			answer = map[string]any{"__type": "ClientException", "message": "Unable to describe task definition."}
			break
		}
		r := f.revisions[number-1]
		environment := []any{}
		if r.greeting != "" {
			environment = append(environment, map[string]string{"name": "GREETING", "value": r.greeting})
		}
		answer["taskDefinition"] = map[string]any{"taskDefinitionArn": revisionARN + "shop-dev-web:" + strconv.Itoa(number),
			"revision": number,
			"status":   "ACTIVE", "cpu": "256", "memory": "512", "registeredAt": float64(at(r.at).UnixMilli()) / 1000,
			"containerDefinitions": []any{map[string]any{"name": "web", "image": registry + "shop-dev/web:one",
				"environment": environment}}}
		if !r.untagged && slices.Contains(in.Include, "TAGS") {
			answer["tags"] = []any{map[string]string{"key": "project", "value": "shop"},
				map[string]string{"key": "stage", "value": "dev"},
				map[string]string{"key": "service", "value": "web"}}
		}
	case "ListImages":
		answer["imageIds"] = []any{map[string]string{"imageTag": "one", "imageDigest": "sha256:" + strings.Repeat("ab", 32)}}
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func (f *fakeFamily) cloud(t *testing.T) *awsreader.Client {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return awsreader.New(aws.Config{Region: "eu-west-1", BaseEndpoint: &server.URL,
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")}, awsclient.Settings{}, "123456789012")
}

// placedBy are the revisions of web that updates put in place, oldest first, or unknown.
func placedBy(t *testing.T, past *Timeline) (found []string) {
	t.Helper()
	var entries []*Entry
	for i := 0; ; i++ {
		e, err := past.At(t.Context(), i)
		require.NoError(t, err)
		if e == nil {
			break
		}
		entries = append(entries, e)
	}
	require.NoError(t, past.ResolveRevisions(t.Context(), false, entries...))
	for _, e := range slices.Backward(entries) {
		switch put := e.Services["web"]; {
		case put == nil:
			found = append(found, "-")
		case put.Unknown != "":
			found = append(found, "unknown")
		default:
			found = append(found, strconv.Itoa(put.Revision))
		}
	}
	return found
}

func openFake(t *testing.T, pulumi *pulumitest.Stack, files *pulumicli.Backend, family *fakeFamily) *Timeline {
	t.Helper()
	history := &pulumicli.History{Pulumi: pulumi.CLI(), Stack: "dev", Backend: files}
	require.NoError(t, history.Open(t.Context(), 1))
	return New(&snapshot.Stage{Pulumi: pulumi.CLI(), Project: &stagefile.Project{Name: "shop"}, Stack: "dev",
		History: history}, family.cloud(t))
}

func web(greeting string) string {
	return `{"web": {"image": "web", "environment": {"GREETING": "` + greeting + `"}}}`
}

func newestFirst(updates ...pulumicli.Update) []pulumicli.Update {
	slices.Reverse(updates)
	return updates
}

func TestWhichRevisionsUpdatesPutInPlaceWhereNoStateTells(t *testing.T) {
	t.Parallel()
	updates := func() []pulumicli.Update {
		return newestFirst(ranAt("10:00:00", "10:01:00", web("a")), ranAt("10:10:00", "10:11:00", web("b")),
			ranAt("10:20:00", "10:21:00", web("c")))
	}
	outputs := `{"services": {"web": {"taskDefinition": "` + revisionARN + `shop-dev-web:%d"}}}`
	for name, c := range map[string]struct {
		family fakeFamily
		newest int
		change func(updates []pulumicli.Update)
		want   []string
	}{
		"each its own": {fakeFamily{revisions: []fakeRevisionOfWeb{{at: "10:00:30", greeting: "a"},
			{at: "10:10:30", greeting: "b"}, {at: "10:20:30", greeting: "c"}}},
			3, nil, []string{"1", "2", "3"}},
		"AWS's clock is ahead": {fakeFamily{skew: 2 * time.Minute,
			revisions: []fakeRevisionOfWeb{{at: "10:02:30", greeting: "a"}, {at: "10:12:30", greeting: "b"},
				{at: "10:22:30", greeting: "c"}}}, 3, nil, []string{"1", "2", "3"}},
		"AWS's clock is behind": {fakeFamily{skew: -2 * time.Minute,
			revisions: []fakeRevisionOfWeb{{at: "09:58:30", greeting: "a"}, {at: "10:08:30", greeting: "b"},
				{at: "10:18:30", greeting: "c"}}}, 3, nil, []string{"1", "2", "3"}},
		"by hand, without the tags": {fakeFamily{revisions: []fakeRevisionOfWeb{{at: "10:00:30", greeting: "a"},
			{at: "10:10:55", greeting: "b", untagged: true},
			{at: "10:10:30", greeting: "b"}, {at: "10:20:30", greeting: "c"}}}, 4, nil, []string{"1", "3", "4"}},
		"by hand, with the tags and other content": {fakeFamily{revisions: []fakeRevisionOfWeb{{at: "10:00:30",
			greeting: "a"}, {at: "10:05:00", greeting: "x"},
			{at: "10:10:30", greeting: "b"}, {at: "10:20:30", greeting: "c"}}}, 4, nil, []string{"1", "3", "4"}},
		"by hand, with the tags and the same content, before an update that registered none": {
			fakeFamily{revisions: []fakeRevisionOfWeb{{at: "10:00:30", greeting: "a"}, {at: "10:05:00", greeting: "a"},
				{at: "10:20:30", greeting: "c"}}}, 3,
			func(updates []pulumicli.Update) { updates[1].Config = updates[2].Config }, []string{"1", "unknown", "3"}},
		"two at its time, of which one has what was asked for": {fakeFamily{revisions: []fakeRevisionOfWeb{{at: "10:00:30",
			greeting: "a"}, {at: "10:00:50", greeting: "x"},
			{at: "10:10:30", greeting: "b"}, {at: "10:20:30", greeting: "c"}}}, 4, nil, []string{"1", "3", "4"}},
		"two at its time that have": {fakeFamily{revisions: []fakeRevisionOfWeb{{at: "10:00:30", greeting: "a"},
			{at: "10:00:50", greeting: "a"},
			{at: "10:10:30", greeting: "b"}, {at: "10:20:30", greeting: "c"}}}, 4, nil, []string{"unknown", "3", "4"}},
		"by one that was killed": {fakeFamily{revisions: []fakeRevisionOfWeb{{at: "10:00:30", greeting: "a"},
			{at: "10:05:00", greeting: "b"}, {at: "10:20:30", greeting: "c"}}},
			3, nil, []string{"1", "2", "3"}},
		"none that has what was asked for": {fakeFamily{revisions: []fakeRevisionOfWeb{{at: "10:00:30", greeting: "other"},
			{at: "10:10:30", greeting: "b"},
			{at: "10:20:30", greeting: "c"}}}, 3, nil, []string{"unknown", "2", "3"}},
		"the newest says what it deployed, whatever is newer": {fakeFamily{revisions: []fakeRevisionOfWeb{{at: "10:00:30",
			greeting: "a"}, {at: "10:10:30", greeting: "b"},
			{at: "10:20:30", greeting: "c"}, {at: "10:20:40", greeting: "c"}}}, 3, nil, []string{"1", "2", "3"}},
		"one that failed before it registered any": {fakeFamily{revisions: []fakeRevisionOfWeb{{at: "10:00:30",
			greeting: "a"}, {at: "10:20:30", greeting: "c"}}}, 2,
			func(updates []pulumicli.Update) { updates[1].Result = "failed" }, []string{"1", "1", "2"}},
		"pinned": {fakeFamily{revisions: []fakeRevisionOfWeb{{at: "10:00:30", greeting: "a"},
			{at: "10:10:30", greeting: "b"}}}, 1,
			func(updates []pulumicli.Update) {
				*updates[0].Config["shop:services"].Value = `{"web": {"image": "web", "revision": 1}}`
			}, []string{"1", "2", "1"}},
		"destroyed in between": {fakeFamily{revisions: []fakeRevisionOfWeb{{at: "10:00:30", greeting: "a"},
			{at: "10:20:30", greeting: "c"}}}, 2,
			func(updates []pulumicli.Update) { updates[1].Kind = "destroy" }, []string{"1", "-", "2"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ran := updates()
			if c.change != nil {
				c.change(ran)
			}
			pulumi := &pulumitest.Stack{Updates: ran, Outputs: fmt.Sprintf(outputs, c.newest)}
			require.Equal(t, c.want, placedBy(t, openFake(t, pulumi, &pulumicli.Backend{}, &c.family)))
		})
	}
}

const stateOfWeb = `{"resources": [{"type": "aws:iam/role:Role", "outputs": {"name": {"4dabf18193072939515e22adb298388d": "secret"}}},
  {"type": "aws:ecs/service:Service", "delete": true, "outputs": {"name": "web", "cluster": "arn:aws:ecs:eu-west-1:123456789012:cluster/shop-dev", "taskDefinition": "shop-dev-web:9"}},
  {"type": "aws:ecs/service:Service", "outputs": {"name": "web", "cluster": "arn:aws:ecs:eu-west-1:123456789012:cluster/other", "taskDefinition": "shop-dev-web:8"}},
  {"type": "aws:ecs/service:Service", "outputs": {"name": "web", "cluster": "arn:aws:ecs:eu-west-1:123456789012:cluster/shop-dev",
    "taskDefinition": "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop-dev-web:%d"}}]}`

// All revisions were registered at one time with one content, so that only a state can tell.
var sameRevisions = []fakeRevisionOfWeb{{at: "10:00:30", greeting: "a"}, {at: "10:00:30", greeting: "a"},
	{at: "10:00:30", greeting: "a"}}

func TestTheStateThatAnUpdateLeftTellsItsRevisions(t *testing.T) {
	t.Parallel()
	ran := newestFirst(ranAt("10:00:00", "10:01:00", web("a")), ranAt("10:10:00", "10:11:00", web("a")),
		ranAt("10:20:00", "10:21:00", web("a")))
	ran[1].Result = "failed"

	dir := t.TempDir()
	for i, each := range slices.Backward(ran) {
		name := filepath.Join(dir, ".pulumi/history/shop/dev", fmt.Sprintf("dev-%d", 9-i))
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		entry := fmt.Sprintf(`{"startTime": %d, "endTime": %d}`, pulumicli.Time(each.StartTime).Unix(),
			pulumicli.Time(each.EndTime).Unix())
		require.NoError(t, os.WriteFile(name+".history.json", []byte(entry), 0o644))
		state := fmt.Sprintf(`{"version": 3, "checkpoint": {"latest": `+stateOfWeb+`}}`, 3-i)
		require.NoError(t, os.WriteFile(name+".checkpoint.json", []byte(state), 0o644))
	}
	files := &pulumicli.Backend{Files: pulumicli.Directory(dir), History: ".pulumi/history/shop/dev"}
	pulumi := &pulumitest.Stack{Updates: ran}
	past := openFake(t, pulumi, files, &fakeFamily{revisions: sameRevisions})
	require.Equal(t, []string{"1", "2", "3"}, placedBy(t, past))
	require.Equal(t, 3, past.Entries[0].Number, "by the files that there are")

	// On Pulumi Cloud a command of the CLI reads it, where nothing else tells.
	for i := range ran {
		ran[i].Version = 7 - i
	}
	pulumi = &pulumitest.Stack{Updates: ran, Outputs: "{}", States: map[string]string{"7": fmt.Sprintf(stateOfWeb, 3),
		"6": fmt.Sprintf(stateOfWeb, 2)}}
	past = openFake(t, pulumi, nil, &fakeFamily{revisions: sameRevisions})
	var entries []*Entry
	for i := range ran {
		e, err := past.At(t.Context(), i)
		require.NoError(t, err)
		entries = append(entries, e)
	}
	require.NoError(t, past.ResolveRevisions(t.Context(), true, entries...))
	require.Equal(t, 7, entries[0].Number)
	require.Equal(t, 3, entries[0].Services["web"].Revision)
	require.Equal(t, 2, entries[1].Services["web"].Revision)
	require.Contains(t, entries[2].Services["web"].Unknown,
		"any of 1, 2, 3 (and the stack's state after it cannot be read: pulumi stack export")
}

func TestTheStateOfAnotherUpdateIsNoEvidence(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "dev-1.history.json"), []byte(`{"startTime": 1, "endTime": 2}`),
		0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "dev-1.checkpoint.json"), []byte(`{"checkpoint": {"latest": {}}}`),
		0o644))
	files := &pulumicli.Backend{Files: pulumicli.Directory(dir), History: "."}
	state, err := files.State(t.Context(), "dev-1", ranAt("10:00:00", "10:01:00", web("a")))
	require.NoError(t, err)
	require.Nil(t, state)
}

func TestNoMoreOfAHistoryIsReadThanIsAskedFor(t *testing.T) {
	t.Parallel()
	var updates []pulumicli.Update
	for i := range 250 {
		each := ranAt("10:00:00", "10:01:00", web("a"))
		each.Version = 250 - i
		updates = append(updates, each)
	}
	pulumi := &pulumitest.Stack{Updates: updates}
	found := &pulumicli.History{Pulumi: pulumi.CLI(), Stack: "dev"}
	require.NoError(t, found.Open(t.Context(), 1))
	_, err := found.At(t.Context(), 0)
	require.NoError(t, err)
	require.Len(t, pulumi.Asked, 1)
	require.Contains(t, pulumi.Asked[0], "--page-size 1 --page 1")
	oldest, err := found.At(t.Context(), 249)
	require.NoError(t, err)
	require.Equal(t, 1, oldest.Version)
	none, err := found.At(t.Context(), 250)
	require.NoError(t, err)
	require.Nil(t, none)
	require.Len(t, pulumi.Asked, 4, "Pulumi Cloud has pages: %v", pulumi.Asked)

	// Elsewhere there is a file for each: as many as needed with one command.
	pulumi.Asked = nil
	found = &pulumicli.History{Pulumi: pulumi.CLI(), Stack: "dev", Backend: &pulumicli.Backend{}}
	require.NoError(t, found.Open(t.Context(), 10))
	for i := range 250 {
		_, err = found.At(t.Context(), i)
		require.NoError(t, err)
	}
	require.Len(t, pulumi.Asked, 3, "10, 100, 400: %v", pulumi.Asked)
}
