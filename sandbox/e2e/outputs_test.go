package e2e

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/sig"
	"github.com/stretchr/testify/require"
)

// export gives the stack dev of a project called network these outputs, as an update of it would.
func (p *project) export(outputs map[string]any) {
	p.Helper()
	other := p.network()
	if _, err := os.Stat(other.dir); err != nil {
		other.write("Pulumi.yaml", "name: network\nruntime: go\n")
		other.ok("pulumi", "stack", "init", "dev")
		other.ok("pulumi", "config", "set", "--stack", "dev", "--secret", "any", "value") // which makes a salt
	}
	_, salt, _ := strings.Cut(other.read("Pulumi.dev.yaml"), "encryptionsalt: ")
	salt, _, _ = strings.Cut(salt, "\n")
	text, err := json.Marshal(map[string]any{"version": 3, "deployment": map[string]any{
		"manifest":          map[string]any{"time": "2026-11-23T04:12:05Z", "magic": "", "version": ""},
		"secrets_providers": map[string]any{"type": "passphrase", "state": map[string]any{"salt": salt}},
		"resources": []any{map[string]any{
			"urn": "urn:pulumi:dev::network::pulumi:pulumi:Stack::network-dev", "type": "pulumi:pulumi:Stack",
			"custom": false, "outputs": outputs,
		}},
	}})
	require.NoError(p, err)
	other.write("state.json", string(text))
	other.ok("pulumi", "stack", "import", "--stack", "dev", "--file", "state.json")
}

// network is the project of the other stack.
func (p *project) network() *project { return p.in(filepath.Join(filepath.Dir(p.dir), "network")) }

// secretOutput is a value that a stack marks as a secret.
func secretOutput(text string) map[string]any {
	quoted, _ := json.Marshal(text)
	return map[string]any{sig.Key: sig.Secret, "plaintext": string(quoted)}
}

// usingNetwork is a stage dev whose service is given values of another stack, and whose task is not.
func usingNetwork(t *testing.T) *project {
	t.Helper()
	p := newProject(t)
	p.export(map[string]any{"databaseHost": "a.internal", "password": secretOutput("hunter2"), "port": 5432})
	p.task("report")
	p.stageKeys("slipway:outputs:",
		"  HOST: {stack: network, output: databaseHost}",
		"  PASSWORD: {stack: network/dev, output: password}",
		"slipway:secrets: {PASSWORD: {output: PASSWORD}}")
	p.serviceKeys("secrets: [PASSWORD]")
	p.replace("Pulumi.dev.yaml", `GREETING: "hello from dev"`, `DATABASE_HOST: {output: HOST}`)
	p.commit("Use the database")
	return p
}

func TestValuesOfAnotherStackReachTheContainersThatAreGivenThem(t *testing.T) {
	t.Parallel()
	p := usingNetwork(t)
	p.stageKeys("slipway:repository: {forceDelete: true}")
	first := p.up("dev")
	require.NotContains(t, first.output, "hunter2")
	web := p.aws.container("slipway-dev-web:1")
	require.Equal(t, map[string]string{"STAGE": "dev", "DATABASE_HOST": "a.internal"}, web.Environment())
	labels := web["dockerLabels"].(map[string]any)
	require.Equal(t, "output databaseHost of network/dev", labels["slipway.from.DATABASE_HOST"])
	require.Equal(t, "output password of network/dev", labels["slipway.from.PASSWORD"])
	require.Nil(t, p.aws.container("slipway-dev-report:1")["dockerLabels"])
	require.NotContains(t, p.read("../account/state/.pulumi/stacks/slipway/dev.json"), "hunter2")
	require.NotContains(t, p.read("../account/state/.pulumi/stacks/slipway/dev.json"), "StackReference")
	p.settled("dev")

	p.export(map[string]any{"databaseHost": "b.internal", "password": secretOutput("hunter2"), "port": 5432})
	require.Contains(t, p.ok("slipway", "preview", "dev").stdout, "environment.DATABASE_HOST: a.internal → b.internal")
	p.up("dev").builtNothing()
	require.Equal(t, "b.internal", p.aws.container("slipway-dev-web:2").Environment()["DATABASE_HOST"])
	require.Equal(t, []string{"1 ACTIVE"}, p.aws.revisions("slipway-dev-report"))

	p.export(map[string]any{"databaseHost": "b.internal", "password": secretOutput("hunter3"), "port": 5432})
	p.up("dev").builtNothing()
	require.Equal(t, []string{"1 ACTIVE", "2 ACTIVE", "3 ACTIVE"}, p.aws.revisions("slipway-dev-web"))
	require.Equal(t, []string{"1 ACTIVE"}, p.aws.revisions("slipway-dev-report"))

	// Once the other stack is gone, the stage cannot be updated, and all the same refreshed and destroyed.
	p.network().ok("pulumi", "stack", "rm", "dev", "--yes", "--force")
	p.refused([]string{"outputs.HOST.stack (Pulumi.dev.yaml): there is no stack organization/network/dev; run `pulumi up` " +
		"there first, or correct its name"}, upArgs("dev")...)
	p.ok("pulumi", "refresh", "--stack", "dev", "--yes", "--non-interactive")
	p.ok(destroyArgs("dev")...)
}

