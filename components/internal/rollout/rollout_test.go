package rollout

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	ecssdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/stretchr/testify/require"

	"slipway/internal/awsclient"
	"slipway/internal/ecsread"
)

// page is an answer that is none of ECS, or is a refusal: a status, and what the body says.
type page struct {
	status int
	body   string
}

// watchedBy is a rollout of which ECS gives these answers, one after the other, and the last one again and again:
// services, "" for no such service, or pages.
func watchedBy(t *testing.T, answers ...any) *Rollout {
	t.Helper()
	var reads atomic.Int32
	ecs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		if !strings.HasSuffix(request.Header.Get("X-Amz-Target"), ".DescribeServices") {
			fmt.Fprint(w, `{"taskArns": []}`)
			return
		}
		switch answer := answers[min(int(reads.Add(1)), len(answers))-1].(type) {
		case page:
			w.WriteHeader(answer.status)
			fmt.Fprint(w, answer.body)
		case string:
			if answer == "" {
				fmt.Fprint(w, `{"services": [], "failures": [{"arn": "arn:aws:ecs:r:1:service/c/web", "reason": "MISSING"}]}`)
				return
			}
			fmt.Fprintf(w, `{"services": [%s]}`, answer)
		}
	}))
	t.Cleanup(ecs.Close)
	client := ecssdk.New(ecssdk.Options{
		Region: "ap-northeast-2", BaseEndpoint: &ecs.URL, Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
		Retryer: awssdk.NopRetryer{},
	})
	one := 1
	reader := ecsread.NewReader(&lateAccount{clients: awsclient.Clients{ECS: client}}, "c")
	return &Rollout{reader: reader, Key: "services.web", Replicas: &one, Service: "arn:aws:ecs:r:1:service/c/web",
		TargetRevision: "f:2", Changed: true, Progress: func(string) {}}
}

// lateAccount gives its clients when it is asked again.
type lateAccount struct {
	clients awsclient.Clients
	asked   bool
}

func (a *lateAccount) Clients(context.Context) (*awsclient.Clients, error) {
	if !a.asked {
		a.asked = true
		return nil, errors.New("asking STS: no route to host")
	}
	return &a.clients, nil
}

// follow watches a service of which ECS gives these answers.
func follow(t *testing.T, answers ...any) error {
	t.Helper()
	return watchedBy(t, answers...).follow(t.Context())
}

const steadyOn = `{"serviceName": "web", "serviceArn": "arn:web", "status": "ACTIVE", "desiredCount": 1,
	"runningCount": 1, "deployments": [
	{"id": "d", "status": "PRIMARY", "taskDefinition": "f:%d", "rolloutState": "COMPLETED", "runningCount": 1}]}`

func TestOnlyARefusalEndsTheWatchOfARollout(t *testing.T) {
	t.Parallel()
	wanted := fmt.Sprintf(steadyOn, 2)
	throttled := page{400, `{"__type": "ThrottlingException", "message": "Rate exceeded"}`}
	for name, answers := range map[string][]any{
		"a proxy's page":     {page{200, "<html>Sign in</html>"}, page{403, "<html>Forbidden</html>"}, wanted},
		"a body that is cut": {page{200, wanted[:20]}, wanted},
		"an empty body":      {page{200, ""}, page{200, "{}"}, wanted},
		"an expired token": {page{400, `{"__type": "ExpiredTokenException"}`},
			page{400, `{"__type": "UnrecognizedClientException"}`}, wanted},
		"throttles in a row": {throttled, throttled, throttled, throttled, throttled, wanted},
		"a failure of AWS":   {page{500, `{"__type": "ServerException"}`}, page{503, "busy"}, wanted},
		"in between":         {wanted, page{502, "<html>"}, wanted, page{502, "<html>"}, wanted},
		"who knows what":     {page{418, `{"error": "teapot"}`}, wanted},
		"another's answer":   {strings.Replace(wanted, `"web"`, `"api"`, 1), wanted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, follow(t, answers...))
		})
	}
	for name, test := range map[string]struct {
		answer page
		want   string
	}{
		"denied": {page{400, `{"__type": "AccessDeniedException", "message": "not authorized"}`},
			"AccessDeniedException: not authorized"},
		"no cluster": {page{400, `{"__type": "ClusterNotFoundException"}`}, "ClusterNotFoundException"},
		"denied, in the list of failures": {
			page{200, `{"services": [], "failures": [{"arn": "arn:aws:ecs:r:1:service/c/web", "reason": "ACCESS_DENIED", ` +
				`"detail": "no"}]}`},
			"ACCESS_DENIED: no",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := follow(t, fmt.Sprintf(steadyOn, 1), test.answer)
			require.ErrorContains(t, err, "services.web: the deployment of f:2 may go on, and cannot be watched: ")
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestTheLimitOfARolloutHoldsThoughNothingIsRead(t *testing.T) {
	t.Parallel()
	rollout := watchedBy(t, page{503, "busy"})
	rollout.ExtraTime = 2*time.Second - usualLimit
	err := rollout.follow(t.Context())
	require.ErrorContains(t, err,
		"services.web: f:2 is not steady after 2s and ECS has not given up on it: it cannot be read now")
	require.ErrorContains(t, err, "StatusCode: 503")
}

func TestAnswersFromBeforeTheUpdateAreNoVerdict(t *testing.T) {
	t.Parallel()
	const unknown = ""
	before, wanted := fmt.Sprintf(steadyOn, 1), fmt.Sprintf(steadyOn, 2)
	three := strings.ReplaceAll(strings.ReplaceAll(wanted, `"desiredCount": 1`, `"desiredCount": 3`), `"runningCount": 1`,
		`"runningCount": 3`)
	alarmed := strings.Replace(wanted, `"deployments"`,
		`"deploymentConfiguration": {"alarms": {"enable": true, "alarmNames": ["slow"]}}, "deployments"`, 1)
	for name, test := range map[string]struct {
		answers []any
		fails   string
	}{
		"the earlier revision for a moment": {[]any{before, before, before, wanted}, ""},
		"the earlier revision for good":     {[]any{before}, "the service is not on f:2, but on f:1"},
		"no service for a moment":           {[]any{unknown, unknown, wanted}, ""},
		"no service for good":               {[]any{unknown}, "ECS has no such service any more"},
		"another count for a moment":        {[]any{three, three, wanted}, ""},
		"another count for good": {[]any{three},
			"services.web.replicas: ECS keeps 3 replicas, and the stage asks for 1"},
		"alarms for a moment": {[]any{alarmed, wanted}, ""},
		"alarms for good": {[]any{alarmed},
			"services.web.deployment.alarms: ECS still takes deployments back when one of these goes off: slow"},
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
