package aws

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/iam"
	"slipway/sandbox/account/vpc"
)

func TestTheActionsOfEveryTypeAndFunctionAreKnown(t *testing.T) {
	t.Parallel()
	require.Equal(t, slices.Sorted(maps.Keys(types)), slices.Sorted(maps.Keys(callsOf)))
	require.Equal(t, slices.Sorted(maps.Keys(functions)), slices.Sorted(maps.Keys(functionCalls)))
}

func TestAnOperationAsksForItsActions(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	var asked []account.Call
	var refused string
	c.account.SetGuard(func(call account.Call) error {
		require.Equal(t, c.account.Caller.ARN, call.Caller)
		call.Caller = ""
		if asked = append(asked, call); call.Action == refused {
			return errors.New("not authorized")
		}
		return nil
	})
	actions := func() (actions []string) { // each once, as what is made is read several times
		for _, call := range asked {
			if !slices.Contains(actions, call.Action) {
				actions = append(actions, call.Action)
			}
		}
		asked = nil
		return actions
	}
	const role, boundary = "aws:iam/role:Role", "arn:aws:iam::123456789012:policy/boundary"
	_, err := iam.AddPolicy(c.account, "boundary", `{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`)
	require.NoError(t, err)
	inputs := values{"name": "web", "path": "/ours/", "assumeRolePolicy": `{"Version":"2012-10-17","Statement":[]}`,
		"permissionsBoundary": boundary, "tags": values{"stage": "dev"}}

	refused = "iam:CreateRole"
	_, err = c.tryCreate(role, "web", inputs)
	require.ErrorContains(t, err, "creating IAM Role (web): not authorized")
	roles, err := c.account.Objects(iam.Role)
	require.NoError(t, err)
	require.Empty(t, roles, "nothing was made")

	refused, asked = "", nil
	made := c.create(role, "web", inputs)
	require.Equal(t, account.Call{Action: "iam:CreateRole", Resource: "arn:aws:iam::123456789012:role/ours/web",
		Context: map[string][]string{"iam:PermissionsBoundary": {boundary}, "aws:RequestTag/stage": {"dev"}}}, asked[0])
	read := []string{"iam:GetRole", "iam:ListRolePolicies", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies"}
	require.Equal(t, append([]string{"iam:CreateRole", "iam:TagRole"}, read...), actions())

	c.create("aws:iam/rolePolicy:RolePolicy", "own", values{"name": "own", "role": "web",
		"policy": `{"Version":"2012-10-17","Statement":[]}`})
	require.Equal(t, account.Call{Action: "iam:PutRolePolicy", Resource: "arn:aws:iam::123456789012:role/ours/web",
		Context: map[string][]string{"iam:PermissionsBoundary": {boundary}}}, asked[0])
	actions()

	inputs["tags"] = values{"stage": "release"}
	c.update(made, inputs)
	require.Equal(t, append([]string{"iam:TagRole"}, read...), actions())
	delete(inputs, "tags")
	delete(inputs, "permissionsBoundary")
	c.update(made, inputs)
	require.Equal(t, append([]string{"iam:UntagRole", "iam:DeleteRolePermissionsBoundary"}, read...), actions())
	c.refresh(made)
	require.Equal(t, read, actions())
	refused = "iam:DeleteRole"
	require.ErrorContains(t, c.remove(made), "deleting IAM Role (web): not authorized")
}

// Tags of what is there decide on it, and so do those of a security group on its rules.
func TestTagsAreInTheContext(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	var asked []account.Call
	group := c.create("aws:ec2/securityGroup:SecurityGroup", "web", values{"description": "web", "vpcId": vpc.DefaultVPC,
		"tags": values{"stage": "dev"}})
	c.account.SetGuard(func(call account.Call) error {
		call.Caller = ""
		asked = append(asked, call)
		return nil
	})
	c.create("aws:ec2/securityGroupRule:SecurityGroupRule", "in", values{"type": "ingress", "securityGroupId": group.id,
		"protocol": "tcp", "fromPort": 80, "toPort": 80, "cidrBlocks": []any{"10.0.0.0/8"}})
	require.Equal(t, account.Call{Action: "ec2:AuthorizeSecurityGroupIngress",
		Resource: "arn:aws:ec2:" + testRegion + ":123456789012:security-group/" + group.id,
		Context:  map[string][]string{"aws:ResourceTag/stage": {"dev"}}}, asked[0])
}
