package stage

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"slipway/internal/pulumiconfig"
	"slipway/internal/spelling"
)

func TestSuggestions(t *testing.T) {
	t.Parallel()
	service, task, image := reflect.TypeFor[Service](), reflect.TypeFor[Task](), reflect.TypeFor[imageDocument]()
	for _, c := range []struct {
		here       reflect.Type
		key, meant string
	}{
		// slips of the pen: the shorter the name, the fewer letters
		{service, "prot", "port"}, {service, "spot", "capacity.spot"}, {service, "sport", "port"},
		{service, "enviroment", "environment"},
		{service, "replcas", "replicas"},
		{service, "exce", "exec"}, {service, "rote", "route"}, {service, "cpi", "cpu"}, {service, "gpu", "cpu"},
		{service, "init_", "init"},
		{service, "capacityProviders", ""}, {service, "platformVersion", ""}, {service, "launchType", ""}, {service, "x", ""},
		{service, "dog", ""},
		// other spellings
		{service, "read_only_root_filesystem", "readonlyRootFilesystem"}, {service, "health-check", "healthCheck"},
		{service, "Depends_On", "dependsOn"},
		// other tools' words
		{service, "desiredCount", "replicas"}, {service, "desired_count", "replicas"}, {service, "count", "replicas"},
		{service, "env", "environment"},
		{service, "environmentVariables", "environment"}, {service, "variables", "environment"},
		{service, "memoryLimitMiB", "memory"},
		{service, "memoryReservation", "memory"}, {service, "containerPort", "port"}, {service, "portMappings", "ports"},
		{service, "storage", "ephemeralStorage"}, {service, "taskRole", "permissions"},
		{service, "taskRoleArn", "permissions"}, {service, "hostname", "route.hosts"}, {service, "domain", "route.hosts"},
		{service, "healthCheckGracePeriodSeconds", "route.gracePeriod"}, {service, "sidecars", "containers"},
		{service, "enableExecuteCommand", "exec"},
		{service, "deregistrationDelaySeconds", "route.deregistrationDelay"},
		{service, "minimumHealthyPercent", "deployment.minimumHealthy"},
		{service, "cmd", "command"}, {service, "minCapacity", "scaling.min"}, {service, "autoscaling", "scaling"},
		{reflect.TypeFor[Scaling](), "maxCapacity", "max"}, {reflect.TypeFor[Scaling](), "cpuPercentage", "cpu"},
		{reflect.TypeFor[Scaling](), "queue_delay", "queue"}, {reflect.TypeFor[Scaling](), "sqs", "queue"},
		{reflect.TypeFor[Scaling](), "stepScaling", "steps"}, {reflect.TypeFor[ScalingQueue](), "messages", "backlog"},
		{task, "cron", "schedule.when"}, {reflect.TypeFor[TaskSchedule](), "cron", "when"},
		{reflect.TypeFor[TaskSchedule](), "expression", "when"},
		{reflect.TypeFor[LoadBalancer](), "domain", "zone"}, {reflect.TypeFor[LoadBalancer](), "certificateArn",
			"certificate"},
		{reflect.TypeFor[Network](), "vpcId", "vpc"}, {reflect.TypeFor[Network](), "subnetIds", "subnets"},
		// a level too high
		{image, "dockerfile", "build.dockerfile"}, {image, "context", "build.context"}, {image, "directory", "build.context"},
		{image, "tag", "ref"},
		{service, "hosts", "route.hosts"}, {service, "min", "scaling.min"},
		{reflect.TypeFor[document](), "port", "services.<name>.port"},
		{reflect.TypeFor[document](), "cpu", "services.<name>.cpu"},
	} {
		require.Equal(t, c.meant, suggestKey(c.key, c.here), "%s in %s", c.key, c.here)
	}
	require.Equal(t, "tags", suggestTopLevel("tags"))
	require.Equal(t, "loadBalancer", suggestTopLevel("alb"))
}

func TestOtherWordsLeadToKeysThatThereAre(t *testing.T) {
	t.Parallel()
	for _, each := range otherWords {
		for _, word := range strings.Fields(each.words) {
			require.Equal(t, spelling.Plain(word), word)
			found := findBelow(reflect.TypeFor[document](), 5, func(known string) bool { return known == each.key })
			require.NotEmpty(t, found, "%s leads to %s", word, each.key)
		}
	}
}

