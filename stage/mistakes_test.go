package stage

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// built is a sound stage but for what stands in its image's build.
func built(lines string) string {
	return "config:\n  slipway:environment: {STAGE: dev}\n" +
		"  slipway:secrets: {TOKEN: 'arn:aws:ssm:ap-northeast-2:123456789012:parameter/token'}\n" +
		"  slipway:services: {web: {image: web, environment: {GREETING: hello}}}\n" +
		"  slipway:images:\n    web:\n      build:\n" + lines
}

// with is a sound stage and further keys.
func with(lines string) string { return oneService("") + lines }

// refTo is a stage whose image is pinned to a reference.
func refTo(ref string) string {
	return fmt.Sprintf("config:\n  aws:region: ap-northeast-2\n  aws:allowedAccountIds: ['123456789012']\n"+
		"  slipway:images: {web: {ref: %q}}", ref)
}

const secretARN = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:registry-a1b2c3"

// registry is a stage's registry with its credentials.
func registry(host, credentials string) string {
	return fmt.Sprintf("\n  slipway:registries: {%q: {credentials: %q}}", host, credentials)
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	const dev = "Pulumi.dev.yaml"
	for name, test := range map[string]struct {
		stage string
		path  string // "" where no key is at fault
		file  string
		says  []string
	}{
		// keys and types
		"an unknown key of the project": {
			with("  slipway:servises: {}"), "servises", dev, []string{`did you mean "services"?`,
				"environment, images, secrets"}},
		"a misspelt defaults key": {
			with("  slipway:default: {}"), "default", dev, []string{`did you mean "defaults"?`}},
		"an unknown key of a service": {
			oneService("      memry: 512"), "services.web.memry", dev, []string{`did you mean "memory"?`, "replicas"}},
		"a key in other letters": {
			oneService("      Memory: 512"), "services.web.Memory", dev, []string{`did you mean "memory"?`}},
		"an unknown key that is like no other": {
			oneService("      sparkle: true"), "services.web.sparkle", dev, []string{"there is no such key; the keys here are"}},
		"a key of the whole stage in a service": {
			oneService("      loadBalancer: {}"), "services.web.loadBalancer", dev,
			[]string{"did you mean slipway:loadBalancer, which is"}},
		"an unknown key of a build": {
			built("        context: app\n        dockerFile: x"), "images.web.build.dockerFile", dev,
			[]string{`did you mean "dockerfile"?`}},
		"an unknown key of an image": {
			"config: {'slipway:images': {web: {bild: {}, ref: '" + pinned + "'}}}", "images.web.bild", dev,
			[]string{`did you mean "build"?`}},
		"an unknown key of the network": {
			with("  slipway:network: {subnetIds: []}"), "network.subnetIds", dev,
			[]string{"vpc, subnets, uses, assignPublicIp"}},
		"a network of the program's without a word on addresses": {
			with("  slipway:network: {uses: own}"), "network.uses", dev, []string{"needs assignPublicIp beside it"}},
		"a network of the program's and another": {
			with("  slipway:network: {uses: own, assignPublicIp: true, vpc: vpc-01234567, subnets: [subnet-01234567]}"),
			"network.vpc", dev, []string{"cannot be combined with network.uses"}},
		"an unknown key of the repository": {
			with("  slipway:repository: {forcedelete: true}"), "repository.forcedelete", dev,
			[]string{`did you mean "forceDelete"?`}},
		"no image kept": {
			with("  slipway:repository: {keepImages: 0}"), "repository.keepImages", dev, []string{"is 0; allowed: 1 to 100000"}},
		"more revisions kept than ECS lists": {
			with("  slipway:repository: {keepRevisions: 101}"), "repository.keepRevisions", dev,
			[]string{"is 101; allowed: 1 to 100"}},
		"services that are text": {
			"config: {'slipway:services': hello, 'slipway:images': {web: {ref: '" + pinned + "'}}}", "services", dev,
			[]string{`is the text "hello"`, "must be an object"}},
		"services that are malformed JSON": {
			"config: {'slipway:services': '{web: {', 'slipway:images': {web: {ref: '" + pinned + "'}}}", "services", dev,
			[]string{"must be an object"}},
		"services that are empty": {
			"config: {'slipway:services': , 'slipway:images': {web: {ref: '" + pinned + "'}}}", "services", dev,
			[]string{"is empty (null)", "remove it"}},
		"a list of services": {
			"config: {'slipway:services': [web], 'slipway:images': {web: {ref: '" + pinned + "'}}}", "services", dev,
			[]string{"is a list; it must be an object"}},
		"a service that is empty": {
			with("    job:"), "services.job", dev, []string{"is empty (null)"}},
		"text where a list belongs": {
			oneService("      command: serve"), "services.web.command", dev,
			[]string{`it must be a list`, `["first", "second"]`}},
		"a list where text belongs": {
			oneService("      environment: {A: [b]}"), "services.web.environment.A", dev,
			[]string{"is a list; it must be text"}},
		"text where a number belongs": {
			oneService(`      port: "8080"`), "services.web.port", dev,
			[]string{`is the text "8080"`, "a whole number, without quotes"}},
		"a fraction where a whole number belongs": {
			oneService(`      cpu: 0.25`), "services.web.cpu", dev,
			[]string{"is the number 0.25; it must be a whole number of CPU units"}},
		"a number beyond all": {
			oneService(`      replicas: 99999999999`), "services.web.replicas", dev, []string{"whole number of tasks"}},
		"an octal size": {
			oneService(`      memory: 01000`), "services.web.memory", dev,
			[]string{"is written 01000, which YAML reads as 512"}},
		"text where a boolean belongs": {
			with("  slipway:repository: {forceDelete: yes}"), "repository.forceDelete", dev,
			[]string{"must be true or false, without quotes"}},
		"an empty number": {
			oneService("      replicas:"), "services.web.replicas", dev, []string{"is empty (null)"}},

		// the stage as a whole
		"a stage without images": {
			"config: {'slipway:services': {web: {image: web}, job: {image: job}}}", "images", dev,
			[]string{"no image is declared yet", `run "slipway promote FROM dev"`, "build.context"}},
		"an empty stage": {
			"config: {}", "", dev, []string{"nothing to deploy; write slipway:images", "slipway:services"}},
		"a VPC without subnets": {
			with("  slipway:network: {vpc: vpc-0123456789abcdef0}"), "network.vpc", dev,
			[]string{"needs subnets beside it", "or remove vpc"}},
		"subnets without a VPC": {
			with("  slipway:network: {subnets: [subnet-0123456789abcdef0]}"), "network.subnets", dev,
			[]string{"needs vpc beside it", "or remove subnets"}},
		"no subnets": {
			with("  slipway:network: {vpc: vpc-0123456789abcdef0, subnets: []}"), "network.subnets", dev,
			[]string{"has 0 subnets; allowed: 1 to 16"}},
		"a VPC by its name": {
			with("  slipway:network: {vpc: main, subnets: [subnet-0123456789abcdef0]}"), "network.vpc", dev,
			[]string{`is "main"; write a VPC's id`}},
		"a subnet by its name": {
			with("  slipway:network: {vpc: vpc-0123456789abcdef0, subnets: [a]}"), "network.subnets[0]", dev,
			[]string{`is "a"; write a subnet's id`}},
		"a subnet twice": {
			with("  slipway:network: {vpc: vpc-01234567, subnets: [subnet-01234567, subnet-01234567]}"), "network.subnets[1]",
			dev, []string{"duplicates "}},
		"an account that is a number": {
			with("  aws:allowedAccountIds: [012345678901]"), "aws:allowedAccountIds[0]", dev,
			[]string{`write "012345678901" in quotes`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadFiles(t, "dev", "", test.stage)
			requireMistake(t, err, test.path, test.file, test.says...)
		})
	}
}

