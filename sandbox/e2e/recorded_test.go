package e2e

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/iam"
)

func TestATeamsOwnResourcesAreRecorded(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.env = []string{"SANDBOX_STRICT="}
	p.replace("Pulumi.yaml", prebuilt, compiled)
	p.replace("main.go", "\tdeployed, err := components.Deploy(ctx, preflight, components.Handovers{})", `	var orders queue
	err = ctx.RegisterResource("aws:sqs/queue:Queue", "orders", pulumi.Map{"delaySeconds": pulumi.Int(5)}, &orders,
		pulumi.Version("6.83.0"))
	if err != nil {
		return err
	}
	ctx.Export("queue", orders.Url)
	far, err := aws.NewProvider(ctx, "far", &aws.ProviderArgs{Region: pulumi.String("us-east-1")})
	if err != nil {
		return err
	}
	var elsewhere queue
	err = ctx.RegisterResource("aws:sqs/queue:Queue", "far", pulumi.Map{"name": pulumi.String("far")}, &elsewhere,
		pulumi.Version("6.83.0"), pulumi.Provider(far))
	if err != nil {
		return err
	}
	ctx.Export("far", elsewhere.Url)
	deployed, err := components.Deploy(ctx, preflight, components.Handovers{"queue": {
		Environment: pulumi.StringMap{"QUEUE_URL": orders.Url},
		Permissions: []components.Permission{{Actions: []string{"sqs:SendMessage"}, Resources: pulumi.StringArray{orders.Arn}}},
	}})`)
	p.replace("main.go", "import (\n", "import (\n\t\"github.com/pulumi/pulumi-aws/sdk/v6/go/aws\"\n")
	p.write("main.go", p.read("main.go")+`
type queue struct {
	pulumi.CustomResourceState
	Arn pulumi.StringOutput `+"`pulumi:\"arn\"`"+`
	Url pulumi.StringOutput `+"`pulumi:\"url\"`"+`
}
`)
	p.commit("A queue")

	p.refused([]string{`Pulumi.dev.yaml: the program hands over "queue", which nothing uses; write ` + "`uses: [queue]`"},
		"pulumi", "preview", "--stack", "dev", "--non-interactive")
	p.serviceKeys("uses: [queue, database]")
	p.refused([]string{`services.web.uses[1] (Pulumi.dev.yaml): is "database", which the program does not hand over; ` +
		`it hands over queue`}, "pulumi", "preview", "--stack", "dev", "--non-interactive")
	p.replace("Pulumi.dev.yaml", "uses: [queue, database]", "uses: [queue]")
	preview := p.preview("dev")
	require.Zero(t, preview.status, preview.output)
	require.Regexp(t, `queue +: \[unknown\]|queue +: output<string>`, preview.output)
	require.Contains(t, p.up("dev").output, "The sandbox does not simulate aws:sqs/queue:Queue: such resources are recorded")
	url := p.ok("pulumi", "stack", "output", "queue", "--stack", "dev").stdout
	require.Regexp(t, `^https://sqs\.ap-northeast-2\.amazonaws\.com/123456789012/orders-[0-9a-f]{7}\n$`, url)
	require.Equal(t, "https://sqs.us-east-1.amazonaws.com/123456789012/far\n",
		p.ok("pulumi", "stack", "output", "far", "--stack", "dev").stdout)
	require.Contains(t, p.aws.service("slipway-dev").Image, ".ap-northeast-2.", "the stage stays in its own region")
	require.Equal(t, strings.TrimSpace(url), p.aws.container("slipway-dev-web:1").Environment()["QUEUE_URL"])
	require.Equal(t, map[string]statement{"0": {Effect: "Allow", Action: []string{"sqs:SendMessage"},
		Resource: []string{"arn:aws:sqs:ap-northeast-2:123456789012:orders-" + url[len(url)-8:len(url)-1]}}},
		p.aws.statements("slipway-dev-web-task"))
	p.settled("dev")

	p.replace("main.go", "pulumi.Int(5)", "pulumi.Int(10)")
	require.Equal(t, []string{"Update aws:sqs/queue:Queue"}, p.up("dev").changed())
	require.Equal(t, url, p.ok("pulumi", "stack", "output", "queue", "--stack", "dev").stdout)

	p.replace("main.go", `pulumi.Map{"delaySeconds": pulumi.Int(10)}`,
		`pulumi.Map{"name": pulumi.String("other"), "delaySeconds": pulumi.Int(10)}`)
	another := p.up("dev")
	require.Equal(t, 2, len(p.aws.revisions("slipway-dev-web")), another.output)
	require.Equal(t, "https://sqs.ap-northeast-2.amazonaws.com/123456789012/other",
		p.aws.container("slipway-dev-web:2").Environment()["QUEUE_URL"])
	require.Equal(t, []string{"arn:aws:sqs:ap-northeast-2:123456789012:other"},
		p.aws.statements("slipway-dev-web-task")["0"].Resource)
	require.Len(t, p.aws.images(), 1, "nothing was built")

	// Where the update fails that replaces the queue, the revision that goes on serving has the permissions for its own.
	p.replace("main.go", `pulumi.String("other")`, `pulumi.String("third")`)
	p.aws.setFaults(failing("3"))
	require.NotZero(t, p.tryUp("dev").status)
	var may []string
	for _, policy := range p.aws.objects(iam.RolePolicy) {
		if policy["role"] == "slipway-dev-web-task" {
			may = append(may, policy["policy"].(string))
		}
	}
	require.Len(t, may, 2)
	require.Contains(t, strings.Join(may, ""), ":other")
	require.Contains(t, strings.Join(may, ""), ":third")
	p.aws.setFaults(nil)
	p.up("dev", "--refresh")
	require.Equal(t, []string{"arn:aws:sqs:ap-northeast-2:123456789012:third"},
		p.aws.statements("slipway-dev-web-task")["0"].Resource, "and nobody else's once the update has succeeded")

	p.env = []string{"SANDBOX_STRICT=on"}
	p.refused([]string{"the sandbox's aws provider has no resource type aws:sqs/queue:Queue"}, upArgs("dev")...)
}
