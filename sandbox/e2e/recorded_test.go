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
	deployed, err := components.Deploy(`)
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
	p.settled("dev")

	p.replace("main.go", "pulumi.Int(5)", "pulumi.Int(10)")
	require.Equal(t, []string{"Update aws:sqs/queue:Queue"}, p.up("dev").changed())
	require.Equal(t, url, p.ok("pulumi", "stack", "output", "queue", "--stack", "dev").stdout)

	p.env = []string{"SANDBOX_STRICT=on"}
	p.refused([]string{"the sandbox's aws provider has no resource type aws:sqs/queue:Queue"}, upArgs("dev")...)
}