// mistake is in a key of Pulumi.dev.yaml.
type mistake struct {
	stage, path string
	says        []string
}

// requireMistakes wants each, in a stage that is sound but for it.
func requireMistakes(t *testing.T, mistakes map[string]mistake) {
	t.Helper()
	for name, test := range mistakes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadFiles(t, "dev", "", test.stage)
			requireMistake(t, err, test.path, "Pulumi.dev.yaml", test.says...)
		})
	}
}

// requireMistake wants exactly one mistake.
func requireMistake(t *testing.T, err error, path, file string, says ...string) {
	t.Helper()
	var mistakes Errors
	require.ErrorAs(t, err, &mistakes)
	require.Len(t, mistakes, 1, "%s", err)
	require.Equal(t, path, mistakes[0].Path, "%s", err)
	require.Equal(t, file, mistakes[0].File, "%s", err)
	for _, text := range says {
		require.Contains(t, mistakes[0].Message, text)
	}
	start := file + ": "
	if path != "" {
		start = path + " (" + file + "): "
	}
	require.True(t, strings.HasPrefix(err.Error(), start), "%s", err)
}

func TestMistakesWithoutTheFiles(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ environment, path, says string }{
		"a number": {`{"A": 1.1}`, "environment.A",
			`is the number 1.1; it must be text: write "1.1" in quotes`},
		"a date as the CLI has it": {`{"A": "2024-01-01 10:00:00 +0000 UTC"}`, "environment.A",
			`in quotes: "2024-01-01 10:00:00"`},
		"something after the value": {`{"A": "x"} {}`, "environment", "must be an object"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Load(Input{Project: "slipway", Stage: "dev", Root: project(t, nil), Config: map[string]string{
				"slipway:environment": test.environment,
				"slipway:images":      `{"web": {"build": {"context": "app"}}}`,
			}})
			requireMistake(t, err, test.path, "Pulumi.dev.yaml", test.says)
		})
	}
}

