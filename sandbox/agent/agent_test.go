package agent

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecs"
)

func TestAnInitContainerRunsBeforeTheMainOneAndSharesItsVolume(t *testing.T) {
	f := newFake(t)
	arn := f.add(t, "1a2b3c4d5e6f", `[
		{"name": "web", "command": ["read=/data/schema", "until-term"], "mountPoints": [{"sourceVolume": "shared",
			"containerPath": "/data"}],
		 "dependsOn": [{"containerName": "init", "condition": "SUCCESS"}]},
		{"name": "init", "essential": false, "command": ["wait=300", "write=/data/schema:42", "print=migrated"],
		 "mountPoints": [{"sourceVolume": "shared", "containerPath": "/data"}]}]`)
	f.start(t)
	web := f.awaitReady(t, arn, "web")
	init := f.container(arn, "init")
	require.Equal(t, 0, *init.ExitCode)
	require.False(t, web.StartedAt.Before(*init.StoppedAt))
	require.Contains(t, f.onEngine(t), "slipway-web-3-web-1a2b3c4d-"+f.identity[:6])
	require.Contains(t, f.onEngine(t), "slipway-web-3-taskhost-1a2b3c4d-"+f.identity[:6])

	f.stop(arn)
	web = f.await(t, arn, "web", stopped)
	require.Equal(t, 0, *web.ExitCode)
	require.Equal(t, []string{"42", "ready", "terminated"}, f.lines("web"),
		"all lines are there once the container is reported STOPPED")
	require.Equal(t, []string{"migrated"}, f.lines("init"))

	f.forget(arn)
	f.eventually(t, func() bool {
		volumes, err := f.docker.VolumeList(t.Context(), client.VolumeListOptions{Filters: labelled(f.identity, "")})
		require.NoError(t, err)
		return len(f.onEngine(t))+len(volumes.Items) == 0
	}, "containers or volumes are left")
}

func TestAVolumeIsEmptyUnlessTheDockerfileSaysVolumeAtItsPath(t *testing.T) {
	f := newFake(t)
	f.image = f.withSeed(t, "VOLUME /volume")
	arn := f.add(t, "1a2b3c4d5e6f", `[
		{"name": "filled", "command": ["read=/volume/seed"], "mountPoints": [{"sourceVolume": "one",
			"containerPath": "/volume"}]},
		{"name": "empty", "command": ["read=/plain/seed"], "mountPoints": [{"sourceVolume": "two",
			"containerPath": "/plain"}]},
		{"name": "elsewhere", "command": ["read=/other/seed"], "mountPoints": [{"sourceVolume": "three",
			"containerPath": "/other"}],
		 "dependsOn": [{"containerName": "sub", "condition": "START"}]},
		{"name": "sub", "command": ["read=/volume/sub/seed"], "mountPoints": [{"sourceVolume": "four", "containerPath": "/volume/sub"}]}]`)
	f.change(arn, func(w *ecs.AgentTask) {
		for _, c := range w.Definition.Containers {
			c["essential"] = false
		}
	})
	f.start(t)
	for name, want := range map[string][]string{"filled": {"grown"},
		"empty":     {"open /plain/seed: no such file or directory"},
		"elsewhere": {"open /other/seed: no such file or directory"},
		"sub":       {"open /volume/sub/seed: no such file or directory"}} {
		f.await(t, arn, name, stopped)
		require.Equal(t, want, f.lines(name), name)
	}
}

