package components

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/stage"
)

// webACLAssociation is a load balancer's with a web ACL. AWS WAF is a package of the AWS SDK that is as large as ec2:
// its types are registered by their tokens.
type webACLAssociation struct {
	pulumi.CustomResourceState
}

// associate puts the web ACL that settings name before a load balancer. It is nil where they name none, as those of the
// internal one beside another do. The association is called after name, which is the load balancer's in Pulumi.
//
// A load balancer has one association at most, and what deletes an earlier one names the load balancer alone: it would
// delete the new one, were that made first. Where internal is turned on or off, which is another load balancer, that of
// the new one is a resource of its own: the earlier one, which serves until the services have moved, goes with its own.
func associate(ctx *pulumi.Context, name string, settings stage.LoadBalancer, balancer *lb.LoadBalancer,
	parent pulumi.ResourceOption) ([]pulumi.Resource, error) {
	if settings.WebACL == "" {
		return nil, nil
	}
	name += "-" + map[bool]string{true: "internal", false: "internet-facing"}[settings.Internal]
	association := &webACLAssociation{}
	err := ctx.RegisterResource("aws:wafv2/webAclAssociation:WebAclAssociation", name, pulumi.Map{
		"resourceArn": balancer.Arn,
		"webAclArn":   pulumi.String(settings.WebACL),
	}, association, parent, pulumi.DeleteBeforeReplace(true), pulumi.DeletedWith(balancer), awsPackageVersion)
	return []pulumi.Resource{association}, err
}

// checkWebACL finds out whether there is a web ACL, before the association with an earlier one is deleted.
func checkWebACL(ctx *pulumi.Context, settings stage.LoadBalancer) error {
	parts := strings.Split(settings.WebACL, "/") // …:regional/webacl/NAME/ID
	args := struct {
		Name  string `pulumi:"name"`
		Scope string `pulumi:"scope"`
	}{parts[len(parts)-2], "REGIONAL"}
	var found struct {
		ARN string `pulumi:"arn"`
	}
	const advice = "name one that `aws wafv2 list-web-acls --scope REGIONAL` lists"
	if err := ctx.Invoke("aws:wafv2/getWebAcl:getWebAcl", &args, &found, awsPackageVersion); err != nil {
		return fmt.Errorf("this web ACL cannot be read; %s: %w", advice, err)
	}
	if found.ARN != settings.WebACL {
		return errors.New("there is no such web ACL, and the one of its name is " + found.ARN + "; " + advice)
	}
	return nil
}
