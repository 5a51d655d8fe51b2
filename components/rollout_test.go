package components

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	ecssdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"
)

func ecsDeployment(status, definition string, state types.DeploymentRolloutState, running int32) types.Deployment {
	return types.Deployment{Id: awssdk.String("ecs-svc/" + definition), Status: &status, TaskDefinition: &definition, RolloutState: state, RunningCount: running}
}

func ecsService(desired int32, deployments ...types.Deployment) types.Service {
	service := types.Service{Status: awssdk.String("ACTIVE"), DesiredCount: desired, Deployments: deployments}
	for _, d := range deployments {
		service.RunningCount += d.RunningCount
	}
	return service
}

func TestJudge(t *testing.T) {
	t.Parallel()
	const (
		completed  = types.DeploymentRolloutStateCompleted
		inProgress = types.DeploymentRolloutStateInProgress
		gaveUp     = types.DeploymentRolloutStateFailed
	)
	for name, test := range map[string]struct {
		service types.Service
		want    verdict
	}{
		"completed with all replicas":      {ecsService(2, ecsDeployment("PRIMARY", "f:2", completed, 2)), steady},
		"completed with no replica wanted": {ecsService(0, ecsDeployment("PRIMARY", "f:2", completed, 0)), steady},
		"completed, one replica being replaced": {
			ecsService(2, ecsDeployment("PRIMARY", "f:2", completed, 1)), underWay,
		},
		"all replicas run, ECS has not said so yet": {
			ecsService(2, ecsDeployment("PRIMARY", "f:2", inProgress, 2), ecsDeployment("ACTIVE", "f:1", completed, 1)), underWay,
		},
		"completed while an old replica still drains": {
			ecsService(2, ecsDeployment("PRIMARY", "f:2", completed, 2), ecsDeployment("ACTIVE", "f:1", completed, 1)), underWay,
		},
		"a service of which no rollout state is told": {ecsService(1, ecsDeployment("PRIMARY", "f:2", "", 1)), steady},
		"the same with an old deployment": {
			ecsService(1, ecsDeployment("PRIMARY", "f:2", "", 1), ecsDeployment("ACTIVE", "f:1", "", 0)), underWay,
		},
		"failed, with nothing to go back to": {ecsService(1, ecsDeployment("PRIMARY", "f:2", gaveUp, 0)), failed},
		"failed, rolling back": {
			ecsService(1, ecsDeployment("PRIMARY", "f:1", inProgress, 1), ecsDeployment("ACTIVE", "f:2", gaveUp, 0)), failed,
		},
		"rolled back": {ecsService(1, ecsDeployment("PRIMARY", "f:1", completed, 1)), givenWay},
		"rolled back, the failed one draining": {
			ecsService(1, ecsDeployment("PRIMARY", "f:1", completed, 1), ecsDeployment("ACTIVE", "f:2", inProgress, 0)), givenWay,
		},
		"without a deployment yet":       {ecsService(1), underWay},
		"unknown to ECS":                 {types.Service{}, gone},
		"being deleted, with tasks left": {types.Service{Status: awssdk.String("DRAINING"), RunningCount: 1}, gone},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, judge(test.service, "f:2"))
		})
	}
}

// follow watches a service of which ECS gives these answers, one after the other, and the last one again and again.
func follow(t *testing.T, answers ...string) error {
	t.Helper()
	var reads atomic.Int32
	ecs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		if !strings.HasSuffix(request.Header.Get("X-Amz-Target"), ".DescribeServices") {
			fmt.Fprint(w, `{"taskArns": []}`)
			return
		}
		answer := answers[min(int(reads.Add(1)), len(answers))-1]
		fmt.Fprintf(w, `{"services": [%s]}`, answer)
	}))
	t.Cleanup(ecs.Close)
	client := ecssdk.New(ecssdk.Options{
		Region: "ap-northeast-2", BaseEndpoint: &ecs.URL, Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
	})
	one := 1
	rollout := &rollout{serviceReader: &serviceReader{client: client, cluster: "c"}, Watched: Watched{Key: "services.web", Replicas: &one}, service: "arn:aws:ecs:r:1:service/c/web",
		wanted: "f:2", changed: true, progress: func(string) {}}
	return rollout.follow(t.Context())
}

func TestAnswersFromBeforeTheUpdateAreNoVerdict(t *testing.T) {
	t.Parallel()
	const (
		steadyOn = `{"serviceName": "web", "status": "ACTIVE", "desiredCount": 1, "runningCount": 1, "deployments": [
			{"id": "d", "status": "PRIMARY", "taskDefinition": "f:%d", "rolloutState": "COMPLETED", "runningCount": 1}]}`
		unknown = ""
	)
	before, wanted := fmt.Sprintf(steadyOn, 1), fmt.Sprintf(steadyOn, 2)
	three := strings.ReplaceAll(strings.ReplaceAll(wanted, `"desiredCount": 1`, `"desiredCount": 3`), `"runningCount": 1`, `"runningCount": 3`)
	alarmed := strings.Replace(wanted, `"deployments"`, `"deploymentConfiguration": {"alarms": {"enable": true, "alarmNames": ["slow"]}}, "deployments"`, 1)
	for name, test := range map[string]struct {
		answers []string
		fails   string
	}{
		"the earlier revision for a moment": {[]string{before, before, before, wanted}, ""},
		"the earlier revision for good":     {[]string{before}, "the service is not on f:2, but on f:1"},
		"no service for a moment":           {[]string{unknown, unknown, wanted}, ""},
		"no service for good":               {[]string{unknown}, "ECS has no such service any more"},
		"another count for a moment":        {[]string{three, three, wanted}, ""},
		"another count for good":            {[]string{three}, "services.web.replicas: ECS keeps 3 replicas, and the stage asks for 1"},
		"alarms for a moment":               {[]string{alarmed, wanted}, ""},
		"alarms for good":                   {[]string{alarmed}, "services.web.deployment.alarms: ECS still takes deployments back when one of these goes off: slow"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := follow(t, test.answers...)
			if test.fails == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, test.fails)
			}
		})
	}
}