func TestAVolumeInEFSOutlivesItsTaskAndIsSharedWithOthers(t *testing.T) {
	f := newFake(t)
	run := func(id, command string, volume ecs.EFSVolume) string {
		arn := f.add(t, id, `[{"name": "web", "command": ["`+command+`"], "mountPoints": [{"sourceVolume": "data",
			"containerPath": "/data"}]}]`)
		f.change(arn, func(w *ecs.AgentTask) { w.Definition.Volumes = []ecs.Volume{{Name: "data", EFS: &volume}} })
		return arn
	}
	files := ecs.EFSVolume{FileSystem: "fs-01234567", Root: "/"}
	writer := run("1a2b", "write=/data/file:kept", files)
	f.start(t)
	f.await(t, writer, "web", stopped)
	f.forget(writer)
	f.eventually(t, func() bool { return len(f.onEngine(t)) == 0 }, "containers are left")

	f.await(t, run("3c4d", "read=/data/file", files), "web", stopped)
	require.Equal(t, []string{"kept"}, f.lines("web"))
	files.Authorization = &ecs.EFSAuthorization{AccessPoint: "fsap-01234567"}
	f.await(t, run("5e6f", "read=/data/file", files), "web", stopped)
	require.Equal(t, []string{"kept", "open /data/file: no such file or directory"}, f.lines("web"), "another directory")

	require.NoError(t, Remove(t.Context(), f.docker, f.identity))
	volumes, err := f.docker.VolumeList(t.Context(), client.VolumeListOptions{Filters: labelled(f.identity, "")})
	require.NoError(t, err)
	require.Empty(t, volumes.Items)
}

func TestADependencyThatFailsStopsWhatWaitsForIt(t *testing.T) {
	f := newFake(t)
	arn := f.add(t, "1a2b", `[
		{"name": "web", "command": ["until-term"], "dependsOn": [{"containerName": "init", "condition": "SUCCESS"}]},
		{"name": "init", "essential": false, "command": ["print=no database", "exit=3"]}]`)
	f.start(t)
	web := f.await(t, arn, "web", stopped)
	require.Equal(t, 143, *web.ExitCode)
	require.Equal(t, "CannotStartContainerError: dependency graph: failed to resolve container ordering dependency "+
		"[init] for target [web] "+
		"as dependency did not exit successfully.", web.Reason)
	require.Equal(t, 3, *f.container(arn, "init").ExitCode)
	require.Equal(t, []string{"no database"}, f.lines("init"))
}

func TestHowContainersEnd(t *testing.T) {
	for sentence, c := range map[string]struct {
		definition, reason string
		exitCode           int
	}{
		"with its own exit code": {`"command": ["print=last words", "exit=7"]`, "", 7},
		"by a command not there": {`"entryPoint": ["/nothing"]`, "CannotStartContainerError: Error response from daemon: ",
			127},
		"by too much memory": {`"command": ["allocate=400"], "memory": 64`,
			"OutOfMemoryError: Container killed due to memory usage", 137},
		"by a user not there": {`"command": ["exit=0"], "user": "nobody"`,
			"CannotStartContainerError: Error response from daemon: ", 128},
		"on a read-only file":      {`"command": ["write=/file:text"], "readonlyRootFilesystem": true`, "", 99},
		"by a directory not there": {`"command": ["exit=0"], "workingDirectory": "/there"`, "", 0},
		"under an init process":    {`"command": ["exit=5"], "linuxParameters": {"initProcessEnabled": true}`, "", 5},
		"within its ulimits":       {`"command": ["exit=0"], "ulimits": [{"name": "nofile", "softLimit": 100, "hardLimit": 100}]`, "", 0},
	} {
		t.Run(sentence, func(t *testing.T) {
			f := newFake(t)
			arn := f.add(t, "1a2b", `[{"name": "web", `+c.definition+`}]`)
			f.start(t)
			web := f.await(t, arn, "web", stopped)
			t.Log(web.Reason)
			require.NotNil(t, web.ExitCode)
			require.Equal(t, c.exitCode, *web.ExitCode)
			require.True(t, strings.HasPrefix(web.Reason, c.reason))
			require.Equal(t, c.reason == "", web.Reason == "")
		})
	}
}

func TestAnImageThatIsNotThere(t *testing.T) {
	for _, image := range []string{"localhost:1/nothing:here", account.DefaultID +
		".dkr.ecr.ap-northeast-2.amazonaws.com/web:gone"} {
		t.Run(image, func(t *testing.T) {
			f := newFake(t)
			arn := f.add(t, "1a2b", `[{"name": "web", "image": "`+image+`"}, {"name": "log"}]`)
			f.start(t)
			web := f.await(t, arn, "web", stopped)
			require.Nil(t, web.ExitCode)
			require.True(t, strings.HasPrefix(web.Reason, "CannotPullContainerError: "), web.Reason)
			f.mu.Lock()
			defer f.mu.Unlock()
			require.Equal(t, "TaskFailedToStart", f.reports[arn].StopCode)
			require.Equal(t, web.Reason, f.reports[arn].StoppedReason)
		})
	}
}

