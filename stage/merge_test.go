package stage

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const sharedByStages = `
name: slipway
config:
  slipway:defaults:
    value:
      environment: {LOG: "info", REGION: "seoul"}
      images: {web: {build: {context: app, args: {VERSION: "1"}, cacheFrom: ["golang:1", "golang:2"]}}}
      secrets: {TOKEN: "arn:aws:ssm:ap-northeast-2:123456789012:parameter/shared/token"}
      services: {web: {image: web, port: 8080, cpu: 256, memory: 512, command: [serve, --quiet], environment: {A: "1", B: "1"}}}
      repository: {forceDelete: true}
`

func TestDefaultsAreMergedUnderTheStage(t *testing.T) {
	t.Parallel()
	got, err := loadFiles(t, "dev", sharedByStages, `
config:
  slipway:environment: {LOG: "debug"}
  slipway:images: {web: {build: {platform: linux/arm64, cacheFrom: ["golang:3"]}}}
  slipway:services: {web: {memory: 1024, command: [serve], environment: {B: "2", LOG: "trace"}, secrets: [TOKEN]}, job: {image: web}}
`)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"LOG": "debug", "REGION": "seoul"}, got.Environment)
	require.Equal(t, &Build{
		Context: "app", Dockerfile: "app/Dockerfile", Args: map[string]string{"VERSION": "1"},
		CacheFrom: []string{"golang:3"}, Platform: "linux/arm64",
	}, got.Images["web"].Build)
	require.Equal(t, Service{
		TaskDefinition: TaskDefinition{
			Image: "web", CPU: 256, Memory: 1024, LogRetention: 30, Containers: map[string]Sidecar{},
			Container: Container{
				Command: []string{"serve"}, StopTimeout: 20,
				Environment: map[string]string{"A": "1", "B": "2", "LOG": "trace", "REGION": "seoul"},
				SecretNames: []string{"TOKEN"},
				Secrets:     map[string]Secret{"TOKEN": {ARN: "arn:aws:ssm:ap-northeast-2:123456789012:parameter/shared/token"}},
			},
		},
		Port: 8080, Replicas: 1, Deployment: rolling,
	}, got.Services["web"])
	require.Equal(t, 1, got.Services["job"].Replicas)
	require.True(t, got.Repository.ForceDelete)
}

func TestAStageMayBeAllDefaults(t *testing.T) {
	t.Parallel()
	got, err := loadFiles(t, "dev", sharedByStages, "config: {}")
	require.NoError(t, err)
	require.Equal(t, 8080, got.Services["web"].Port)
}

func TestAStageMayPinWhatTheDefaultsBuild(t *testing.T) {
	t.Parallel()
	got, err := loadFiles(t, "release", sharedByStages, "config: {'slipway:images': {web: {ref: '"+pinned+"'}}}")
	require.NoError(t, err)
	require.Nil(t, got.Images["web"].Build)
	require.Equal(t, pinned, got.Images["web"].Ref.String())
}

// Without the build its repository, which holds the image, would not be declared any more.
func TestARefToTheStagesOwnImageKeepsTheBuildOfTheDefaults(t *testing.T) {
	t.Parallel()
	for name, image := range map[string]string{"ref alone": "{ref: '" + pinned + "'}",
		"ref and build": "{build: {}, ref: '" + pinned + "'}"} {
		got, err := loadFiles(t, "dev", sharedByStages, "config: {'slipway:images': {web: "+image+"}}")
		require.NoError(t, err, name)
		require.Equal(t, "app", got.Images["web"].Build.Context, name)
		require.Equal(t, pinned, got.Images["web"].Ref.String(), name)
	}
}

func TestAStageMayBuildWhatTheDefaultsPin(t *testing.T) {
	t.Parallel()
	got, err := loadFiles(t, "dev", "config: {'slipway:defaults': {value: {images: {web: {ref: '"+pinned+
		"', mirror: true}}}}}", "config: {'slipway:images': {web: {build: {context: app}}}}")
	require.NoError(t, err)
	require.Nil(t, got.Images["web"].Ref)
	require.False(t, got.Images["web"].Mirror)
	require.Equal(t, "app", got.Images["web"].Build.Context)
}

