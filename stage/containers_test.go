package stage

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/internal/awslimits"
)

// beside is a sound stage but for what stands in its service and the containers beside the main one.
func beside(containers string, lines ...string) string {
	return oneService("      " + strings.Join(append(lines, "containers: "+containers), "\n      "))
}

// sidecars are as many containers beside the main one.
func sidecars(count int) string {
	all := make([]string, count)
	for i := range all {
		all[i] = fmt.Sprintf("c%d: {image: web, cpu: 1}", i)
	}
	return "{" + strings.Join(all, ", ") + "}"
}

func TestMistakesInContainers(t *testing.T) {
	t.Parallel()
	const own = "services.web.containers.proxy"
	for name, test := range map[string]struct {
		stage, path string
		says        []string
	}{
		// names and numbers
		"containers that are a list": {
			beside("[proxy]"), "services.web.containers", []string{"is a list; it must be an object"}},
		"an unknown key of a container": {
			beside("{proxy: {image: web, port: 80}}"), own + ".port", []string{"there is no such key", "essential"}},
		"a container's name that ECS refuses": {
			beside("{my.proxy: {image: web}}"), `services.web.containers["my.proxy"]`,
			[]string{"cannot name a container in ECS; use up to 255 letters, digits, - and _"}},
		"the main container's name": {
			beside("{web: {image: web}}"), "services.web.containers.web",
			[]string{"is the name of the main container, whose keys stand in services.web; use another name"}},
		"ten beside the main one": {
			beside(sidecars(10)), "services.web.containers",
			[]string{"has 10 containers; ECS takes 10 in a task, and so 9 beside the main one"}},

		// images
		"a container without an image": {
			beside("{proxy: {cpu: 1}}"), own + ".image",
			[]string{"is missing; write the reference of an image, with its digest, or name one of: web"}},
		"an image that is not declared": {
			beside("{proxy: {image: wbe}}"), own + ".image",
			[]string{`names "wbe", which is not declared, and as a reference has neither tag nor digest; declare images.wbe`,
				"or write <registry>/<repository>:<tag>@sha256:<64 hexadecimal digits>, or name one of: web"}},
		"a repository without a tag": {
			beside("{proxy: {image: public.ecr.aws/nginx/nginx}}"), own + ".image",
			[]string{"as a reference has neither tag nor digest"}},
		"a tag that may move": {
			beside("{proxy: {image: 'public.ecr.aws/nginx/nginx:1'}}"), own + ".image",
			[]string{"has no digest, so what it runs could change; `slipway pin dev` looks it up and writes it"}},
		"what is no reference": {
			beside("{proxy: {image: 'Web Image:1'}}"), own + ".image",
			[]string{`is "Web Image:1", which is no reference to an image`}},
		"an image of another platform": {
			strings.Replace(beside("{proxy: {image: arm}}"), "slipway:images: {",
				"slipway:images: {arm: {ref: '"+pinned+"', platform: linux/arm64}, ", 1), own + ".image",
			[]string{"is arm, for linux/arm64, and the main container's image, web, is for linux/amd64; a task runs on one " +
				"platform"}},

		// shares
		"no CPU left": {
			beside("{proxy: {image: web, cpu: 256}}"), "services.web.containers",
			[]string{"have 256 CPU units together, and the task has 256, of which the main container needs some; lower their " +
				"cpu, or raise services.web.cpu"}},
		"no CPU": {
			beside("{proxy: {image: web, cpu: 0}}"), own + ".cpu", []string{"is 0; allowed: 1 to 32768"}},
		"no memory left": {
			beside("{proxy: {image: web, memory: 500}, agent: {image: web, memory: 12}}"), "services.web.containers",
			[]string{"may use 512 MiB together, and the task has 512"}},
		"less memory than Docker takes": {
			beside("{proxy: {image: web, memory: 5}}"), own + ".memory", []string{"is 5; allowed: 6 to 249856, or remove it"}},

		// what any container may have
		"an empty part of the entry point": {
			oneService("      entryPoint: ['']"), "services.web.entryPoint[0]",
			[]string{"is empty; write an argument, or remove it"}},
		"an empty argument of a container": {
			beside("{proxy: {image: web, command: [a, '']}}"), own + ".command[1]", []string{"is empty"}},
		"a variable that Fargate sets": {
			beside("{proxy: {image: web, environment: {AWS_EXECUTION_ENV: x}}}"), own + ".environment.AWS_EXECUTION_ENV",
			[]string{"Fargate sets itself"}},
		"a number among the variables": {
			beside("{proxy: {image: web, environment: {PORT: 80}}}"), own + ".environment.PORT",
			[]string{`write "80" in quotes`}},
		"a secret that is not declared": {
			beside("{proxy: {image: web, secrets: [TOKEN]}}"), own + ".secrets[0]",
			[]string{"is not the name of a secret", "one of: DATABASE_URL"}},
		"a secret that is a variable, too": {
			beside("{proxy: {image: web, secrets: [DATABASE_URL], environment: {DATABASE_URL: x}}}"), own + ".secrets[0]",
			[]string{"is a variable in services.web.containers.proxy.environment too"}},
		"a health check without a command": {
			beside("{proxy: {image: web, healthCheck: {interval: 5}}}"), own + ".healthCheck.command", []string{"is missing"}},
		"a stop of three minutes": {
			beside("{proxy: {image: web, stopTimeout: 180}}"), own + ".stopTimeout", []string{"is 180; allowed: 2 to 120"}},
		"a user with a path": {
			oneService("      user: /app"), "services.web.user",
			[]string{`is "/app"; write "user", "uid", "user:group" or "uid:gid", as in "65532:65532"`}},
		"a user that is a number": {
			oneService("      user: 65532"), "services.web.user", []string{`write "65532" in quotes`}},
		"an empty user": {
			oneService("      user: ''"), "services.web.user", []string{`is ""`}},
		"a user of three": {
			beside("{proxy: {image: web, user: 'a:b:c'}}"), own + ".user", []string{`is "a:b:c"`}},
		"sessions in files that nobody can write": {
			oneService("      exec: true\n      readonlyRootFilesystem: true"), "services.web.readonlyRootFilesystem",
			[]string{"cannot be combined with exec, whose sessions write to the container's files; remove one of them"}},

		// volumes
		"a volume's name that ECS refuses": {
			oneService("      mounts: {my.data: {path: /data}}"), `services.web.mounts["my.data"]`,
			[]string{"cannot name a volume in ECS"}},
		"a volume without a path": {
			oneService("      mounts: {data: {readOnly: true}}"), "services.web.mounts.data.path",
			[]string{"is missing; write where the container sees the volume, as in /var/data"}},
		"a relative path": {
			oneService("      mounts: {data: {path: data}}"), "services.web.mounts.data.path",
			[]string{`is "data"; write an absolute path`}},
		"a path with more than it needs": {
			oneService("      mounts: {data: {path: /var//data/}}"), "services.web.mounts.data.path",
			[]string{`is "/var//data/"; write it as /var/data`}},
		"all files": {
			oneService("      mounts: {data: {path: /}}"), "services.web.mounts.data.path",
			[]string{"is /, the whole of the container's files"}},
		"two volumes at one path": {
			beside("{proxy: {image: web, mounts: {a: {path: /data}, b: {path: /data}}}}"), own + ".mounts.b.path",
			[]string{"is /data, where the container sees the volume a already; write another path"}},
		"a path where an object belongs": {
			oneService("      mounts: {data: /var/data}"), "services.web.mounts.data", []string{"it must be an object"}},

		// limits
		"a limit that ECS does not know": {
			oneService("      ulimits: {files: {soft: 1, hard: 1}}"), "services.web.ulimits.files",
			[]string{"is not a ulimit that ECS supports; allowed: core, cpu", "nofile"}},
		"a limit without its end": {
			oneService("      ulimits: {nofile: {soft: 1}}"), "services.web.ulimits.nofile.hard",
			[]string{"is missing; write soft and hard, as in {soft: 65535, hard: 65535}"}},
		"more than the most": {
			beside("{proxy: {image: web, ulimits: {nofile: {soft: 2, hard: 1}}}}"), own + ".ulimits.nofile.soft",
			[]string{"is 2, more than hard, which is 1; lower soft, or raise hard"}},
		"a limit below nothing": {
			oneService("      ulimits: {nofile: {soft: -1, hard: 1}}"), "services.web.ulimits.nofile.soft",
			[]string{"is -1, more than hard, which is 1", "-1 is no limit"}},
		"a limit below none": {
			oneService("      ulimits: {nofile: {soft: -2, hard: 1}}"), "services.web.ulimits.nofile.soft",
			[]string{"is -2; allowed: -1 to 2147483647"}},

		// dependencies
		"a condition that ECS does not know": {
			beside("{proxy: {image: web}}", "dependsOn: {proxy: STARTED}"), "services.web.dependsOn.proxy",
			[]string{`is "STARTED"; allowed: START, HEALTHY, COMPLETE, SUCCESS`}},
		"a container that is not there": {
			beside("{proxy: {image: web}}", "dependsOn: {prxy: START}"), "services.web.dependsOn.prxy",
			[]string{"names no container of the task; declare it in containers, or name one of: proxy"}},
		"itself": {
			beside("{proxy: {image: web, dependsOn: {proxy: START}}}"), own + ".dependsOn.proxy",
			[]string{"is the container itself"}},
		"the health of one that has no check": {
			beside("{proxy: {image: web}}", "dependsOn: {proxy: HEALTHY}"), "services.web.dependsOn.proxy",
			[]string{"waits until proxy is healthy, which has no healthCheck; write one there, or START here"}},
		"the success of an essential one": {
			beside("{proxy: {image: web}}", "dependsOn: {proxy: SUCCESS}"), "services.web.dependsOn.proxy",
			[]string{"waits for the end of proxy, which is essential, so that the task ends with it; write essential: false there"}},
		"the end of an essential one": {
			beside("{proxy: {image: web, essential: true}}", "dependsOn: {proxy: COMPLETE}"), "services.web.dependsOn.proxy",
			[]string{"write essential: false there"}},
		"the end of the main one": {
			beside("{proxy: {image: web, dependsOn: {web: COMPLETE}}}"), own + ".dependsOn.web",
			[]string{"waits for the end of web, the main container, which is that of the task; write START or HEALTHY"}},
		"a circle": {
			beside("{a: {image: web, dependsOn: {b: START}}, b: {image: web, dependsOn: {c: START}}, c: {image: web, "+
				"dependsOn: {a: START}}}", "dependsOn: {a: START}"),
			"services.web.containers.a.dependsOn.b",
			[]string{"makes containers wait for each other: a → b → c → a; remove one of these dependencies"}},
		"a circle with the main one": {
			beside("{proxy: {image: web, dependsOn: {web: START}}}", "dependsOn: {proxy: START}"), own + ".dependsOn.web",
			[]string{"proxy → web → proxy"}},

		// build arguments
		"an argument named as a variable of a container": {
			built("        context: app\n        args: {LEVEL: x}") +
				"\n  slipway:tasks: {job: {image: web, containers: {beside: {image: web, environment: {LEVEL: x}}}}}",
			"images.web.build.args.LEVEL", []string{"a variable in tasks.job.containers.beside.environment"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadFiles(t, "dev", "", test.stage)
			requireMistake(t, err, test.path, "Pulumi.dev.yaml", test.says...)
		})
	}
}