func TestHealthChecks(t *testing.T) {
	f := newFake(t)
	const check = `"healthCheck": {"command": ["CMD", "/program", "exit=%d"], "interval": 1, "timeout": 2, "retries": 1}`
	arn := f.add(t, "1a2b", `[
		{"name": "good", "command": ["until-term"], `+fmt.Sprintf(check, 0)+`},
		{"name": "bad", "command": ["until-term"], `+fmt.Sprintf(check, 1)+`},
		{"name": "none", "command": ["until-term"], "healthCheck": {"command": ["NONE"]}},
		{"name": "after", "command": ["until-term"], "dependsOn": [{"containerName": "good", "condition": "HEALTHY"}]}]`)
	f.start(t)
	f.eventually(t, func() bool { return f.container(arn, "good").Health == "HEALTHY" }, "not healthy")
	f.eventually(t, func() bool { return f.container(arn, "bad").Health == "UNHEALTHY" }, "not unhealthy")
	require.Empty(t, f.container(arn, "none").Health)
	f.await(t, arn, "after", running)
}

func TestAContainerThatHasEndedIsNotUnhealthyForThat(t *testing.T) {
	f := newFake(t)
	arn := f.add(t, "1a2b", `[{"name": "web", "command": ["exit=2"],
		"healthCheck": {"command": ["CMD", "/program", "exit=0"], "interval": 30, "timeout": 2, "retries": 1}}]`)
	f.start(t)
	require.Equal(t, "UNKNOWN", f.await(t, arn, "web", stopped).Health)
}

func TestAContainerThatIgnoresSIGTERMIsKilledAfterItsStopTimeout(t *testing.T) {
	f := newFake(t)
	arn := f.add(t, "1a2b", `[
		{"name": "stubborn", "command": ["ignore-term"], "stopTimeout": 2, "dependsOn": [{"containerName": "below",
			"condition": "START"}]},
		{"name": "below", "command": ["until-term"]}]`)
	f.start(t)
	f.awaitReady(t, arn, "below")
	f.awaitReady(t, arn, "stubborn")
	begun := time.Now()
	f.stop(arn)
	below := f.await(t, arn, "below", stopped)
	stubborn := f.await(t, arn, "stubborn", stopped)
	require.Equal(t, 137, *stubborn.ExitCode)
	require.Equal(t, 0, *below.ExitCode)
	require.GreaterOrEqual(t, time.Since(begun), 2*time.Second)
	require.False(t, below.StoppedAt.Before(*stubborn.StoppedAt), "what others depend on stops after them")
}

func TestADependencyThatTakesTooLong(t *testing.T) {
	f := newFake(t)
	arn := f.add(t, "1a2b", `[
		{"name": "web", "command": ["until-term"], "dependsOn": [{"containerName": "init", "condition": "COMPLETE"}]},
		{"name": "init", "essential": false, "command": ["ignore-term"], "startTimeout": 1, "stopTimeout": 1}]`)
	f.start(t)
	web := f.await(t, arn, "web", stopped)
	require.Equal(t, "CannotStartContainerError: dependency graph: container ordering dependency [init] for target "+
		"[web] has timed out.", web.Reason)
}