func TestMistakesWithValuesOfOtherStacksAreToldAtOnceBeforeAnythingChanges(t *testing.T) {
	t.Parallel()
	p := usingNetwork(t)
	p.replace("Pulumi.dev.yaml", "  slipway:secrets: {PASSWORD: {output: PASSWORD}}\n", strings.Join([]string{
		"    GONE: {stack: netwrok, output: databaseHost}",
		"    UNKNOWN: {stack: network, output: databaseHots}",
		"    PORT: {stack: network, output: port}",
		"  slipway:secrets: {PASSWORD: {output: HOST}}",
		"  slipway:tags: {url: \"${HOST}\"}",
	}, "\n")+"\n")
	p.replace("Pulumi.dev.yaml", "DATABASE_HOST: {output: HOST}", "DATABASE_HOST: {output: HOST}\n        "+
		strings.Join([]string{"GONE: {output: GONE}", "UNKNOWN: {output: UNKNOWN}", "PORT: {output: PORT}",
			"LEAK: {output: PASSWORD}"}, "\n        "))
	preview := p.preview("dev")
	require.NotZero(t, preview.status)
	for _, told := range []string{
		"outputs.GONE.stack (Pulumi.dev.yaml): there is no stack organization/netwrok/dev; run `pulumi up` there first, or ",
		`outputs.UNKNOWN.output (Pulumi.dev.yaml): network/dev has no output "databaseHots"; did you mean "databaseHost"?`,
		"services.web.environment.PORT (Pulumi.dev.yaml): the output port of network/dev is the number 5432; it must be text",
		"services.web.environment.LEAK (Pulumi.dev.yaml): the output password of network/dev is a secret there, and would ",
		"secrets.PASSWORD (Pulumi.dev.yaml): the output databaseHost of network/dev is neither a secret there nor the ARN ",
		"tags.url (Pulumi.dev.yaml): holds ${HOST}, which nothing replaces; declare the value in outputs and write ",
	} {
		require.Contains(t, preview.output, told)
	}
	require.NotContains(t, preview.output, "hunter2")
	require.Empty(t, p.aws.images())
}

