package stage

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"slipway/internal/awslimits"
)

const parameterARN = "arn:aws:ssm:ap-northeast-2:123456789012:parameter/dev/password"

// withSecrets is a stage whose service is given the secrets that it names.
func withSecrets(secrets string, names ...string) string {
	return "config:\n  slipway:images: {web: {ref: '" + pinned + "'}}\n  slipway:secrets: " + secrets +
		"\n  slipway:services: {web: {image: web, secrets: [" + strings.Join(names, ", ") + "]}}"
}

// revealed are a stage's secrets by name, as a value or an ARN.
func revealed(secrets map[string]Secret) map[string]string {
	plain := map[string]string{}
	for name, secret := range secrets {
		plain[name] = secret.ARN + secret.Value.Reveal()
	}
	return plain
}

func TestEncryptedSecretsAreValues(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		secrets string
		want    map[string]string // what is a value; all else is an ARN
	}{
		"a value": {"{KEY: {secure: hunter2}, DB: '" + parameterARN + "'}",
			map[string]string{"KEY": "hunter2"}},
		"the whole key": {`{secure: '{"KEY": "hunter2"}'}`, map[string]string{"KEY": "hunter2"}},
		"the whole key with an ARN": {`{secure: '{"KEY": "hunter2", "DB": "` + parameterARN + `"}'}`,
			map[string]string{"KEY": "hunter2"}},
		"text that is like a date": {"{KEY: {secure: 2024-01-01 00:00:00 +0000 UTC}}",
			map[string]string{"KEY": "2024-01-01 00:00:00 +0000 UTC"}},
		"text that is like a number": {"{KEY: {secure: '0123'}}", map[string]string{"KEY": "0123"}},
		"text that is like JSON": {`{KEY: {secure: '{"user": "a<b>&c"}'}}`,
			map[string]string{"KEY": `{"user": "a<b>&c"}`}},
		"lines": {`{KEY: {secure: "one\ntwo\n"}}`, map[string]string{"KEY": "one\ntwo\n"}},
		"the ARN of something else": {"{KEY: {secure: 'arn:aws:iam::123456789012:role/hunter2'}}",
			map[string]string{"KEY": "arn:aws:iam::123456789012:role/hunter2"}},
		"a key that is called secure": {"{secure: {secure: hunter2}, KEY: {secure: x}}",
			map[string]string{"secure": "hunter2", "KEY": "x"}},
		"a blank":                      {"{KEY: {secure: ' '}}", map[string]string{"KEY": " "}},
		"an ARN and nothing encrypted": {"{DB: '" + parameterARN + "'}", map[string]string{}},
		"one value twice": {"{A: {secure: same}, B: {secure: same}}",
			map[string]string{"A": "same", "B": "same"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := input(t, "dev", "", withSecrets(test.secrets))
			for _, where := range []string{in.Root, project(t, nil)} { // the file is at hand, and it is elsewhere
				in.Root = where
				got, err := Load(in)
				require.NoError(t, err)
				values := map[string]string{}
				for variable, secret := range got.Secrets {
					if secret.ARN == "" {
						values[variable] = secret.Value.Reveal()
					} else {
						require.Equal(t, Secret{ARN: parameterARN}, secret)
					}
				}
				require.Equal(t, test.want, values)
			}
		})
	}
}

func TestAServiceIsGivenTheSecretsThatItNames(t *testing.T) {
	t.Parallel()
	stage := withSecrets("{KEY: {secure: hunter2}, UNUSED: {secure: x}, DB: '"+parameterARN+"'}", "KEY", "DB")
	got, err := loadFiles(t, "dev", "", stage)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"KEY": "hunter2", "UNUSED": "x", "DB": parameterARN}, revealed(got.Secrets))
	require.Equal(t, map[string]string{"KEY": "hunter2", "DB": parameterARN}, revealed(got.Services["web"].Secrets))

	shared := "config: {'slipway:defaults': {value: {secrets: {KEY: '" + parameterARN + "'}}}}"
	got, err = loadFiles(t, "dev", shared, stage)
	require.NoError(t, err)
	require.Equal(t, "hunter2", got.Services["web"].Secrets["KEY"].Value.Reveal(),
		"the stage's value replaces the default's ARN")
}