func TestTheKeysOfAPlaceAreToldOnce(t *testing.T) {
	t.Parallel()
	_, err := loadFiles(t, "dev", "",
		with("      spot: true\n      launchType: x\n      desiredCount: 2\n    api: {image: web, spot: true}\n  "+
			"slipway:netz: 1\n"))
	require.Error(t, err)
	lines := strings.Split(err.Error(), "\n")
	require.Len(t, lines, 5, "%s", err)
	require.Equal(t, 1, strings.Count(err.Error(), "image, cpu, memory"), "%s", err)
	require.Equal(t, 1, strings.Count(err.Error(), "images, secrets, outputs, services"), "%s", err)
	require.Equal(t, `services.web.desiredCount (Pulumi.dev.yaml): there is no such key; did you mean "replicas"?`,
		lines[2])
}

// wholeStage has a value for every kind of key on which others depend.
func wholeStage(t *testing.T) map[string]any {
	t.Helper()
	var whole struct{ Config map[string]any }
	text := with(`      port: 8080
      replicas: 2
      environment: {A: "1"}
      secrets: [DATABASE_URL]
      healthCheck: {command: [CMD, "true"]}
      mounts: {data: {path: /data}}
      dependsOn: {proxy: HEALTHY}
      containers:
        proxy: {image: "nginx:1@` + digest + `", healthCheck: {command: [CMD, "true"]}, secrets: [DATABASE_URL], dependsOn: {setup: SUCCESS}}
        setup: {image: web, essential: false, cpu: 16, memory: 64}
      permissions: [{actions: ["s3:GetObject"], resources: ["arn:aws:s3:::shop/*"]}]
      allowFrom: [10.0.0.0/8]
      route: {hosts: [shop.example.com], paths: [/api/*], protocol: grpc, healthCheck: {path: /health, timeout: 3, interval: 10}}
      scaling: {min: 2, max: 6, requests: 100, schedules: {night: {when: "cron(0 22 * * ? *)", max: 2}}}
      deployment: {maximum: 200, maxErrors: 10}
  slipway:tasks:
    migrate: {image: web, cpu: 512, memory: 1024, before: [web], schedule: {when: "rate(1 day)"}}
  slipway:loadBalancer: {zone: example.com, accessLogs: {bucket: logs}}
  slipway:network: {vpc: vpc-01234567, subnets: [subnet-01234567, subnet-01234568]}
`)
	require.NoError(t, yaml.Unmarshal([]byte(text), &whole))
	return whole.Config
}

// Whatever is wrong at one place is told once, there: nothing else is wrong because of it.
func TestOneMistakeIsToldOnce(t *testing.T) {
	t.Parallel()
	_, err := loadFiles(t, "dev", "", marshal(t, map[string]any{"config": wholeStage(t)}))
	require.NoError(t, err)
	// others name what is in these
	known, byName := map[string]bool{}, []string{"images", "secrets", "services", "tasks", "containers", "schedules"}
	for _, key := range allKeys(t) {
		known[key.Path[strings.LastIndex(key.Path, ".")+1:]] = true
	}
	for _, path := range pathsOf(wholeStage(t), nil) {
		last, isKey := path[len(path)-1].(string)
		name := strings.TrimPrefix(last, "slipway:")
		changes := map[string]func(parent map[string]any){}
		if isKey && known[name] {
			for _, other := range []string{name + "x", "zzz" + name + "zzzzzz"} {
				other := strings.Replace(last, name, other, 1)
				changes[other] = func(parent map[string]any) { parent[other] = parent[last]; delete(parent, last) }
			}
		}
		if isKey {
			for what, value := range map[string]any{"a list": []any{[]any{}}, "null": nil,
				"a boolean in an object": map[string]any{"zzz": true}} {
				if what != "a boolean in an object" || !slices.Contains(byName, name) {
					changes[what] = func(parent map[string]any) { parent[last] = value }
				}
			}
		}
		for what, change := range changes {
			t.Run(fmt.Sprint(path)+" "+what, func(t *testing.T) {
				t.Parallel()
				whole := wholeStage(t)
				change(holderOf(whole, path).(map[string]any))
				_, err := loadFiles(t, "dev", "", marshal(t, map[string]any{"config": whole}))
				if err == nil {
					return // another value that is sound, or one that nothing needs
				}
				require.Len(t, err.(Errors), 1, "%s", err)
			})
		}
	}
}

func pathsOf(value any, path []any) (paths [][]any) {
	below := func(key any) []any { return append(slices.Clone(path), key) }
	switch value := value.(type) {
	case map[string]any:
		for key, child := range value {
			paths = append(append(paths, below(key)), pathsOf(child, below(key))...)
		}
	case []any:
		for i, child := range value {
			paths = append(paths, pathsOf(child, below(i))...)
		}
	}
	return paths
}

func holderOf(value any, path []any) any {
	for _, step := range path[:len(path)-1] {
		switch step := step.(type) {
		case string:
			value = value.(map[string]any)[step]
		case int:
			value = value.([]any)[step]
		}
	}
	return value
}

