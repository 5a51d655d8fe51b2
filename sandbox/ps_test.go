package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecs"
	"slipway/sandbox/account/elb"
	"slipway/sandbox/account/iam"
	"slipway/sandbox/account/logs"
	"slipway/sandbox/account/vpc"
)

// called is what a command of the sandbox prints.
func called(t *testing.T, args ...string) string {
	t.Helper()
	var out, problems bytes.Buffer
	require.Zero(t, run(args, &out, &problems), problems.String())
	return out.String()
}

// served is an account with the service web, of which an engine runs one task, and the task migrate, which has ended.
func served(t *testing.T) (dir string, a *account.Account) {
	t.Helper()
	dir = t.TempDir()
	a, err := account.Open(dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	const region = "eu-central-1"
	require.NoError(t, ecs.SetAgentConnected(a, true))
	require.NoError(t, a.CreateObject(ecs.Cluster, "shop",
		account.Object{"arn": account.ARN(account.DefaultID, "ecs", region, "cluster/shop")}, nil))
	require.NoError(t, a.CreateObject(logs.LogGroup, "/shop", account.Object{}, nil))
	require.NoError(t, a.CreateObject(iam.Role, "execution", account.Object{"name": "execution",
		"assumeRolePolicy": `{"Principal":{"Service":"ecs-tasks.amazonaws.com"}}`}, nil))
	require.NoError(t, a.CreateObject(iam.RolePolicy, "execution:logs", account.Object{"role": "execution",
		"policy": `{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`}, nil))
	for _, family := range []string{"shop-web", "shop-migrate"} {
		containers, err := ecs.ParseContainers(`[{"name": "main", "image": "nginx", "portMappings": [{"containerPort": 80}],
			"logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/shop", "awslogs-region": "r",
				"awslogs-stream-prefix": "` + family + `"}}}]`)
		require.NoError(t, err)
		_, err = ecs.RegisterTaskDefinition(a, region, ecs.TaskDefinition{Family: family, CPU: "256", Memory: "512",
			NetworkMode:             "awsvpc",
			RequiresCompatibilities: []string{"FARGATE"}, Containers: containers,
			ExecutionRoleARN: "arn:aws:iam::123456789012:role/execution"})
		require.NoError(t, err)
	}
	network := ecs.Network{Subnets: []string{vpc.Subnets[0].ID}, AssignPublicIP: true}
	_, err = ecs.CreateService(a, "shop", "web", "shop-web", ecs.ServiceSettings{DesiredCount: 1,
		MinimumHealthyPercent: 100, MaximumPercent: 200,
		Subnets: network.Subnets, AssignPublicIP: true})
	require.NoError(t, err)
	_, err = ecs.RunTask(a, ecs.RunTaskRequest{Cluster: "shop", TaskDefinition: "shop-migrate", Count: 1,
		LaunchType: "FARGATE", Network: &network,
		StartedBy: "me"})
	require.NoError(t, err)
	var work []ecs.AgentTask
	require.Eventually(t, func() bool {
		work, err = ecs.Agent{Account: a}.AgentTasks()
		require.NoError(t, err)
		return len(work) == 2
	}, 10*time.Second, 20*time.Millisecond)
	for _, w := range work {
		state := ecs.ContainerState{Name: "main", RuntimeID: "1", LastStatus: "RUNNING",
			Ports: []ecs.Port{{ContainerPort: 80, HostIP: "127.0.0.1", HostPort: 32768}}}
		if w.Task.Run != nil {
			code := 3
			state.LastStatus, state.ExitCode, state.Ports = "STOPPED", &code, nil
		}
		require.NoError(t, ecs.Agent{Account: a}.SubmitTaskStateChange(w.Task.ARN,
			ecs.TaskStateChange{Containers: []ecs.ContainerState{state}}))
		stream := w.Definition.Containers[0].LogStream(w.Task.ID())
		require.NoError(t, logs.CreateLogStream(a, "/shop", stream))
	}
	return dir, a
}

func TestWhereServicesAnswerAndWhatRanOnce(t *testing.T) {
	t.Parallel()
	dir, _ := served(t)
	table := strings.Split(called(t, "--dir", dir, "ps"), "\n")
	require.Regexp(t, `^CLUSTER +SERVICE +REVISION +DESIRED +RUNNING +IMAGE +ADDRESS$`, table[0])
	require.Regexp(t, `^shop +web +shop-web:1 +1 +. +nginx +http://127.0.0.1:32768$`, table[1])
	require.Empty(t, table[2])
	require.Regexp(t, `^CLUSTER +TASK +REVISION +STARTED BY +STATUS +EXIT CODES +STARTED +REASON$`, table[3])
	require.Regexp(t, `^shop +[0-9a-f]{32} +shop-migrate:1 +me +STOPPED +main=3 +..:..:.. +Essential container in task `+
		`exited$`, table[4])

	var all struct {
		Services []shownService
		Tasks    []shownTask
	}
	require.NoError(t, json.Unmarshal([]byte(called(t, "--dir", dir, "ps", "--json")), &all))
	require.Equal(t, "nginx", all.Services[0].Image)
	task := all.Services[0].Tasks[0]
	require.Equal(t, []any{"shop-web", 1, "RUNNING", "http://127.0.0.1:32768"},
		[]any{task.Family, task.Revision, task.LastStatus, task.Address})
	require.Equal(t, []shownContainer{{Name: "main", LastStatus: "RUNNING",
		Ports: []ecs.Port{{ContainerPort: 80, HostIP: "127.0.0.1", HostPort: 32768}}}}, task.Containers)
	require.Equal(t, []any{"shop-migrate", "STOPPED", ""}, []any{all.Tasks[0].Family, all.Tasks[0].LastStatus,
		all.Tasks[0].Address})
	require.Equal(t, 3, *all.Tasks[0].Containers[0].ExitCode)
}

func TestLogsOfServicesFamiliesAndTasks(t *testing.T) {
	t.Parallel()
	dir, a := served(t)
	tasks, err := ecs.Tasks(a, "")
	require.NoError(t, err)
	web, migrate := "shop-web/main/"+tasks[0].ID(), "shop-migrate/main/"+tasks[1].ID()
	put := func(stream, message string, at int64) {
		require.NoError(t, logs.PutLogEvents(a, "/shop", stream, []logs.LogEvent{{Timestamp: at, Message: message}}))
	}
	put(web, "second\n", 2000)
	put(migrate, "third", 3000)
	put(migrate, "first", 1000)
	lines := func(args ...string) (messages []string) {
		for line := range strings.Lines(called(t, append([]string{"--dir", dir, "logs"}, args...)...)) {
			messages = append(messages, strings.Fields(line)[2])
		}
		return messages
	}
	require.Equal(t, "1970-01-01T00:00:02.000Z  "+web+"  second\n", called(t, "--dir", dir, "logs", "web"))
	require.Equal(t, []string{"first", "second", "third"}, lines())
	require.Equal(t, []string{"first", "third"}, lines("shop-migrate"))
	require.Equal(t, []string{"second"}, lines(tasks[0].ID()[:8]))
	var out, problems bytes.Buffer
	require.Equal(t, 1, run([]string{"--dir", dir, "logs", "db"}, &out, &problems))
	require.Contains(t, problems.String(), `there is no service, family or task "db" in the account`)
}

func TestLogsAreFollowed(t *testing.T) {
	t.Parallel()
	_, a := served(t)
	tasks, err := ecs.Tasks(a, "")
	require.NoError(t, err)
	stream := "shop-web/main/" + tasks[0].ID()
	put := func(message string, at int64) {
		require.NoError(t, logs.PutLogEvents(a, "/shop", stream, []logs.LogEvent{{Timestamp: at, Message: message}}))
	}
	put("before", 2000)
	ctx, stop := context.WithCancel(t.Context())
	printed, out := io.Pipe()
	ended := make(chan error, 1)
	wanted, err := logsOf(a, "web")
	require.NoError(t, err)
	go func() {
		ended <- printLogs(ctx, out, a, wanted, true)
		_ = out.Close()
	}()
	lines := bufio.NewReader(printed)
	next := func() string {
		line, err := lines.ReadString('\n')
		require.NoError(t, err)
		return line
	}
	require.Equal(t, "1970-01-01T00:00:02.000Z  "+stream+"  before\n", next())
	put("late", 1000)
	require.Equal(t, "1970-01-01T00:00:01.000Z  "+stream+"  late\n", next())
	stop()
	rest, err := io.ReadAll(lines)
	require.NoError(t, err)
	require.Empty(t, rest, "each is printed once")
	require.NoError(t, <-ended)
}

func TestWhereLoadBalancersAnswer(t *testing.T) {
	t.Parallel()
	dir, a := served(t)
	balancer := account.ARN(account.DefaultID, "elasticloadbalancing", "eu-central-1", "loadbalancer/app/shop/1")
	listener := strings.Replace(balancer, ":loadbalancer/", ":listener/", 1) + "/2"
	require.NoError(t, a.CreateObject(elb.LoadBalancer, "1", account.Object{"arn": balancer, "name": "shop",
		"subnets": []any{vpc.Subnets[0].ID, vpc.Subnets[1].ID}}, nil))
	require.NoError(t, a.CreateObject(elb.Listener, "2", account.Object{"arn": listener, "loadBalancerArn": balancer,
		"port": 443.0, "protocol": "HTTPS",
		"certificateArn": "arn:aws:acm:eu-central-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"}, nil))
	require.NoError(t, a.CreateObject(elb.ListenerRule, "3", account.Object{"arn": "rule/3", "listenerArn": listener,
		"priority": 1.0, "conditions": []any{map[string]any{"hostHeader": map[string]any{
			"values": []any{"shop.example.com", "*.example.com"}}}}}, nil))
	require.NotContains(t, called(t, "--dir", dir, "ps"), "LOAD BALANCER", "it does not answer yet")
	live, err := ecs.Listeners(a)
	require.NoError(t, err)
	require.NoError(t, elb.KeepLocalPort(a, live[0], 20443))

	table := strings.Split(called(t, "--dir", dir, "ps"), "\n")
	require.Regexp(t, `^LOAD BALANCER +LISTENER +ADDRESS$`, table[3])
	require.Regexp(t, `^shop +HTTPS:443 +https://127.0.0.1:20443 https://shop.example.com.localhost:20443$`, table[4])
	require.Contains(t, table, "HTTPS is signed by "+dir+"/ca.pem: curl --cacert "+dir+"/ca.pem, or trust it in a browser")
	var all struct{ Listeners []shownListener }
	require.NoError(t, json.Unmarshal([]byte(called(t, "--dir", dir, "ps", "--json")), &all))
	require.Equal(t, []shownListener{{Account: account.DefaultID, LoadBalancer: "shop", Protocol: "HTTPS", Port: 443,
		Address: "https://127.0.0.1:20443", Hosts: []string{"https://shop.example.com.localhost:20443"}}}, all.Listeners)

	require.NoError(t, ecs.SetAgentConnected(a, false))
	require.NotContains(t, called(t, "--dir", dir, "ps"), "LOAD BALANCER", "without an engine nothing listens")
}