func TestMistakesInEncryptedSecrets(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", awslimits.SecretSize)
	for name, test := range map[string]struct {
		stage, path string
		says        []string
	}{
		"an ARN": {
			withSecrets("{KEY: {secure: '" + parameterARN + "'}}"), "secrets.KEY",
			[]string{"is an ARN, encrypted; an ARN is no secret: write it as it is"}},
		"an ARN of Secrets Manager": {
			withSecrets("{KEY: {secure: 'arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:token-AbCdEf'}}"),
			"secrets.KEY", []string{"is an ARN, encrypted"}},
		"nothing": {
			withSecrets("{KEY: {secure: ''}}"), "secrets.KEY",
			[]string{"is an empty value, encrypted; encrypt the value itself, or remove the key"}},
		"nothing among the whole": {
			withSecrets(`{secure: '{"KEY": ""}'}`), "secrets.KEY", []string{"is an empty value, encrypted"}},
		"a number among the whole": {
			withSecrets(`{secure: '{"KEY": 778899}'}`), "secrets.KEY", []string{"is a number; it must be text"}},
		"the whole key that is no object": {
			withSecrets(`{secure: hunter2}`), "secrets", []string{"is text; it must be an object"}},
		"a value that is not encrypted": {
			withSecrets("{OTHER: {secure: x}, KEY: hunter2}"), "secrets.KEY", []string{
				"is neither encrypted nor the ARN of a secret; encrypt it with `pulumi config set --stack dev --secret --path " +
					"'slipway:secrets.KEY'`", "Secrets Manager or SSM"}},
		"an empty value": {
			withSecrets("{KEY: ''}"), "secrets.KEY", []string{"is neither encrypted nor the ARN of a secret"}},
		"an ARN of something else": {
			withSecrets("{KEY: 'arn:aws:s3:::hunter2'}"), "secrets.KEY", []string{
				"is an ARN of neither a secret nor a parameter; write arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX",
				"arn:aws:ssm:REGION:ACCOUNT:parameter/NAME"}},
		"an ARN of half a version": {
			withSecrets("{KEY: 'arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:hunter2-AbCdEf:key'}"), "secrets.KEY",
			[]string{
				":JSON-KEY:VERSION-STAGE:VERSION-ID (one of the last two empty)"}},
		"a name that no variable can have": {
			withSecrets("{a=b: {secure: hunter2}}"), `secrets["a=b"]`, []string{"without spaces and ="}},
		"a name that no reference can have": {
			withSecrets("{'a:b': {secure: hunter2}}"), `secrets["a:b"]`, []string{"has a colon"}},
		"a value that is not encrypted, under a name with a dot": {
			withSecrets("{a.b: hunter2}"), `secrets["a.b"]`, []string{"--path 'slipway:secrets[\"a.b\"]'"}},
		"a NUL in a value": {
			withSecrets(`{KEY: {secure: "hunter2\0"}}`), "secrets.KEY", []string{"holds a NUL character"}},
		"more than a secret holds": {
			withSecrets("{KEY: {secure: "+large+"}}", "KEY"), "services.web.secrets", []string{
				"has encrypted values of 65546 bytes together, and Secrets Manager takes 65536; keep a large one elsewhere and " +
					"write its ARN"}},
		"more than a secret holds, together": {
			withSecrets("{A: {secure: "+large[:awslimits.SecretSize/2]+"}, B: {secure: "+large[:awslimits.SecretSize/2]+"}}",
				"A", "B"), "services.web.secrets", []string{
				"bytes together, and Secrets Manager takes 65536"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadFiles(t, "dev", "", test.stage)
			requireMistake(t, err, test.path, "Pulumi.dev.yaml", test.says...)
			requireNotShown(t, err)
		})
	}
}