func TestMistakesInDefaultsAndTheirMerging(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		projectYAML, stageYAML string
		path, file, says       string
	}{
		"a value of the defaults": {
			"config: {'slipway:defaults': {value: {environment: {PORT: 0123}}}}", oneService(""),
			"defaults.environment.PORT", "Pulumi.yaml", `write "0123" in quotes`,
		},
		"a date in the defaults": {
			"config: {'slipway:defaults': {value: {environment: {DAY: 2024-01-01}}}}", oneService(""),
			"defaults.environment.DAY", "Pulumi.yaml", `write it as text, in quotes: "2024-01-01"`,
		},
		"an unknown key of the defaults": {
			"config: {'slipway:defaults': {value: {servises: {}}}}", oneService(""),
			"defaults.servises", "Pulumi.yaml", `did you mean "services"?`,
		},
		"defaults in the defaults": {
			"config: {'slipway:defaults': {value: {defaults: {}}}}", oneService(""),
			"defaults.defaults", "Pulumi.yaml", "there is no such key",
		},
		"defaults that are text": {
			"config: {'slipway:defaults': {value: hello}}", oneService(""),
			"defaults", "Pulumi.yaml", `is the text "hello"; it must be an object`,
		},
		"null over a default": {
			sharedByStages, "config: {'slipway:services': {web: {port: }}}",
			"services.web.port", "Pulumi.dev.yaml", "is empty (null)",
		},
		"null for a whole key over the defaults": {
			sharedByStages, "config: {'slipway:environment': }",
			"environment", "Pulumi.dev.yaml", "is empty (null)",
		},
		"text over an object": {
			sharedByStages, "config: {'slipway:services': {web: {environment: none}}}",
			"services.web.environment", "Pulumi.dev.yaml", "must be an object",
		},
		"a default size with the stage's CPU": {
			sharedByStages, "config: {'slipway:services': {web: {cpu: 512}}}",
			"services.web.cpu", "Pulumi.dev.yaml",
			"512 does not go with the default memory of 512 MiB; write memory, allowed: 1024 to 4096",
		},
		"a size of the defaults": {
			"config: {'slipway:defaults': {value: {services: {web: {cpu: 512, memory: 512}}}}}", oneService(""),
			"defaults.services.web.memory", "Pulumi.yaml", "512 MiB does not go with cpu 512; allowed: 1024 to 4096",
		},
		"a stage's memory with the CPU of the defaults": {
			sharedByStages, "config: {'slipway:services': {web: {memory: 4096}}}",
			"services.web.memory", "Pulumi.dev.yaml", "4096 MiB does not go with cpu 256",
		},
		"a stage's argument with the name of a default variable": {
			sharedByStages, "config: {'slipway:images': {web: {build: {args: {LOG: x}}}}}",
			"images.web.build.args.LOG", "Pulumi.dev.yaml", "a variable in environment",
		},
		"services of the defaults in a stage without images": {
			"config: {'slipway:defaults': {value: {services: {web: {image: web}}}}}", "config: {}",
			"images", "Pulumi.dev.yaml", "no image is declared yet",
		},
		"a stage's key that stands in Pulumi.yaml": {
			"config: {'slipway:environment': {value: {A: 1}}}", oneService(""),
			"environment.A", "Pulumi.yaml", `write "1" in quotes`,
		},
		"build and another stage's ref over the defaults": {
			sharedByStages, "config: {'slipway:images': {web: {build: {}, ref: '" +
				strings.Replace(pinned, "slipway-dev", "slipway-qa", 1) + "'}}}",
			"images.web.ref", "Pulumi.dev.yaml", "pin one of slipway-dev/web, or remove build",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadFiles(t, "dev", test.projectYAML, test.stageYAML)
			requireMistake(t, err, test.path, test.file, test.says)
		})
	}
}