func TestNamespacesThatNobodyReads(t *testing.T) {
	t.Parallel()
	for key, meant := range map[string]string{
		"slipwa:services":       "slipway:services",
		"slipways:anything":     "slipway:anything",
		"Slipway:services":      "slipway:services",
		"foo:services":          "slipway:services",
		"foo:defaults":          "slipway:defaults",
		"asw:region":            "aws:region",
		"dcoker:registryAuth":   "docker:registryAuth",
		"aws:regoin":            `did you mean "aws:region"?`,
		"aws:allowedAccountIDs": `did you mean "aws:allowedAccountIds"?`,
		"aws:replicas":          "its keys are accessKey, ",
	} {
		_, err := loadFiles(t, "dev", "", with(fmt.Sprintf("  %s: {web: {}}", key)))
		requireMistake(t, err, key, "Pulumi.dev.yaml", meant)
	}
	in := input(t, "dev", "", strings.ReplaceAll(oneService(""), "slipway:", "shop:"))
	in.Project = "shop"
	in.Config["slipway:loadBalancer"] = "{}"
	_, err := Load(in)
	require.ErrorContains(t, err, "shop:services (Pulumi.dev.yaml): other keys of this stage begin with slipway:")
	require.Len(t, err, 3, "one for each key")

	for project, key := range map[string]string{"datadogs": "datadog:apiKey", "gap": "gcp:project",
		"gitlab": "github:token"} {
		in := input(t, "dev", "", strings.ReplaceAll(oneService(""), "slipway:", project+":"))
		in.Project, in.Config[key] = project, "x"
		_, err := Load(in)
		require.NoError(t, err, "%s is a provider's, whatever the project is called", key)
	}

	_, err = loadFiles(t, "dev", "", with(`  aws:region: eu-central-1
  aws:defaultTags: {tags: {a: b}}
  aws:endpoints: [{ecs: "http://localhost"}]
  aws-native:region: eu-central-1
  awsx:anything: x
  azure:environment: public
  datadog:apiKey: x
  docker:host: unix:///x
  kubernetes:cluster: x
  pulumi:tags: {a: b}
  random:x: {y: z}
  billing:owner: shop`))
	require.NoError(t, err)
}

func TestKeysBeginWithSlipwayOrWithTheProjectsName(t *testing.T) {
	t.Parallel()
	load := func(stageFile, projectFile string) (*Stage, error) {
		in := input(t, "dev", projectFile, stageFile)
		in.Project = "shop"
		return Load(in)
	}
	const shared = "config:\n  %s:defaults:\n    value: {environment: {SHARED: \"yes\"}}\n"
	for _, namespace := range []string{"slipway", "shop"} {
		loaded, err := load(strings.ReplaceAll(oneService(""), "slipway:", namespace+":"), fmt.Sprintf(shared, namespace))
		require.NoError(t, err, namespace)
		require.Equal(t, "shop-dev", loaded.Cluster(), "names in AWS have the project's name")
		require.Equal(t, "yes", loaded.Services["web"].Environment["SHARED"])
	}

	_, err := load(oneService(""), fmt.Sprintf(shared, "shop"))
	requireMistake(t, err, "shop:defaults", "Pulumi.yaml", "write slipway:defaults")
	_, err = load("config:\n  slipway:services: {web: {replicas: 2}}\n  slipway:environment: {A: b}\n", fmt.Sprintf(shared, "shop"))
	requireMistake(t, err, "shop:defaults", "Pulumi.yaml", "write slipway:defaults")
	require.Len(t, err, 1, "nothing follows from what is not read")
	for _, slip := range []string{"slipwya", "shpo"} {
		_, err = load(oneService("")+"  "+slip+":network: {}\n", "")
		requireMistake(t, err, slip+":network", "Pulumi.dev.yaml", "write slipway:network")
	}
}

func TestPromotionIsSuggestedFromTheStagesThatBuild(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		others []string
		says   string
	}{
		"none":    {nil, `run "slipway promote FROM release" to pin the images that another stage runs, where FROM is the stage`},
		"one":     {[]string{"dev"}, `run "slipway promote dev release" to pin the images that another stage runs, or`},
		"several": {[]string{"dev", "qa"}, `where FROM is one of: dev, qa`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := input(t, "release", "", "config: {'slipway:services': {web: {image: web}}}")
			for _, stage := range test.others {
				write(t, in.Root, pulumiconfig.FileName(stage), "config: {'slipway:images': {web: {build: {context: app}}}}")
			}
			write(t, in.Root, pulumiconfig.FileName("pinned"), "config: {'slipway:images': {web: {ref: x}}}")
			_, err := Load(in)
			requireMistake(t, err, "images", "Pulumi.release.yaml", test.says)
		})
	}
}