func TestHistoryDiffAndRollbackTellWhichValuesTheStageFileDoesNotHave(t *testing.T) {
	t.Parallel()
	p := usingNetwork(t)
	p.up("dev")
	p.export(map[string]any{"databaseHost": "b.internal", "password": secretOutput("hunter2"), "port": 5432})
	p.up("dev")
	const change = "DATABASE_HOST (output databaseHost of network/dev): a.internal → b.internal"
	require.Contains(t, p.ok("slipway", "history", "dev").stdout, "web."+change)
	second := p.ok("slipway", "history", "dev", "2").stdout
	require.Contains(t, second, "Configuration:\n  as before\n\nNot in the stage file:\n  web."+change+"\n")
	require.Contains(t, second, "  web.environment."+change+"\n")

	require.Contains(t, p.run("slipway", "rollback", "dev").output, "there is nothing to go back to but values that the "+
		"stage file does not have: --pin goes back to those of update 1")

	p.replace("Pulumi.dev.yaml", `STAGE: "dev"`, `STAGE: "third"`)
	p.commit("Rename")
	p.export(map[string]any{"databaseHost": "c.internal", "password": secretOutput("hunter3"), "port": 5432})
	p.up("dev")
	third := p.ok("slipway", "history", "dev", "3").stdout
	require.Contains(t, third, "  web.DATABASE_HOST (output databaseHost of network/dev): b.internal → c.internal\n")
	require.Contains(t, third, "  web.PASSWORD (output password of network/dev): changed (secret)\n")

	// The stage file brings back what it has, a pin all of it.
	back := p.ok("slipway", "rollback", "dev").output
	require.Contains(t, back, "! services.web: web.DATABASE_HOST is from the output databaseHost of network/dev, and does not "+
		"come back with the stage file: it was b.internal in update 2, and is c.internal since")
	require.Contains(t, back, "! services.web: web.PASSWORD is from the output password of network/dev, and does not come back "+
		"with the stage file: it is a secret, and the next update takes what is there now")
	p.up("dev")
	require.Equal(t, map[string]string{"STAGE": "dev", "DATABASE_HOST": "c.internal"},
		p.aws.container("slipway-dev-web:4").Environment())
	pinned := p.ok("slipway", "rollback", "dev", "--to", "1", "--pin").output
	require.Contains(t, pinned, "! services.web: web.DATABASE_HOST is from the output databaseHost of network/dev, and revision 1 "+
		"has it as it was then: a.internal, where it is c.internal since")
	p.up("dev")
	require.Equal(t, 1, p.aws.service("slipway-dev").Revision)

	p.export(map[string]any{"databaseHost": "d.internal", "password": secretOutput("hunter3"), "port": 5432})
	for _, command := range [][]string{{"verify", "dev"}, {"status", "dev"}, {"preview", "dev"}, {"iam", "dev"},
		{"run", "dev", "report"}} {
		r := p.ok(append([]string{"slipway"}, command...)...)
		require.NotContains(t, r.output, "hunter", command)
		require.NotContains(t, r.output, "outputs.", command)
	}
}

func TestDiffSaysWhereValuesComeFrom(t *testing.T) {
	t.Parallel()
	p := usingNetwork(t)
	p.up("dev")
	file := strings.ReplaceAll(p.read("Pulumi.dev.yaml"), "{stack: network, output: databaseHost}", "{stack: network/dev, output: spare}")
	p.export(map[string]any{"databaseHost": "a.internal", "spare": "s.internal", "password": secretOutput("hunter2")})
	p.write("Pulumi.test.yaml", file)
	p.ok("pulumi", "stack", "init", "test")
	r := p.run("slipway", "diff", "dev", "test")
	require.Contains(t, r.stdout, "environment.DATABASE_HOST: a.internal (output databaseHost of network/dev) → "+
		"s.internal (output spare of network/dev)")
	require.NotContains(t, r.stdout, "PASSWORD", "which is the same")
	require.NotContains(t, r.output, "hunter")
}

func TestASecretOfAnotherStackThatCannotBeDecrypted(t *testing.T) {
	t.Parallel()
	p := usingNetwork(t)
	salt := []byte("12345678")
	crypter := config.NewSymmetricCrypterFromPassphrase("another passphrase", salt)
	encrypt := func(text string) string {
		encrypted, err := crypter.EncryptValue(t.Context(), text)
		require.NoError(t, err)
		return encrypted
	}
	const state = "../account/state/.pulumi/stacks/network/dev.json"
	text := regexp.MustCompile(`"salt": ?"[^"]*"`).ReplaceAllString(p.read(state),
		`"salt":"v1:`+base64.StdEncoding.EncodeToString(salt)+":"+encrypt("pulumi")+`"`)
	p.write(state, regexp.MustCompile(`"ciphertext": ?"[^"]*"`).ReplaceAllString(text,
		`"ciphertext":"`+encrypt(`"hunter2"`)+`"`))
	preview := p.preview("dev")
	require.NotZero(t, preview.status)
	require.Contains(t, preview.output, "secrets.PASSWORD (Pulumi.dev.yaml): the output password of network/dev cannot be "+
		"decrypted; give pulumi what decrypts the other stack, such as the passphrase that both have")
	// The commands decrypt nothing that they do not compare.
	p.ok("slipway", "verify", "dev")
}