func TestGoodContainers(t *testing.T) {
	t.Parallel()
	for name, stage := range map[string]string{
		"as many as a task has":       beside(sidecars(9)),
		"a reference in short":        beside("{proxy: {image: 'nginx:1.27@" + digest + "'}}"),
		"a reference with a digest":   beside("{proxy: {image: 'public.ecr.aws/nginx/nginx@" + digest + "'}}"),
		"the smallest main container": beside("{proxy: {image: web, cpu: 255, memory: 511}}"),
		"one that prepares":           beside("{prepare: {image: web, essential: false}}", "dependsOn: {prepare: SUCCESS}"),
		"one that waits for health": beside("{proxy: {image: web, dependsOn: {web: HEALTHY}}}",
			"healthCheck: {command: [CMD, /app]}"),
		"a chain and a diamond": beside("{a: {image: web, essential: false, dependsOn: {b: START, c: COMPLETE}}, b: "+
			"{image: web, dependsOn: {d: START}}, "+
			"c: {image: web, essential: false, dependsOn: {d: START}}, d: {image: web}}", "dependsOn: {a: COMPLETE, d: START}"),
		"a volume for two": beside("{proxy: {image: web, mounts: {data: {path: /a}}}}",
			"mounts: {data: {path: /b, readOnly: true}, more: {path: /b/c}}"),
		"a user by name, with its group": oneService("      user: 'www-data:www.data_1'"),
		"no limits":                      oneService("      ulimits: {memlock: {soft: -1, hard: -1}, core: {soft: 1, hard: -1}}"),
		"variables with dots and dashes": oneService("      environment: {discovery.type: x, a-b: x, 1st: x, 'Log:Level': x}"),
		"limits at their ends": oneService("      ulimits: {nofile: {soft: 65535, hard: 65535}, core: {soft: 0, " +
			"hard: 0}}"),
		"files that only a container beside the main one cannot write": beside("{proxy: {image: web, "+
			"readonlyRootFilesystem: true}}", "exec: true"),
		"a secret in two containers": beside("{proxy: {image: web, secrets: "+
			"[DATABASE_URL]}}", "secrets: [DATABASE_URL]"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadFiles(t, "dev", "", stage)
			require.NoError(t, err)
		})
	}
}