func TestEncryptedValuesFillASecretToItsLimit(t *testing.T) {
	t.Parallel()
	most := awslimits.SecretSize - len(`{"KEY":""}`)
	_, err := loadFiles(t, "dev", "", withSecrets("{KEY: {secure: "+strings.Repeat("x", most)+"}}", "KEY"))
	require.NoError(t, err)
	_, err = loadFiles(t, "dev", "", withSecrets("{KEY: {secure: "+strings.Repeat("x", most+1)+"}}", "KEY"))
	requireMistake(t, err, "services.web.secrets", "Pulumi.dev.yaml", "has encrypted values of 65537 bytes together")
	// Each service has a secret of its own, and what no service names is not kept.
	_, err = loadFiles(t, "dev", "",
		withSecrets("{UNUSED: {secure: "+strings.Repeat("x", most+1)+"}, DB: '"+parameterARN+"'}", "DB"))
	require.NoError(t, err)
}

func TestALoadedStageShowsNoValue(t *testing.T) {
	t.Parallel()
	got, err := loadFiles(t, "dev", "",
		withSecrets("{KEY: {secure: hunter2}, UNUSED: {secure: hunter2}, DB: '"+parameterARN+"'}", "KEY", "DB"))
	require.NoError(t, err)
	require.Equal(t, "hunter2", got.Services["web"].Secrets["KEY"].Value.Reveal())
	value := got.Secrets["KEY"].Value
	inside := struct {
		value SecretValue
		stage Stage
	}{value, *got} // of what is unexported, fmt calls no methods

	marshalled, err := json.Marshal(got)
	require.NoError(t, err)
	indented, err := json.Marshal(map[string]any{"value": value, "pointer": &value,
		"map": map[string]Secret{"KEY": got.Secrets["KEY"]}})
	require.NoError(t, err)
	encoded, err := yaml.Marshal(got.Services)
	require.NoError(t, err)
	texts := map[string]string{"JSON": string(marshalled), "JSON of parts": string(indented), "YAML": string(encoded),
		"Where": got.Where("secrets", "KEY")}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%10v"} {
		for name, shown := range map[string]any{
			"the stage": got, "a copy": *got, "secrets": got.Secrets, "a secret": got.Secrets["KEY"],
			"a service": got.Services["web"],
			"a value":   value, "a value's address": &value, "a list": []SecretValue{value}, "something unexported": inside,
		} {
			texts[verb+" of "+name] = fmt.Sprintf(verb, shown)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		for _, form := range []string{"hunter2", "68756e74657232", "68756E74657232"} {
			require.NotContains(t, texts[name], form, name)
		}
	}
	require.Equal(t, "[secret]", fmt.Sprint(value))
	require.Contains(t, string(marshalled), `"KEY":{"ARN":"","Value":"[secret]"}`)
	require.Empty(t, SecretValue{}.Reveal())
}

