package aws

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/structpb"

	"slipway/sandbox/account"
	"slipway/sandbox/account/vpc"
)

// documentedID is the id by which the provider's documentation imports a resource.
func documentedID(r *tracked) string {
	of := func(keys ...string) string {
		var parts []string
		for _, key := range keys {
			parts = append(parts, fmt.Sprint(plain(r.outputs[key])))
		}
		return strings.Join(parts, "/")
	}
	switch strings.Split(r.urn, "::")[2] {
	case "aws:appautoscaling/policy:Policy":
		return of("serviceNamespace", "resourceId", "scalableDimension", "name")
	case "aws:appautoscaling/target:Target":
		return of("serviceNamespace", "resourceId", "scalableDimension")
	case "aws:ec2/securityGroupRule:SecurityGroupRule":
		sources := append(textList(r.outputs["cidrBlocks"]), textList(r.outputs["ipv6CidrBlocks"])...)
		if group := text(r.outputs, "sourceSecurityGroupId"); group != "" {
			sources = append(sources, group)
		}
		return strings.ReplaceAll(of("securityGroupId", "type", "protocol", "fromPort", "toPort"), "/", "_") + "_" +
			strings.Join(sources, "_")
	case "aws:ecs/cluster:Cluster":
		return of("name")
	case "aws:ecs/service:Service":
		return of("cluster", "name")[strings.LastIndex(of("cluster"), "/")+1:]
	case "aws:ecs/taskDefinition:TaskDefinition":
		return of("arn")
	case "aws:iam/rolePolicyAttachment:RolePolicyAttachment":
		return of("role", "policyArn")
	}
	return r.id
}

// imported asserts that a resource is found by the id that the documentation says, and differs in nothing but what AWS
// does not know.
func (c *client) imported(r *tracked) {
	c.t.Helper()
	if slices.Contains(unimportable, strings.Split(r.urn, "::")[2]) {
		return
	}
	id := documentedID(r)
	read, err := c.Read(c.t.Context(), &pulumirpc.ReadRequest{Urn: r.urn, Id: id})
	require.NoError(c.t, err, id)
	require.Equal(c.t, r.id, read.GetId(), id)
	for key, value := range read.GetProperties().AsMap() {
		if !slices.Contains(unread, key) {
			require.Equal(c.t, canonical(values{key: plain(r.outputs[key])}), canonical(values{key: plain(value)}))
		}
	}
	checked, err := c.Check(c.t.Context(), &pulumirpc.CheckRequest{Urn: r.urn, News: read.GetInputs()})
	require.NoError(c.t, err)
	require.Empty(c.t, checked.GetFailures(), "%s %s", id, read.GetInputs())
	for _, key := range unread {
		require.Nil(c.t, read.GetProperties().AsMap()[key], key)
	}
}

func TestASecondRuleForTheSameIsRefused(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	group := c.create("aws:ec2/securityGroup:SecurityGroup", "web", values{"vpcId": vpc.DefaultVPC})
	rule := func(port float64, ranges ...any) values {
		return values{"type": "ingress", "securityGroupId": group.id, "protocol": "tcp", "fromPort": port, "toPort": port,
			"cidrBlocks": ranges}
	}
	c.create("aws:ec2/securityGroupRule:SecurityGroupRule", "one", rule(80, "10.0.0.0/8", "10.1.0.0/16"))
	c.create("aws:ec2/securityGroupRule:SecurityGroupRule", "two", rule(81, "10.1.0.0/16"))
	_, err := c.tryCreate("aws:ec2/securityGroupRule:SecurityGroupRule", "three", rule(80, "10.1.0.0/16"))
	require.ErrorContains(t, err,
		`InvalidPermission.Duplicate: the specified rule "peer: 10.1.0.0/16, TCP, from port: 80, to port: 80, ALLOW" `+
			`already exists`)
}

func TestPoliciesOfTheirOwnAreImported(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	role := c.create("aws:iam/role:Role", "web", values{"name": "web", "assumeRolePolicy": trustPolicy})
	const text = `{"Statement":[{"Action":["sns:Publish"],"Effect":"Allow","Resource":["arn:aws:sns:*:*:shop"]}]}`
	policy := c.create("aws:iam/policy:Policy", "web", values{"name": "web-1", "path": "/shop/", "policy": text})
	require.Equal(t, "arn:aws:iam::"+account.DefaultID+":policy/shop/web-1", policy.id)
	attached := values{"role": role.id, "policyArn": policy.id}
	c.create("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "web", attached)

	read, err := c.Read(t.Context(), &pulumirpc.ReadRequest{Urn: "urn:pulumi:dev::shop::aws:iam/policy:Policy::it",
		Id: "arn:aws:iam::123456789013:policy/web-1", Properties: &structpb.Struct{}})
	require.NoError(t, err)
	require.Empty(t, read.GetId(), "another account's")
}

func TestImportsOfAnotherFormAreRefused(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for token := range importers {
		for _, id := range []string{"nothing that AWS would name",
			"arn:aws:sns:ap-northeast-2:" + account.DefaultID + ":topic"} {
			read, err := c.Read(t.Context(), &pulumirpc.ReadRequest{Urn: "urn:pulumi:dev::shop::" + token + "::it", Id: id,
				Properties: &structpb.Struct{}})
			if token == "aws:ecs/cluster:Cluster" { // any text is a name
				require.NoError(t, err)
				require.Empty(t, read.GetId())
				continue
			}
			require.Error(t, err, "%s %s", token, id)
		}
	}
	for _, token := range unimportable {
		_, err := c.Read(t.Context(), &pulumirpc.ReadRequest{Urn: "urn:pulumi:dev::shop::" + token + "::it", Id: "it"})
		require.ErrorContains(t, err, "doesn't support import")
	}
}
