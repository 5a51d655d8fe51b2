package status

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/charmbracelet/lipgloss"
	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/snapshot"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/cmd/slipway/internal/stagetest"
	"slipway/cmd/slipway/internal/timeline"
	"slipway/internal/awsclient"
	"slipway/internal/ecsread"
	"slipway/internal/imageref"
)

const (
	fakeRegistry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/"
	fakeRevision = "arn:aws:ecs:eu-west-1:123456789012:task-definition/"
	fakeDigest   = "sha256:abababababababababababababababababababababababababababababababab"
)

// fakeAWS has a service web and a task report, each with its newest revision 2. Tests change what it answers.
type fakeAWS struct {
	// containers are the images of every revision, by container.
	containers map[string]string
	// service has what DescribeServices says of web besides its name; nil for one that is steady on revision 2.
	service map[string]any
	// stopped are the stopped tasks.
	stopped []any
	// state is the stack's; nil where nothing is known of it.
	state *pulumicli.State
	// tags are those that every repository of ECR has.
	tags []string
	// schedule is what GetSchedule answers, with a status; nil where the task has none.
	schedule       map[string]any
	scheduleStatus int
	// asked is the task as the stage file has it.
	asked *askedTask
}

func (f *fakeAWS) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	var in struct{ TaskDefinition string }
	_ = json.NewDecoder(request.Body).Decode(&in)
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	answer := f.schedule
	switch _, operation, _ := strings.Cut(request.Header.Get("X-Amz-Target"), "."); operation {
	case "DescribeServices":
		service := map[string]any{"taskDefinition": fakeRevision + "shop-dev-web:2",
			"deployments": []any{map[string]string{"status": "PRIMARY", "rolloutState": "COMPLETED"}}}
		if f.service != nil {
			service = f.service
		}
		service["serviceName"], service["status"] = "web", "ACTIVE"
		answer = map[string]any{"services": []any{service}}
	case "DescribeClusters":
		answer = map[string]any{"clusters": []any{map[string]any{"status": "ACTIVE", "tags": []any{
			map[string]string{"key": "project", "value": "shop"}, map[string]string{"key": "stage", "value": "dev"}}}}}
	case "ListTasks":
		answer = map[string]any{"taskArns": []any{}}
		if len(f.stopped) > 0 {
			answer = map[string]any{"taskArns": []any{"arn:aws:ecs:eu-west-1:123456789012:task/shop-dev/1"}}
		}
	case "DescribeTasks":
		answer = map[string]any{"tasks": f.stopped}
	case "DescribeTaskDefinition":
		var containers []any
		for name, image := range f.containers {
			containers = append(containers, map[string]string{"name": name, "image": image})
		}
		answer = map[string]any{"taskDefinition": map[string]any{"taskDefinitionArn": in.TaskDefinition, "status": "ACTIVE",
			"containerDefinitions": containers}}
	case "ListImages":
		ids := []any{}
		for _, tag := range f.tags {
			ids = append(ids, map[string]string{"imageTag": tag, "imageDigest": fakeDigest})
		}
		answer = map[string]any{"imageIds": ids}
	default:
		w.WriteHeader(f.scheduleStatus)
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// cloud asks that account.
func (f *fakeAWS) cloud(t *testing.T) *awsreader.Client {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return awsreader.New(aws.Config{Region: "eu-west-1", BaseEndpoint: &server.URL,
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")}, awsclient.Settings{}, "123456789012")
}

// status is what is read of that account for a stage that deployed both.
func (f *fakeAWS) status(t *testing.T) (*Stage, error) {
	t.Helper()
	cloud := f.cloud(t)
	status := &Stage{Stage: "dev", Services: map[string]*serviceStatus{}, Tasks: map[string]*taskStatus{},
		LastUpdate: &lastUpdate{Start: time.Unix(1000000, 0)}}
	status.service("web").Deployed = &pulumicli.DeployedService{Revision: 2,
		TaskDefinition: fakeRevision + "shop-dev-web:2"}
	status.task("report").Deployed = &taskRevision{Revision: 2, TaskDefinition: fakeRevision + "shop-dev-report:2"}
	status.task("report").Asked = f.asked
	if f.schedule != nil {
		status.task("report").Deployed.schedule = "shop-dev-report"
	}
	require.NoError(t, status.running(t.Context(), cloud,
		&snapshot.Stage{Project: &stagefile.Project{Name: "shop"}, Stack: "dev", State: f.state}))
	status.compare("web", status.Services["web"])
	err := status.readyTasks(t.Context(), cloud)
	status.compareTask("report", status.Tasks["report"], false)
	return status, err
}

func TestStatusSaysThatAScheduleCouldNotBeRead(t *testing.T) {
	t.Parallel()
	for code, status := range map[string]int{"AccessDeniedException": http.StatusForbidden,
		"ThrottlingException": http.StatusTooManyRequests} {
		f := &fakeAWS{schedule: map[string]any{"__type": code, "message": "not you"}, scheduleStatus: status}
		found, err := f.status(t)
		require.NoError(t, err)
		require.Empty(t, found.Differences)
		require.ErrorContains(t, found.unread, "reading the schedule shop-dev-report from EventBridge Scheduler: ")
		require.ErrorContains(t, found.unread, code+": not you")
		var printed bytes.Buffer
		Print(&console.Report{Out: &printed, Renderer: lipgloss.NewRenderer(&printed)}, []*Stage{found})
		require.Contains(t, printed.String(), "tasks.report: its schedule could not be read\n")
		require.NotContains(t, printed.String(), "what was asked for is what runs")
	}
}

func TestStatusComparesSchedules(t *testing.T) {
	t.Parallel()
	const refresh = ": run `pulumi up --refresh --stack dev`"
	const when = "cron(0 6 ? * MON-FRI *)"
	for name, c := range map[string]struct {
		expression, timeZone, revision string
		asked                          *askedTask
		differs                        []string
		unknown                        bool
	}{
		"as asked for": {expression: when, timeZone: "Asia/Seoul"},
		"no zone":      {expression: when, asked: &askedTask{Schedule: when, TimeZone: "UTC", enabled: true}},
		"another zone": {expression: when, timeZone: "UTC",
			differs: []string{"its schedule is " + when + " UTC in AWS, and " + when + " Asia/Seoul was asked for"}},
		"an expression that is not known here, and all else, too": {expression: "cron(0 6 ? * FRI-MON *)",
			timeZone: "Asia/Seoul", revision: "1", unknown: true,
			asked: &askedTask{Schedule: when, TimeZone: "Asia/Seoul"}, differs: []string{
				"its schedule starts revision 1, and the last update that succeeded deployed 2",
				"its schedule is cron(0 6 ? * FRI-MON *) Asia/Seoul in AWS, and " + when + " Asia/Seoul was asked for",
				"its schedule is enabled in AWS, and was to be disabled"}},
		"a zone that is not known here": {expression: when, timeZone: "Asia/Soul", unknown: true,
			differs: []string{"its schedule is " + when + " Asia/Soul in AWS, and " + when + " Asia/Seoul was asked for"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := cmp.Or(c.asked, &askedTask{Schedule: when, TimeZone: "Asia/Seoul", enabled: true})
			f := &fakeAWS{scheduleStatus: http.StatusOK, asked: asked, schedule: map[string]any{
				"ScheduleExpression": c.expression, "ScheduleExpressionTimezone": c.timeZone, "State": "ENABLED",
				"Target": map[string]any{"EcsParameters": map[string]any{"TaskDefinitionArn": fakeRevision + "shop-dev-report:" +
					cmp.Or(c.revision, "2")}}}}
			status, err := f.status(t)
			require.NoError(t, err)
			var want []string
			for _, differs := range c.differs {
				want = append(want, "tasks.report: "+differs+refresh)
			}
			require.Equal(t, want, status.Differences)
			require.Equal(t, c.unknown, status.Tasks["report"].Schedule.Unknown != "", "when it runs next")
		})
	}
}

func TestStatusLooksForTheImagesOfAllContainers(t *testing.T) {
	t.Parallel()
	f := &fakeAWS{tags: []string{"one"}, containers: map[string]string{"web": fakeRegistry + "web:one",
		"report": fakeRegistry + "web:one",
		"proxy":  fakeRegistry + "proxy:one", "shell": "busybox:1",
		"other": strings.Replace(fakeRegistry, "eu-west-1", "us-east-1", 1) + "web:none"}}
	status, err := f.status(t)
	require.NoError(t, err)
	require.Empty(t, status.Differences)
	require.Equal(t, fakeDigest, status.Tasks["report"].Deployed.Sidecars["proxy"].Digest)

	f.containers["proxy"] = fakeRegistry + "proxy:two"
	status, err = f.status(t)
	require.NoError(t, err)
	require.Equal(t, []string{
		"services.web: the image " + fakeRegistry +
			"proxy:two of its container proxy is gone from ECR: a task that has to start will fail",
		"tasks.report: the image " + fakeRegistry +
			"proxy:two of its container proxy is gone from ECR: a task that has to start will fail",
	}, status.Differences)

	f.tags, f.containers = nil, map[string]string{"web": fakeRegistry + "web:one", "report": fakeRegistry + "web:one",
		"prepare": fakeRegistry + "web:one"}
	status, err = f.status(t)
	require.NoError(t, err)
	require.Equal(t, []string{
		"services.web: its image " + fakeRegistry + "web:one is gone from ECR: a task that has to start will fail",
		"tasks.report: its image " + fakeRegistry + "web:one is gone from ECR: a task that has to start will fail",
	}, status.Differences, "each image once")
}

func TestStatusSaysWhatECSSaysOfAFailedDeployment(t *testing.T) {
	t.Parallel()
	const tripped = "ECS deployment circuit breaker: tasks failed to start."
	const alarm = "(service web) (deployment ecs-svc/2) deployment failed: alarm detected."
	deployment := func(status string, revision string, rollout, reason string) map[string]any {
		return map[string]any{"status": status, "taskDefinition": fakeRevision + "shop-dev-web:" + revision,
			"rolloutState":       rollout,
			"rolloutStateReason": reason, "createdAt": 1000000, "runningCount": 1}
	}
	service := func(revision string, events []any, deployments ...any) map[string]any {
		return map[string]any{"taskDefinition": fakeRevision + "shop-dev-web:" + revision, "deployments": deployments,
			"events":       events,
			"desiredCount": 1, "runningCount": 1}
	}
	stopped := func(revision, reason, code string) any {
		return map[string]any{"taskDefinitionArn": fakeRevision + "shop-dev-web:" + revision, "stoppedReason": reason,
			"stopCode": code}
	}
	serving := deployment("ACTIVE", "2", "COMPLETED", "")
	event := func(at int) []any { return []any{map[string]any{"message": alarm, "createdAt": at}} }
	for name, c := range map[string]struct {
		service map[string]any
		stopped []any
		says    []string // of the first difference
		not     string
	}{
		"rolled back": {service("2", nil, deployment("PRIMARY", "2", "COMPLETED", "rolling back"),
			deployment("ACTIVE", "3", "FAILED", tripped)),
			[]any{stopped("3", "Essential container in task exited", ""), stopped("3", "Essential container in task exited", ""),
				stopped("3", "Scaling activity initiated by (deployment x)", "ServiceSchedulerInitiated"),
				stopped("2", "other", "")},
			[]string{"services.web: revision 3 was asked for, and ECS rolled back; serving revision 2, with 1 of 1 replicas. " +
				"ECS says: " +
				"ECS deployment circuit breaker: tasks failed to start; 2 stopped: Essential container in task exited. Fix the " +
				"cause and run `pulumi up --stack dev`. Where nothing in the stage changes by that, " +
				"`pulumi up --refresh --stack dev` tries again"}, "Scaling activity"},
		"only the event is left": {service("2", event(1000000), deployment("PRIMARY", "2", "COMPLETED", "")), nil,
			[]string{"ECS rolled back; serving revision 2", "alarm detected"}, ""},
		"the event is of an earlier update": {service("2", event(1000), deployment("PRIMARY", "2", "COMPLETED", "")), nil,
			nil, ""},
		"nothing to go back to": {service("3", nil, deployment("PRIMARY", "3", "FAILED", tripped)), nil,
			[]string{"services.web: the deployment of revision 3 failed, with 1 of 1 replicas running. ECS says: ECS " +
				"deployment circuit breaker", "Where nothing in the stage changes by that, " +
				"`pulumi up --stack dev --replace 'urn:pulumi:dev::shop::aws:ecs/service:Service::web'` tries again"}, "steady"},
		"a first deployment that failed, and another that serves": {service("3", nil,
			deployment("PRIMARY", "3", "FAILED", tripped), serving), nil,
			[]string{"the deployment of revision 3 failed", "`aws ecs update-service --cluster shop-dev --service web " +
				"--force-new-deployment` tries again, and `pulumi up --stack dev` watches it"}, "--re"},
		"a state that is older than what runs": {service("4", event(1000000), deployment("PRIMARY", "4", "COMPLETED", "")),
			nil, []string{"services.web: runs revision 4, and the last update that succeeded deployed 2"}, "rolled back"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fakeAWS{service: c.service, stopped: c.stopped,
				state: &pulumicli.State{Resources: []pulumicli.Resource{{Type: "aws:ecs/service:Service",
					URN: "urn:pulumi:dev::shop::aws:ecs/service:Service::web",
					Outputs: json.RawMessage(`{"name": "web", "cluster": "arn:aws:ecs:eu-west-1:1:cluster/shop-dev", ` +
						`"taskDefinition": "` + fakeRevision + `shop-dev-web:3"}`)}}}}
			found, err := f.status(t)
			require.NoError(t, err)
			if len(c.says) == 0 {
				require.Empty(t, found.Differences)
				return
			}
			require.Len(t, found.Differences, 1)
			for _, says := range c.says {
				require.Contains(t, found.Differences[0], says)
			}
			if c.not != "" {
				require.NotContains(t, found.Differences[0], c.not)
			}
		})
	}
}

func TestARollbackIsClaimedOnlyOfAnUpdateThatIsKnown(t *testing.T) {
	t.Parallel()
	service := types.Service{Events: []types.ServiceEvent{{Message: aws.String("(deployment ecs-svc/2) deployment " +
		"failed: alarm detected."), CreatedAt: aws.Time(time.Unix(1000000, 0))}}, Deployments: []types.Deployment{{
		Status: aws.String("PRIMARY"), TaskDefinition: aws.String(fakeRevision + "shop-dev-web:2")}}}
	require.NotNil(t, ecsread.FailureSince(service, fakeRevision+"shop-dev-web:3", time.Unix(1000000, 0)))
	require.Nil(t, ecsread.FailureSince(service, fakeRevision+"shop-dev-web:3", time.Time{}))
}

func TestAStateThatWasLostIsToBeRecovered(t *testing.T) {
	t.Parallel()
	cloud := (&fakeAWS{}).cloud(t)
	require.True(t, cloud.HasCluster(t.Context(), "shop-dev", "shop", "dev"))
	require.False(t, cloud.HasCluster(t.Context(), "shop-dev", "other", "dev"), "another project's")

	says := func(s *Stage, last *pulumicli.Update) string {
		s.Stage = "dev"
		s.service("web").Running = &runningService{}
		s.updated(last, false)
		var printed bytes.Buffer
		Print(&console.Report{Out: &printed, Renderer: lipgloss.NewRenderer(&printed)}, []*Stage{s})
		return printed.String()
	}
	stage := func(s Stage) *Stage {
		s.Services = map[string]*serviceStatus{}
		return &s
	}
	lost := says(stage(Stage{lost: true}), nil)
	require.Contains(t, lost, "dev: no update in its history\n")
	require.Contains(t, lost, "the state of dev is empty, and AWS has its ECS cluster: the state was lost; put a backup "+
		"back, or run `slipway recover dev` (docs/operations.md, ")
	require.Equal(t, 1, strings.Count(lost, "! "))
	recovered := says(stage(Stage{kept: true}), nil)
	require.Contains(t, recovered, "as after `slipway recover`, or where a backup was put back: run "+
		"`pulumi up --stack dev`")
	require.NotContains(t, recovered, "killed")
	require.NotContains(t, recovered, "never deployed")
	require.Contains(t, says(stage(Stage{}), nil), "its first update was killed")
}

func TestAPinNamesTheNewerRevisionThatDoesNotRun(t *testing.T) {
	t.Parallel()
	notes := func(pinned, registered int) []string {
		s := &Stage{Stage: "dev", Services: map[string]*serviceStatus{}}
		s.service("web").Asked = &askedService{Revision: pinned}
		s.service("web").Deployed = &pulumicli.DeployedService{Revision: 2}
		s.service("web").Running = &runningService{Revision: 2, steady: true, registered: registered}
		s.compare("web", s.Services["web"])
		require.Empty(t, s.Differences)
		return s.Notes
	}
	require.Equal(t, []string{"services.web of dev: pinned to revision 2; newer revision 3 is registered and does not " +
		"run: remove services.web.revision to deploy it"}, notes(2, 3))
	require.Empty(t, notes(2, 2))
	require.Empty(t, notes(0, 3))
}

func TestStatusMarksAnUpdateThatWasMadeWithUncommittedChanges(t *testing.T) {
	t.Parallel()
	for dirty, says := range map[bool]string{true: "eb21d02 + uncommitted changes by Kim: ", false: "eb21d02 by "} {
		var printed bytes.Buffer
		Print(&console.Report{Out: &printed, Renderer: lipgloss.NewRenderer(&printed)}, []*Stage{{Stage: "dev",
			LastUpdate: &lastUpdate{Kind: "update", Result: "succeeded", Commit: "eb21d02f0c", Author: "Kim", Dirty: dirty}}})
		require.Contains(t, printed.String(), says)
	}
}

func TestADestroyThatWasStoppedNamesWhatIsGone(t *testing.T) {
	t.Parallel()
	s := &Stage{Stage: "dev", Services: map[string]*serviceStatus{}, Tasks: map[string]*taskStatus{},
		LastUpdate: &lastUpdate{Kind: "destroy", Result: "failed"}}
	s.service("web").Deployed = &pulumicli.DeployedService{Revision: 2}
	s.task("report").Deployed = &taskRevision{Revision: 2}
	s.task("report").Schedule = &readySchedule{Name: "shop-dev-report", Missing: true}
	s.updated(&pulumicli.Update{Kind: "destroy", Result: "failed"}, false)
	s.compare("web", s.Services["web"])
	s.compareTask("report", s.Tasks["report"], false)
	require.Equal(t, []string{
		"the last destroy failed, and its own output said why: run `pulumi destroy --stack dev` again, or " +
			"`pulumi up --stack dev` to recreate what is gone",
		"services.web: ECS no longer has it: a destroy was under way",
		"tasks.report: EventBridge Scheduler no longer has its schedule shop-dev-report: a destroy was under way",
	}, s.Differences)
}

func TestPendingOperationsAreNamedAndCounted(t *testing.T) {
	t.Parallel()
	stash := pulumicli.PendingOperation{Kind: "creating", Resource: pulumicli.Resource{Type: "pulumi:index:Stash",
		URN: "urn:pulumi:dev::shop::pulumi:index:Stash::migrate"}}
	require.Equal(t, "an update has begun 1 operation and not ended (creating pulumi:index:Stash migrate): where no "+
		"update of dev is running now, "+
		"`slipway recover dev` brings the state in line with AWS", cutOff("dev", []pulumicli.PendingOperation{stash}))
	require.Contains(t, cutOff("dev", []pulumicli.PendingOperation{stash, stash, stash, stash}),
		"4 operations and not ended (")
	require.Contains(t, cutOff("dev", []pulumicli.PendingOperation{stash, stash, stash, stash}), "migrate, and 1 more)")
}

func TestHistoryMarksAnUpdateThatECSTookBack(t *testing.T) {
	t.Parallel()
	f := &fakeAWS{service: map[string]any{"deployments": []any{
		map[string]any{"status": "PRIMARY", "taskDefinition": fakeRevision + "shop-dev-web:1", "rolloutState": "COMPLETED"},
		map[string]any{"status": "INACTIVE", "taskDefinition": fakeRevision + "shop-dev-web:2", "rolloutState": "FAILED"}}}}
	put := func(number int) *timeline.DeployedRevision {
		return &timeline.DeployedRevision{Revision: number, Changed: true,
			Images: awsreader.Images{Image: awsreader.Image{Ref: imageref.Ref{Tag: "v2"}}},
			InECS:  &awsreader.Revision{ARN: fakeRevision + "shop-dev-web:2"}}
	}
	history := timeline.New(&snapshot.Stage{Project: &stagefile.Project{Name: "shop"}, Stack: "dev"}, f.cloud(t))
	history.Entries = []*timeline.Entry{
		{Kind: "refresh", Index: 0},
		{Kind: "update", Result: "failed", Services: map[string]*timeline.DeployedRevision{"web": put(2)}, Index: 1},
		{Kind: "update", Result: "failed", Services: map[string]*timeline.DeployedRevision{"web": put(2)}, Index: 2},
	}
	history.MarkOutcome(t.Context(), history.Entries)
	require.Equal(t, "2 (v2), rolled back; serving revision 1",
		history.Entries[1].Services["web"].Describe())
	history.MarkOutcome(t.Context(), history.Entries[2:])
	require.Equal(t, "2 (v2)", history.Entries[2].Services["web"].Describe(),
		"of an earlier update nothing is known")
}

func TestAStageThatWasNeverPromotedSaysHowItComesByItsImages(t *testing.T) {
	t.Parallel()
	p := stagetest.Project(t, "config:\n  slipway:services: {web: {replicas: 2}}\n")
	require.NoError(t, os.WriteFile(filepath.Join(p.Directory, "Pulumi.yaml"),
		[]byte("name: slipway\nconfig:\n  slipway:defaults:\n    value:\n"+
			"      services: {web: {image: web, cpu: 256, memory: 512}}\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(p.Directory, "Pulumi.dev.yaml"),
		[]byte("config:\n  slipway:images: {web: {build: {context: .}}}\n"), 0o644))
	s := &Stage{Stage: "release", Services: map[string]*serviceStatus{}, Tasks: map[string]*taskStatus{}}
	s.withoutStack(t.Context(), p)
	require.Len(t, s.Differences, 2)
	require.Contains(t, s.Differences[0],
		"Pulumi.release.yaml cannot be deployed as it is: images (Pulumi.release.yaml): no image is declared yet; "+
			"run \"slipway promote dev release\"")
	require.Equal(t, "there is no stack release yet: correct that, run `pulumi stack init release`, and `pulumi up "+
		"--stack release`", s.Differences[1])
}

func TestANoteOfSeveralStagesIsSaidOnce(t *testing.T) {
	t.Parallel()
	one := &Stage{Notes: []string{"one"}}
	require.Equal(t, []string{"one", "two"}, notesOf([]*Stage{one, one, {Notes: []string{"two"}}}))
}