func TestNamesThatAWSRefuses(t *testing.T) {
	t.Parallel()
	in := input(t, "Dev.1", "", oneService(""))
	_, err := Load(in)
	requireMistake(t, err, "", "Pulumi.Dev.1.yaml", `the stage is named "Dev.1"`, `"pulumi stack rename NAME"`)

	in = input(t, "dev", "", oneService(""))
	in.Project = "Slipway"
	in.Config = map[string]string{"Slipway:images": in.Config["slipway:images"]}
	_, err = Load(in)
	requireMistake(t, err, "", "Pulumi.yaml", `the project is named "Slipway"`)
}

func TestSeveralMistakesAreReportedTogether(t *testing.T) {
	t.Parallel()
	_, err := loadFiles(t, "dev", "config: {'slipway:defaults': {value: {services: {web: {cpu: 300, memory: 300}}}}}", `
config:
  slipway:environment: {PORT: 8080}
  slipway:images: {web: {ref: nginx}}
  slipway:services: {web: {image: wbe, port: 0}, job: {image: web, servises: 1}}
  slipway:netwerk: {}
`)
	require.Error(t, err)
	var paths []string
	for _, line := range strings.Split(err.Error(), "\n") {
		path, _, _ := strings.Cut(line, ":")
		paths = append(paths, path)
	}
	require.Equal(t, []string{
		"defaults.services.web.cpu (Pulumi.yaml)",
		"environment.PORT (Pulumi.dev.yaml)",
		"images.web.ref (Pulumi.dev.yaml)",
		"netwerk (Pulumi.dev.yaml)",
		"services.job.servises (Pulumi.dev.yaml)",
		"services.web.image (Pulumi.dev.yaml)",
		"services.web.port (Pulumi.dev.yaml)",
	}, paths)
}

func TestInputFromTheEngine(t *testing.T) {
	t.Setenv("PULUMI_PROJECT", "slipway")
	t.Setenv("PULUMI_STACK", "dev")
	t.Setenv("PULUMI_CONFIG", `{"slipway:environment": "{\"A\":\"b\"}"}`)
	t.Setenv("PULUMI_CONFIG_SECRET_KEYS", `["slipway:environment"]`)
	t.Setenv("PULUMI_ROOT_DIRECTORY", "/srv")
	in, err := FromEnvironment()
	require.NoError(t, err)
	require.Equal(t, Input{
		Project: "slipway", Stage: "dev", Root: "/srv", SecretKeys: []string{"slipway:environment"},
		Config: map[string]string{"slipway:environment": `{"A":"b"}`},
	}, in)
	for _, variable := range os.Environ() {
		require.False(t, strings.HasPrefix(variable, "PULUMI_CONFIG"), "children would get it: %s", variable)
	}

	t.Setenv("PULUMI_CONFIG", `{"slipway:environment": hunter2}`)
	_, err = FromEnvironment()
	require.ErrorContains(t, err, "PULUMI_CONFIG is not the JSON")
	requireNotShown(t, err)

	require.NoError(t, os.Unsetenv("PULUMI_STACK"))
	_, err = FromEnvironment()
	require.ErrorContains(t, err, `run this program with "pulumi up"`)
}
