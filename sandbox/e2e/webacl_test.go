package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/elb"
	"slipway/sandbox/account/waf"
)

const (
	webACL = "arn:aws:wafv2:ap-northeast-2:123456789012:regional/webacl/shop/12345678-1234-1234-1234-123456789012"
	// strictACL is another one.
	strictACL = "arn:aws:wafv2:ap-northeast-2:123456789012:regional/webacl/strict/87654321-4321-4321-4321-210987654321"

	association = "aws:wafv2/webAclAssociation:WebAclAssociation"
)

// seedWebACLs puts web ACLs into the account.
func (p *project) seedWebACLs() {
	p.Helper()
	p.write("sandbox.yaml", "webAcls: [\""+webACL+"\", \""+strictACL+"\"]\n")
	output, err := p.aws.sandbox("seed", filepath.Join(p.dir, "sandbox.yaml")).CombinedOutput()
	require.NoError(p.TB, err, string(output))
}

func TestAWebACLStandsBeforeTheLoadBalancer(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	before := p.state("dev").containers()
	p.serviceKeys("route: {}")
	p.stageKeys("slipway:loadBalancer: {webAcl: \"" + webACL + "\"}")
	preview := p.preview("dev")
	require.NotZero(t, preview.status, "before there is one")
	require.Contains(t, preview.output, "loadBalancer.webAcl (Pulumi.dev.yaml): this web ACL cannot be read; name one that "+
		"`aws wafv2 list-web-acls --scope REGIONAL` lists")

	p.seedWebACLs()
	changes := p.up("dev").changed()
	require.Less(t, strings.Index(strings.Join(changes, "\n"), "Create "+association),
		strings.Index(strings.Join(changes, "\n"), "Create aws:lb/listener:Listener"), "nothing is served without it")
	require.Equal(t, webACL, p.aws.object(waf.Association)["webAclArn"])
	balancer := p.aws.object(elb.LoadBalancer)["arn"]
	require.Equal(t, balancer, p.aws.object(waf.Association)["resourceArn"])
	require.JSONEq(t, before, p.state("dev").containers(), "tasks do not know of it")
	p.settled("dev")

	// Another one takes its place, whatever AWS deletes an association by.
	p.replace("Pulumi.dev.yaml", webACL, strictACL)
	p.up("dev").builtNothing()
	require.Equal(t, strictACL, p.aws.object(waf.Association)["webAclArn"])
	require.Equal(t, balancer, p.aws.object(elb.LoadBalancer)["arn"])
	p.settled("dev")

	// One that is not there costs nothing of what is.
	p.replace("Pulumi.dev.yaml", strictACL, strings.Replace(strictACL, "strict/8", "strict/9", 1))
	preview = p.preview("dev")
	require.NotZero(t, preview.status)
	require.Contains(t, preview.output, "there is no such web ACL, and the one of its name is "+strictACL)
	require.Equal(t, strictACL, p.aws.object(waf.Association)["webAclArn"])
	p.replace("Pulumi.dev.yaml", strings.Replace(strictACL, "strict/8", "strict/9", 1), strictACL)

	// The load balancer of internal routes, beside it, has none.
	const admin = "  slipway:services:\n    admin: {image: web, port: 8080, route: {internal: true}}\n"
	p.replace("Pulumi.dev.yaml", "  slipway:services:\n", admin)
	p.up("dev")
	require.Len(t, p.aws.objects(elb.LoadBalancer), 2)
	require.Equal(t, balancer, p.aws.object(waf.Association)["resourceArn"])
	p.settled("dev")
	p.replace("Pulumi.dev.yaml", admin, "  slipway:services:\n")
	p.up("dev")

	// A load balancer in another's place has its own, and the earlier one keeps its own until it goes.
	p.replace("Pulumi.dev.yaml", `loadBalancer: {`, `loadBalancer: {internal: true, `)
	changes = p.up("dev").changed()
	require.Contains(t, changes, "Create "+association)
	require.NotContains(t, changes, "Delete "+association)
	require.Equal(t, p.aws.object(elb.LoadBalancer)["arn"], p.aws.object(waf.Association)["resourceArn"])
	require.NotEqual(t, balancer, p.aws.object(elb.LoadBalancer)["arn"])
	p.settled("dev")

	p.replace("Pulumi.dev.yaml", ", webAcl: \""+strictACL+"\"", "")
	require.Equal(t, []string{"Delete " + association}, p.up("dev").changed())
	require.Empty(t, p.aws.objects(waf.Association))
	p.settled("dev")

	p.replace("Pulumi.dev.yaml", `{internal: true}`, `{webAcl: "`+strings.Replace(webACL, ":regional/", ":global/", 1)+`"}`)
	preview = p.preview("dev")
	require.Contains(t, preview.output, "loadBalancer.webAcl (Pulumi.dev.yaml): is")
	require.Contains(t, preview.output, "which is for CloudFront")
}
