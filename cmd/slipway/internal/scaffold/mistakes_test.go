package scaffold

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhatIsWrongInAComposeFileIsToldWithItsLine(t *testing.T) {
	t.Parallel()
	for sentence, c := range map[string]struct {
		file string
		says []string
	}{
		"broken YAML": {"services:\n  web: [\n", []string{"compose.yaml: line 2"}},
		"variables that are not set, and a name that AWS refuses": {
			"services:\n  my.app:\n    image: nginx:${TAG}\n    environment:\n      LEVEL: ${LEVEL}\n      PASSWORD: ${P}\n",
			[]string{"compose.yaml:3: services.my.app.image: the variable TAG is not set",
				"compose.yaml:5: services.my.app.environment.LEVEL: the variable LEVEL is"}},
		"names that AWS refuses": {"services:\n  my.app: {image: \"nginx:1\"}\n  sg-x: {image: \"nginx:1\"}\n",
			[]string{`services["my.app"]`, "services.sg-x"}},
		"a key that compose does not know":  {"services:\n  web: {image: nginx, imagee: x}\n", []string{"compose.yaml: ", "imagee"}},
		"a type that compose does not know": {"services:\n  web: {image: nginx, ports: 80}\n", []string{"compose.yaml: ", "ports"}},
		"neither image nor build":           {"services:\n  web: {command: x}\n", []string{"compose.yaml: ", "web"}},
		"a context elsewhere": {"services:\n  web: {build: \"https://example.com/web.git\"}\n",
			[]string{"compose.yaml:2: services.web.build: the context https://example.com/web.git is not a directory here"}},
		"a context that is not there": {"services:\n  web: {build: ./missing}\n", []string{"images.web.build.context"}},
		"an image's name":             {"services:\n  web: {image: \"Nginx:1\"}\n", []string{"compose.yaml:2: services.web.image: Nginx:1"}},
		"a variable's name": {"services:\n  web: {image: \"nginx:1\", environment: {AWS_EXECUTION_ENV: x}}\n",
			[]string{"AWS_EXECUTION_ENV"}},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			root, options := repository(t, map[string]string{"compose.yaml": c.file})
			options.Lookup = func(string) (string, bool) { return "", false }
			_, err := Make(t.Context(), options)
			require.Error(t, err)
			for _, text := range c.says {
				require.ErrorContains(t, err, text)
			}
			require.NotContains(t, err.Error(), root)
			entries, err := os.ReadDir(root)
			require.NoError(t, err)
			require.Len(t, entries, 2, "nothing is written")
		})
	}
}

func TestAComposeFileIsReadBeforeDockerfiles(t *testing.T) {
	t.Parallel()
	_, options := repository(t, map[string]string{"docker-compose.yml": "services:\n  api: {build: ./api}\n",
		"docker-compose.override.yml": "services: {}\n",
		"api/Dockerfile":              simple, "tools/Dockerfile": simple})
	options.Lookup = os.LookupEnv
	plan, err := Make(t.Context(), options)
	require.NoError(t, err)
	require.Contains(t, plan.content("Pulumi.yaml"), "api:\n          image: api\n          port: 3000\n")
	require.NotContains(t, plan.content("Pulumi.dev.yaml"), "tools")
	said := outcome(plan)
	require.Contains(t, said, "! tools/Dockerfile: Dockerfile: not taken over: nothing builds it")
	require.Contains(t, said, "! docker-compose.override.yml: compose file: not taken over")
}

func TestWhatIsWrongInAManifestIsToldWithItsLine(t *testing.T) {
	t.Parallel()
	manifest := func(lines string) string { return "name: api\ntype: Backend Service\n" + lines }
	for sentence, c := range map[string]struct {
		file string
		says []string
	}{
		"broken YAML": {"name: [\n", []string{"copilot/api/manifest.yml: line 1"}},
		"no object":   {"- a\n", []string{"copilot/api/manifest.yml: is not the manifest"}},
		"a type unknown": {"name: api\ntype: Daemon Service\n",
			[]string{`copilot/api/manifest.yml:2: the type is "Daemon Service"`}},
		"a name of AWS's, and several mistakes at once": {
			"name: my.api\ntype: Backend Service\nimage: {build: Dockerfile, port: http}\ncount: {range: many}\ncpu: x\n",
			[]string{"manifest.yml:3: image.port: is http", "manifest.yml:4: count.range: is many",
				"manifest.yml:5: cpu: is x"}},
		"a name that AWS refuses": {"name: my.api\ntype: Worker Service\nimage: {build: Dockerfile}\n",
			[]string{`services["my.api"]`}},
		"an environment that is no stage": {manifest("image: {build: Dockerfile}\nenvironments: {prod: {count: 2}}\n"),
			[]string{"manifest.yml:4: environments.prod is none of the stages, dev and release: name the stages"}},
		"no image":         {manifest("image: x\n"), []string{"manifest.yml:3: image: write build or location"}},
		"a size":           {manifest("image: {build: Dockerfile}\ncpu: 100\n"), []string{"services.api.cpu"}},
		"a missing source": {manifest("image: {build: none/Dockerfile}\n"), []string{"images.api.build.context"}},
		"a schedule": {"name: job\ntype: Scheduled Job\nimage: {build: Dockerfile}\non: {schedule: \"0 0 1 * 1\"}\n",
			[]string{"manifest.yml:4: on.schedule: is \"0 0 1 * 1\""}},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			_, options := repository(t, map[string]string{"copilot/api/manifest.yml": c.file, "Dockerfile": simple})
			_, err := Make(t.Context(), options)
			require.Error(t, err)
			for _, text := range c.says {
				require.ErrorContains(t, err, text)
			}
		})
	}
}