func TestSecretsAreNeverShown(t *testing.T) {
	t.Parallel()
	for name, secrets := range map[string]string{
		"a value in place of an ARN": "{DB: hunter2}",
		"a number":                   "{DB: 778899}",
		"a boolean":                  "{DB: false}",
		"an object":                  "{DB: {value: hunter2}}",
		"a list":                     "{DB: [hunter2]}",
		"an ARN of something else":   "{DB: 'arn:aws:s3:::hunter2'}",
		"an ARN without an account":  "{DB: 'arn:aws:ssm:ap-northeast-2::parameter/hunter2'}",
		"a secret without suffix":    "{DB: 'arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:hunter2'}",
		"half of a version": "{DB: 'arn:aws:secretsmanager:ap-northeast-2:123456789012:" +
			"secret:hunter2-AbCdEf:key'}",
		"version stage and id at once": "{DB: 'arn:aws:secretsmanager:ap-northeast-2:123456789012:" +
			"secret:hunter2-AbCdEf:key:AWSCURRENT:778899'}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stage := "config:\n  slipway:images: {web: {build: {context: app}}}\n  slipway:services: {web: {image: web, " +
				"secrets: [DB]}}\n"
			_, err := loadFiles(t, "dev", "", stage+"  slipway:secrets: "+secrets)
			requireMistake(t, err, "secrets.DB", "Pulumi.dev.yaml")
			requireNotShown(t, err)

			_, err = loadFiles(t, "dev", "config: {'slipway:defaults': {value: {secrets: "+secrets+"}}}", stage)
			requireMistake(t, err, "defaults.secrets.DB", "Pulumi.yaml")
			requireNotShown(t, err)
		})
	}
	t.Run("text for all of them", func(t *testing.T) {
		t.Parallel()
		_, err := loadFiles(t, "dev", "",
			"config: {'slipway:secrets': hunter2, 'slipway:images': {web: {build: {context: app}}}}")
		requireMistake(t, err, "secrets", "Pulumi.dev.yaml", "is text; it must be an object")
		requireNotShown(t, err)
	})
}

func TestEncryptedValues(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		projectYAML, stageYAML string
		want                   []string
	}{
		"in a service": {
			stageYAML: oneService("      environment: {PASSWORD: {secure: hunter2}}"),
			want:      []string{"services.web.environment.PASSWORD (Pulumi.dev.yaml): holds an encrypted value"},
		},
		"twice, with other mistakes in the same key": {
			stageYAML: oneService("      environment: {A: {secure: hunter2}, B: 778899}\n      command: [x, {secure: " +
				"hunter2}]\n      port: 0"),
			want: []string{
				"services.web.command[1] (Pulumi.dev.yaml): holds an encrypted value",
				"services.web.environment.A (Pulumi.dev.yaml): holds an encrypted value",
			},
		},
		"in images": {
			stageYAML: "config: {'slipway:images': {web: {build: {context: app, args: {A: {secure: hunter2}}}}}, " +
				"'slipway:services': {web: {image: web}}}",
			want: []string{"images.web.build.args.A (Pulumi.dev.yaml): holds an encrypted value"},
		},
		"a whole key": {
			stageYAML: with("  slipway:environment: {secure: hunter2}"),
			want:      []string{"environment (Pulumi.dev.yaml): holds an encrypted value"},
		},
		"an unknown key": {
			stageYAML: with("  slipway:password: {secure: hunter2}"),
			want:      []string{"password (Pulumi.dev.yaml): holds an encrypted value"},
		},
		"in the defaults": {
			projectYAML: "config: {'slipway:defaults': {value: {environment: {A: {secure: hunter2}}}}}",
			stageYAML:   oneService("      cpu: 300"), // which might go with what the defaults say
			want:        []string{"defaults.environment.A (Pulumi.yaml): holds an encrypted value"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := input(t, "dev", test.projectYAML, test.stageYAML)
			_, err := Load(in)
			require.Error(t, err)
			lines := strings.Split(err.Error(), "\n")
			require.Len(t, lines, len(test.want), "%s", err)
			for i, want := range test.want {
				require.True(t, strings.HasPrefix(lines[i], want), "%s", err)
				require.Contains(t, lines[i], "move it to slipway:secrets")
			}
			requireNotShown(t, err)

			in.Root = project(t, nil) // the files are elsewhere: the key itself is named
			_, err = Load(in)
			require.ErrorContains(t, err, "holds an encrypted value")
			requireNotShown(t, err)
		})
	}
}

func requireNotShown(t *testing.T, err error) {
	t.Helper()
	for _, secret := range []string{"hunter2", "778899", "false"} {
		require.NotContains(t, err.Error(), secret)
	}
}