func TestTheDefaultsMayHaveAContainer(t *testing.T) {
	t.Parallel()
	const shared = "config: {'slipway:defaults': {value: {services: {web: {containers: {proxy: {image: 'nginx@" + digest + "', cpu: " +
		"%d}}}}}}}"
	got, err := loadFiles(t, "dev", fmt.Sprintf(shared, 64), beside("{proxy: {memory: 64, environment: {A: 'x'}}}"))
	require.NoError(t, err)
	proxy := got.Services["web"].Containers["proxy"]
	require.Equal(t, []any{"nginx@" + digest, 64, 64, true, map[string]string{"A": "x"}},
		[]any{proxy.Image, proxy.CPU, proxy.Memory, proxy.Essential, proxy.Environment})
	require.Equal(t, 192, got.Services["web"].MainCPU())

	_, err = loadFiles(t, "dev", fmt.Sprintf(shared, 256), oneService(""))
	requireMistake(t, err, "defaults.services.web.containers", "Pulumi.yaml", "have 256 CPU units together")
}

func TestTheEncryptedValuesOfAllContainersAreOneSecret(t *testing.T) {
	t.Parallel()
	value := strings.Repeat("x", awslimits.SecretSize/2)
	stage := func(first, second string) string {
		return "config:\n  slipway:images: {web: {ref: '" + pinned + "'}}\n  slipway:secrets: {A: {secure: '" + value +
			"'}, B: {secure: '" + value + "'}}\n" +
			"  slipway:services: {web: {image: web, secrets: [" + first + "], containers: {proxy: {image: web, secrets: [" +
			second + "]}}}}\n"
	}
	_, err := loadFiles(t, "dev", "", stage("A", "B"))
	requireMistake(t, err, "services.web.secrets", "Pulumi.dev.yaml", "bytes together, and Secrets Manager takes 65536")
	got, err := loadFiles(t, "dev", "", stage("A", "A"))
	require.NoError(t, err)
	require.Len(t, got.Services["web"].AllSecrets(), 1)
}

func TestWhatATaskDefinitionHasAltogether(t *testing.T) {
	t.Parallel()
	got, err := loadFiles(t, "dev", "",
		beside("{b: {image: 'nginx:1@"+digest+"', mounts: {x: {path: /x}}}, a: {image: web, mounts: {y: {path: /y}, x: {path: /x}}}}",
			"mounts: {z: {path: /z}}"))
	require.NoError(t, err)
	web := got.TaskDefinition("web")
	require.Equal(t, []string{"web", "web", "nginx:1@" + digest}, web.AllImages())
	require.Equal(t, []string{"x", "y", "z"}, web.MountedVolumes())
	require.Len(t, web.AllContainers("web"), 3)
}

func TestACircleIsSaidBesideOtherMistakes(t *testing.T) {
	t.Parallel()
	_, err := loadFiles(t, "dev", "",
		beside("{a: {image: web, dependsOn: {b: START}}, b: {image: web, dependsOn: {a: COMPLETE, b: START}}}"))
	require.ErrorContains(t, err, "a → b → a")
	require.ErrorContains(t, err, "write essential: false there")
	require.ErrorContains(t, err, "is the container itself")
}
