package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecr"
	"slipway/sandbox/account/ecs"
	"slipway/sandbox/account/iam"
)

const (
	devAccount     = "111111111111"
	releaseAccount = "222222222222"
	deployRole     = "arn:aws:iam::" + devAccount + ":role/deploy"
)

// inTwoAccounts is a project whose stages are in accounts of their own: dev by aws:assumeRole, release by a profile.
func inTwoAccounts(t *testing.T) *project {
	p := newProject(t)
	p.replace("Pulumi.dev.yaml", "aws:region: ap-northeast-2", "aws:region: ap-northeast-2\n"+
		"  aws:allowedAccountIds: [\""+devAccount+"\"]\n"+
		"  aws:assumeRole: {roleArn: \""+deployRole+"\", sessionName: slipway, externalId: shop}")
	p.replace("Pulumi.release.yaml", "aws:region: ap-northeast-2", "aws:region: ap-northeast-2\n"+
		"  aws:allowedAccountIds: [\""+releaseAccount+"\"]\n  aws:profile: release\n"+
		"  slipway:images: {web: {build: {context: ./app}}}\n  slipway:tasks: {report: {image: web}}")
	p.task("report")
	p.commit("Stages in accounts of their own")
	config := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(config, []byte("[profile release]\nrole_arn = arn:aws:iam::"+releaseAccount+
		":role/deploy\nsource_profile = people\n[profile people]\naws_access_key_id = AKIA333333333333\n"+
		"aws_secret_access_key = any\n"), 0o600))
	p.env = []string{"AWS_CONFIG_FILE=" + config}
	return p
}

// trusts gives dev's account the role that deploys, which trusts only an account.
func trusts(p *project, id string) {
	dev := p.aws.open().In(devAccount)
	require.NoError(p.TB, dev.DeleteObject(iam.Role, "deploy", true))
	require.NoError(p.TB, dev.CreateObject(iam.Role, "deploy", account.Object{"name": "deploy", "arn": deployRole,
		"assumeRolePolicy": `{"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "` + id + `"},
			"Condition": {"StringEquals": {"sts:ExternalId": "shop"}}}]}`}, nil))
}

func TestStagesAreInAccountsOfTheirOwn(t *testing.T) {
	t.Parallel()
	p := inTwoAccounts(t)
	trusts(p, account.DefaultID)
	for stage, id := range map[string]string{"dev": devAccount, "release": releaseAccount} {
		if stage != "dev" {
			p.ok("pulumi", "stack", "init", stage)
		}
		p.up(stage)
		in := p.aws.open().As(account.User(id))
		services, err := ecs.ServiceViews(in)
		require.NoError(t, err)
		require.Len(t, services, 1)
		require.Equal(t, "slipway-"+stage, services[0].Cluster)
		require.Equal(t, services[0].Desired, services[0].Running)
		require.True(t, strings.HasPrefix(services[0].Image, id+".dkr.ecr."), services[0].Image)
		images, err := ecr.Images(in)
		require.NoError(t, err)
		require.Equal(t, "slipway-"+stage+"/web", images[0].Repository)

		require.Contains(t, p.ok("slipway", "status", stage).output, "slipway-"+stage)
		require.Contains(t, p.ok("slipway", "history", stage).output, "web")
		verified := p.ok("slipway", "verify", stage, "--json")
		require.Contains(t, verified.stdout, `"`+id+`"`)
		p.ok("slipway", "run", stage, "report")
		tasks, err := ecs.Tasks(in, "slipway-"+stage)
		require.NoError(t, err)
		require.Regexp(t, "^arn:aws:ecs:ap-northeast-2:"+id+":task/", tasks[0].ARN)
	}
	own, err := ecs.ServiceViews(p.aws.open())
	require.NoError(t, err)
	require.Empty(t, own, "nothing is in the account of those who deploy")
	p.up("dev", "--expect-no-changes")
	p.ok("slipway", "status", "dev", "release")
}

func TestARoleThatIsRefusedIsSaidBeforeAnythingChanges(t *testing.T) {
	t.Parallel()
	p := inTwoAccounts(t)
	trusts(p, "444444444444")
	says := []string{"aws:assumeRole (Pulumi.dev.yaml)", "arn:aws:iam::123456789012:user/sandbox may not assume " + deployRole,
		"let the trust policy of the role name it"}
	p.refused(says, upArgs("dev")...)
	p.refused(says, "slipway", "verify", "dev")
	objects, err := p.aws.open().In(devAccount).Objects(ecs.Cluster)
	require.NoError(t, err)
	require.Empty(t, objects)

	p.replace("Pulumi.dev.yaml", "\n  aws:assumeRole", "\n  #")
	says = []string{"aws:allowedAccountIds (Pulumi.dev.yaml)", "belong to account 123456789012"}
	p.refused(says, upArgs("dev")...)
	p.refused(says, "slipway", "verify", "dev")
}