func TestContainersOfATaskReachEachOtherAndTheMetadataEndpoint(t *testing.T) {
	f := newFake(t)
	arn := f.add(t, "1a2b", `[
		{"name": "web", "command": ["serve=:8080"], "portMappings": [{"containerPort": 8080, "protocol": "tcp"}]},
		{"name": "asks", "essential": false, "environment": [{"name": "GREETING", "value": "hello"}],
			"dockerLabels": {"commit": "c0ffee"},
		 "command": ["get=$ECS_CONTAINER_METADATA_URI_V4", "get=$ECS_CONTAINER_METADATA_URI_V4/task", "wait=500",
			"get=http://127.0.0.1:8080/status/200",
		             "env=GREETING", "env=PASSWORD", "env=AWS_EXECUTION_ENV"],
		 "dependsOn": [{"containerName": "web", "condition": "START"}]}]`)
	f.change(arn, func(w *ecs.AgentTask) {
		w.Secrets = map[string]map[string]string{"asks": {"PASSWORD": "s3cret"}}
		w.HealthChecks = []ecs.HealthCheck{
			{TargetGroupARN: "good", ContainerPort: 8080, Path: "/status/204", Matcher: "200-299",
				Interval: 100 * time.Millisecond,
				Timeout:  time.Second, Healthy: 2, Unhealthy: 2},
			{TargetGroupARN: "bad", ContainerPort: 8080, Path: "/status/503", Matcher: "200,202",
				Interval: 100 * time.Millisecond,
				Timeout:  time.Second, Healthy: 2, Unhealthy: 2}}
	})
	f.start(t)
	asks := f.await(t, arn, "asks", stopped)
	lines := f.lines("asks")
	require.Equal(t, 0, *asks.ExitCode, lines)
	require.Len(t, lines, 5, "the answer of the server is empty, and so left out")
	require.Contains(t, lines[0], `"Name":"asks"`)
	require.Contains(t, lines[0], `"Image":"`+f.image+`"`)
	require.Contains(t, lines[0], `"ImageID":"sha256:`)
	require.Contains(t, lines[0], `"commit":"c0ffee"`)
	require.Contains(t, lines[0], `"com.amazonaws.ecs.task-arn":"`+arn+`"`)
	require.Contains(t, lines[1], `"Cluster":"arn:aws:ecs:ap-northeast-2:`+account.DefaultID+`:cluster/main"`)
	require.Contains(t, lines[1], `"Limits":{"CPU":0.25,"Memory":512}`)
	require.Equal(t, []string{"hello", "s3cret", "AWS_ECS_FARGATE"}, lines[2:])

	web := f.container(arn, "web")
	require.Len(t, web.Ports, 1)
	require.Equal(t, "127.0.0.1", web.Ports[0].HostIP)
	require.Equal(t, 8080, web.Ports[0].ContainerPort)
	f.eventually(t, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.reports[arn].Targets) == 2
	}, "the target groups have not decided")
	targets := func() map[string]string {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.reports[arn].Targets
	}
	require.Equal(t, map[string]string{"good": "", "bad": "Health checks failed with these codes: [503]"}, targets())
	f.change(arn, func(w *ecs.AgentTask) {
		w.HealthChecks = slices.Clone(w.HealthChecks)
		w.HealthChecks[0].Path = "/status/500"
	})
	f.eventually(t, func() bool { return targets()["good"] == "Health checks failed with these codes: [500]" },
		"the changed path is not asked for")
}

func TestWhatTheAccountDoesNotWantIsRemoved(t *testing.T) {
	f := newFake(t)
	arn := f.add(t, "1a2b", `[{"name": "web", "command": ["ignore-term"]}]`)
	first := f.start(t)
	f.await(t, arn, "web", running)
	first.cancel()
	<-first.stopped
	require.Len(t, f.onEngine(t), 2, "containers run on when the agent ends")
	f.forget(arn)
	second := f.start(t)
	second.Settle()
	second.End()
	require.Empty(t, f.onEngine(t), "Settle waits until they are gone")
}

func TestAContainerThatSomebodyRemovesHasStopped(t *testing.T) {
	for name, late := range map[string]bool{"later": false, "before the account is looked at again": true} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			f.late = late
			arn := f.add(t, "1a2b", `[{"name": "web", "command": ["until-term"]}]`)
			f.start(t)
			web := f.await(t, arn, "web", running)
			require.NoError(t, removeContainer(t.Context(), f.docker, web.RuntimeID))
			web = f.await(t, arn, "web", stopped)
			if web.ExitCode == nil { // removing it kills it first, which the agent may have seen
				require.Equal(t, "The container is gone from the Docker engine", web.Reason)
			}
		})
	}
}
