package predeploy

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/internal/awsclient/awstest"
	"slipway/internal/taskrun"
)

func TestATaskTellsWhatItRunsFor(t *testing.T) {
	t.Parallel()
	const definition = "arn:aws:ecs:ap-northeast-2:123456789012:task-definition/shop-dev-migrate:7"
	run := &Run{Timeout: time.Minute}
	task := run.Task(map[string]string{"web": "arn:web:1", "api": "arn:api:3"}, taskrun.Task{TaskDefinition: definition})
	require.Regexp(t, "^slipway/before/[0-9a-f]{8}/shop-dev-migrate$", task.StartedBy)
	require.Equal(t, taskrun.Task{TaskDefinition: definition, Timeout: time.Minute, StartedBy: task.StartedBy}, task)
	require.NotEqual(t, task, run.Task(map[string]string{"web": "arn:web:2", "api": "arn:api:3"},
		taskrun.Task{TaskDefinition: definition}))
}

func TestATaskThatIAMKeptFromStartingIsStartedAgain(t *testing.T) {
	t.Parallel()
	for text, again := range map[string]bool{
		"starting a task of f:1: ClientException: ECS was unable to assume the role 'arn' that was provided for this task.": true,
		"the container migrate of the task abc was not started: ResourceInitializationError: unable to pull secrets or " +
			"registry auth: " +
			"execution resource retrieval failed: AccessDeniedException: User: arn is not authorized to perform: " +
			"secretsmanager:GetSecretValue": true,
		"the container migrate of the task abc was not started: ResourceInitializationError: unable to pull secrets or " +
			"registry auth: " +
			"there is a connection issue between the task and AWS Secrets Manager": false,
		"the container migrate of the task abc was not started: CannotPullContainerError: not found":                     false,
		"starting a task of f:1: AccessDeniedException: User: arn is not authorized to perform: ecs:RunTask on resource": false,
	} {
		require.Equal(t, again, refusedByIAM(errors.New(text)), text)
	}
}

func TestATaskWaitsForOthersOfItsFamily(t *testing.T) {
	t.Parallel()
	const (
		one     = `{"taskArns": ["arn:aws:ecs:r:1:task/shop-dev/0a1b2c"]}`
		running = `{"tasks": [{"taskArn": "arn:aws:ecs:r:1:task/shop-dev/0a1b2c", "lastStatus": "RUNNING"}]}`
		ended   = `{"tasks": [{"taskArn": "arn:aws:ecs:r:1:task/shop-dev/0a1b2c", "lastStatus": "STOPPED", "stopCode": "EssentialContainerExited",
			"startedBy": "%s", "taskDefinitionArn": "arn:f:3", "containers": [{"name": "migrate", "exitCode": %d}]}]}`
		ours = "slipway/before/0a1b2c3d/f"
	)
	for name, test := range map[string]struct {
		answers   map[string][]string
		succeeded string
		fails     string
	}{
		"there is none": {nil, "", ""},
		"one that ends, read through a bad network": {map[string][]string{
			"ListTasks":     {"200 <html>", "200 {}", "200 " + one, "200 " + one},
			"DescribeTasks": {"200 {}", "200 " + running, "503 busy", "200 " + fmt.Sprintf(ended, "slipway-run/jo", 0)},
		}, "", ""},
		"one that was run for the same, and has succeeded": {
			map[string][]string{"ListTasks": {"200 " + one}, "DescribeTasks": {"200 " + fmt.Sprintf(ended, ours, 0)}},
			"0a1b2c", "",
		},
		"one that was run for the same, and has failed": {
			map[string][]string{"ListTasks": {"200 " + one}, "DescribeTasks": {"200 " + fmt.Sprintf(ended, ours, 1)}}, "", "",
		},
		"one that was run for other revisions": {
			map[string][]string{"ListTasks": {"200 " + one},
				"DescribeTasks": {"200 " + fmt.Sprintf(ended, "slipway/before/99999999/f", 0)}}, "", "",
		},
		"one that does not end": {
			map[string][]string{"ListTasks": {"200 " + one}, "DescribeTasks": {"200 " + running}}, "",
			".timeout: the task 0a1b2c, which ran already, has not ended within 1s; `aws ecs stop-task --cluster shop-dev " +
				"--task 0a1b2c` stops it",
		},
		"nothing that can be read": {
			map[string][]string{"ListTasks": {"200 {}"}}, "",
			".timeout: whether such a task runs already could not be read from ECS within 1s: the answer lists nothing",
		},
		"denied": {map[string][]string{"ListTasks": {`400 {"__type": "AccessDeniedException"}`}}, "",
			": asking ECS whether such a task runs already: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := &Run{Account: awstest.Account(t, test.answers), Key: "tasks.migrate", Timeout: time.Minute,
				Say: func(string) error { return nil }}
			if strings.Contains(test.fails, "within 1s") {
				run.Timeout = time.Second
			}
			succeeded, err := run.awaitOthers(t.Context(), taskrun.Task{Cluster: "shop-dev", TaskDefinition: "arn:f:3",
				Container: "migrate", StartedBy: ours})
			if test.fails == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, test.fails)
			}
			require.Equal(t, test.succeeded, succeeded)
		})
	}
}

func TestWhatATaskIsRunForIsItsServicesRevisions(t *testing.T) {
	t.Parallel()
	a := trigger(map[string]string{"web": "arn:f:1", "api": "arn:g:1"})
	require.Len(t, a, 8)
	require.Equal(t, a, trigger(map[string]string{"api": "arn:g:1", "web": "arn:f:1"}))
	require.NotEqual(t, a, trigger(map[string]string{"api": "arn:g:1", "web": "arn:f:2"}))
	require.NotEqual(t, a, trigger(map[string]string{"web": "arn:f:1"}))
}
