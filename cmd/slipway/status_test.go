package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/charmbracelet/lipgloss"
	"github.com/stretchr/testify/require"

	"slipway/provider"
)

const (
	fakeRegistry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/"
	fakeRevision = "arn:aws:ecs:eu-west-1:123456789012:task-definition/"
)

// fakeAWS has a service web and a task report, each with its newest revision 2. Tests change what it answers.
type fakeAWS struct {
	// containers are the images of every revision, by container.
	containers map[string]string
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
		answer = map[string]any{"services": []any{map[string]any{"serviceName": "web", "status": "ACTIVE", "taskDefinition": fakeRevision + "shop-dev-web:2",
			"deployments": []any{map[string]string{"status": "PRIMARY", "rolloutState": "COMPLETED"}}}}}
	case "DescribeTaskDefinition":
		var containers []any
		for name, image := range f.containers {
			containers = append(containers, map[string]string{"name": name, "image": image})
		}
		answer = map[string]any{"taskDefinition": map[string]any{"taskDefinitionArn": in.TaskDefinition, "status": "ACTIVE", "containerDefinitions": containers}}
	case "ListImages":
		ids := []any{}
		for _, tag := range f.tags {
			ids = append(ids, map[string]string{"imageTag": tag, "imageDigest": digest})
		}
		answer = map[string]any{"imageIds": ids}
	default:
		w.WriteHeader(f.scheduleStatus)
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// status is what is read of that account for a stage that deployed both.
func (f *fakeAWS) status(t *testing.T) (*stageStatus, error) {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	cloud := newCloud(aws.Config{Region: "eu-west-1", BaseEndpoint: &server.URL, Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")}, provider.Settings{}, "123456789012")
	status := &stageStatus{Stage: "dev", Services: map[string]*serviceStatus{}, Tasks: map[string]*taskStatus{}, LastUpdate: &lastUpdate{}}
	status.service("web").Deployed = &deployedService{Revision: 2, TaskDefinition: fakeRevision + "shop-dev-web:2"}
	status.task("report").Deployed = &taskRevision{Revision: 2, TaskDefinition: fakeRevision + "shop-dev-report:2"}
	status.task("report").Asked = f.asked
	if f.schedule != nil {
		status.task("report").Deployed.schedule = "shop-dev-report"
	}
	require.NoError(t, status.running(t.Context(), cloud, "shop-dev"))
	status.compare("web", status.Services["web"])
	err := status.readyTasks(t.Context(), cloud)
	status.compareTask("report", status.Tasks["report"], false)
	return status, err
}

func TestStatusSaysThatAScheduleCouldNotBeRead(t *testing.T) {
	t.Parallel()
	for code, status := range map[string]int{"AccessDeniedException": http.StatusForbidden, "ThrottlingException": http.StatusTooManyRequests} {
		f := &fakeAWS{schedule: map[string]any{"__type": code, "message": "not you"}, scheduleStatus: status}
		found, err := f.status(t)
		require.NoError(t, err)
		require.Empty(t, found.Differences)
		require.ErrorContains(t, found.unread, "reading the schedule shop-dev-report from EventBridge Scheduler: ")
		require.ErrorContains(t, found.unread, code+": not you")
		var printed bytes.Buffer
		printStatus(&report{out: &printed, renderer: lipgloss.NewRenderer(&printed)}, []*stageStatus{found})
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
		"another zone": {expression: when, timeZone: "UTC", differs: []string{"its schedule is " + when + " UTC in AWS, and " + when + " Asia/Seoul was asked for"}},
		"an expression that is not known here, and all else, too": {expression: "cron(0 6 ? * FRI-MON *)", timeZone: "Asia/Seoul", revision: "1", unknown: true,
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
				"Target": map[string]any{"EcsParameters": map[string]any{"TaskDefinitionArn": fakeRevision + "shop-dev-report:" + cmp.Or(c.revision, "2")}}}}
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
	f := &fakeAWS{tags: []string{"one"}, containers: map[string]string{"web": fakeRegistry + "web:one", "report": fakeRegistry + "web:one",
		"proxy": fakeRegistry + "proxy:one", "shell": "busybox:1", "other": strings.Replace(fakeRegistry, "eu-west-1", "us-east-1", 1) + "web:none"}}
	status, err := f.status(t)
	require.NoError(t, err)
	require.Empty(t, status.Differences)
	require.Equal(t, digest, status.Tasks["report"].Deployed.Sidecars["proxy"].Digest)

	f.containers["proxy"] = fakeRegistry + "proxy:two"
	status, err = f.status(t)
	require.NoError(t, err)
	require.Equal(t, []string{
		"services.web: the image " + fakeRegistry + "proxy:two of its container proxy is gone from ECR: a task that has to start will fail",
		"tasks.report: the image " + fakeRegistry + "proxy:two of its container proxy is gone from ECR: a task that has to start will fail",
	}, status.Differences)

	f.tags, f.containers = nil, map[string]string{"web": fakeRegistry + "web:one", "report": fakeRegistry + "web:one", "prepare": fakeRegistry + "web:one"}
	status, err = f.status(t)
	require.NoError(t, err)
	require.Equal(t, []string{
		"services.web: its image " + fakeRegistry + "web:one is gone from ECR: a task that has to start will fail",
		"tasks.report: its image " + fakeRegistry + "web:one is gone from ECR: a task that has to start will fail",
	}, status.Differences, "each image once")
}
