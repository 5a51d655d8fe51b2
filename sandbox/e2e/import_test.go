package e2e

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/iam"
	"slipway/sandbox/account/logs"
)

func TestImportOfWhatWasMadeByHand(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	require.NoError(t, p.aws.open().CreateObject(logs.LogGroup, "/team/audit",
		account.Object{"name": "/team/audit", "retentionInDays": 30.0}, nil))
	const trust = `{"Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": ` +
		`"sts:AssumeRole"}]}`
	require.NoError(t, p.aws.open().CreateObject(iam.Role, "team-audit", account.Object{"name": "team-audit", "path": "/",
		"assumeRolePolicy":   trust,
		"maxSessionDuration": 3600.0,
		"arn":                "arn:aws:iam::" + account.DefaultID + ":role/team-audit"},
		nil))

	toImport := func(resources ...string) []string {
		p.write("import.json", `{"resources": [`+strings.Join(resources, ", ")+`]}`)
		return []string{"pulumi", "import", "--file", "import.json", "--stack", "dev", "--yes", "--skip-preview",
			"--non-interactive",
			"--color", "never"}
	}
	p.refused([]string{"'/team/nothing' does not exist"},
		toImport(`{"type": "aws:cloudwatch/logGroup:LogGroup", "name": "nothing", "id": "/team/nothing"}`)...)
	said := p.ok(toImport(`{"type": "aws:cloudwatch/logGroup:LogGroup", "name": "audit", "id": "/team/audit"}`,
		`{"type": "aws:iam/role:Role", "name": "auditor", "id": "team-audit"}`)...)
	require.Contains(t, said.output, `resource audit "aws:cloudwatch/logGroup:LogGroup"`)
	require.Contains(t, said.output, `retentionInDays = 30`)

	state := p.state("dev")
	require.Equal(t, "/team/audit", state.ofType("aws:cloudwatch/logGroup:LogGroup")[0].Inputs["name"])
	require.Equal(t, trust, state.ofType("aws:iam/role:Role")[0].Inputs["assumeRolePolicy"])
	p.ok("pulumi", "refresh", "--stack", "dev", "--yes", "--skip-preview", "--non-interactive", "--expect-no-changes")
}
