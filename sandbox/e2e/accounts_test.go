package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/docs"
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

// inTwoAccounts is a project whose stages are in accounts of their own, as docs/operations.md says: dev by
// aws:assumeRole, release by a profile.
func inTwoAccounts(t *testing.T) *project {
	p := newProject(t)
	for stage, more := range map[string]string{"dev": "",
		"release": "slipway:images: {web: {build: {context: ./app}}}\nslipway:tasks: {report: {image: web}}\n"} {
		file := "Pulumi." + stage + ".yaml"
		keys := strings.TrimSuffix(advised(t, "# "+file+"\n")+more, "\n")
		p.replace(file, "  aws:region: ap-northeast-2", "  "+strings.ReplaceAll(keys, "\n", "\n  "))
	}
	p.task("report")
	p.commit("Stages in accounts of their own")
	config := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(config, []byte(advised(t, "# ~/.aws/config\n")+"[profile people]\n"+
		"aws_access_key_id = AKIA"+peopleAccount+"\naws_secret_access_key = any\n"), 0o600))
	p.env = []string{"AWS_CONFIG_FILE=" + config}
	return p
}

// peopleAccount is the account that people sign in to, in docs/operations.md.
const peopleAccount = "333333333333"

// advised is the piece of code in the pages that begins so.
func advised(t testing.TB, beginning string) string {
	t.Helper()
	blocks, err := docs.Blocks(root)
	require.NoError(t, err)
	of := slices.IndexFunc(blocks, func(b docs.Block) bool { return strings.HasPrefix(b.Text, beginning) })
	require.GreaterOrEqual(t, of, 0, beginning)
	return blocks[of].Text
}

// trusts gives dev's account the role that deploys, which trusts only an account.
func trusts(p *project, id string) {
	policy := strings.ReplaceAll(advised(p, `{"Version": `), peopleAccount, id)
	dev := p.aws.open().In(devAccount)
	require.NoError(p.TB, dev.DeleteObject(iam.Role, "deploy", true))
	require.NoError(p.TB, dev.CreateObject(iam.Role, "deploy", account.Object{"name": "deploy", "arn": deployRole,
		"assumeRolePolicy": policy}, nil))
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

	p.replace("Pulumi.dev.yaml", "aws:assumeRole", "shop:assumeRole") // which nobody reads
	says = []string{"aws:allowedAccountIds (Pulumi.dev.yaml)", "belong to account 123456789012"}
	p.refused(says, upArgs("dev")...)
	p.refused(says, "slipway", "verify", "dev")
}
