package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestATeamsOwnResourcesAreRecorded(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.env = []string{"SANDBOX_STRICT="}
	p.replace("Pulumi.yaml", prebuilt, compiled)
	p.replace("main.go", "\tdeployed, err := components.Deploy(", `	var orders queue
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
	deployed, err := components.Deploy(`)
	p.replace("main.go", "import (\n", "import (\n\t\"github.com/pulumi/pulumi-aws/sdk/v6/go/aws\"\n")
	p.write("main.go", p.read("main.go")+`
type queue struct {
	pulumi.CustomResourceState
	Url pulumi.StringOutput `+"`pulumi:\"url\"`"+`
}
`)
	p.commit("A queue")

	preview := p.preview("dev")
	require.Zero(t, preview.status, preview.output)
	require.Regexp(t, `queue +: \[unknown\]|queue +: output<string>`, preview.output)
	require.Contains(t, p.up("dev").output, "The sandbox does not simulate aws:sqs/queue:Queue: such resources are recorded")
	url := p.ok("pulumi", "stack", "output", "queue", "--stack", "dev").stdout
	require.Regexp(t, `^https://sqs\.ap-northeast-2\.amazonaws\.com/123456789012/orders-[0-9a-f]{7}\n$`, url)
	require.Equal(t, "https://sqs.us-east-1.amazonaws.com/123456789012/far\n",
		p.ok("pulumi", "stack", "output", "far", "--stack", "dev").stdout)
	require.Contains(t, p.aws.service("slipway-dev").Image, ".ap-northeast-2.", "the stage stays in its own region")
	p.settled("dev")

	p.replace("main.go", "pulumi.Int(5)", "pulumi.Int(10)")
	require.Equal(t, []string{"Update aws:sqs/queue:Queue"}, p.up("dev").changed())
	require.Equal(t, url, p.ok("pulumi", "stack", "output", "queue", "--stack", "dev").stdout)

	p.env = []string{"SANDBOX_STRICT=on"}
	p.refused([]string{"the sandbox's aws provider has no resource type aws:sqs/queue:Queue"}, upArgs("dev")...)
}
