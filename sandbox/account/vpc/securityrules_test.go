package vpc

import (
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/accounttest"
)

func TestASecurityGroupsNameThatAWSDoesNotTake(t *testing.T) {
	t.Parallel()
	a := accounttest.New(t)
	a.RequireRefused(SecurityGroup, account.Object{"name": "가", "vpcId": DefaultVPC},
		"InvalidParameterValue")
}

func TestGroupsOfTwoVPCsDoNotKnowEachOther(t *testing.T) {
	t.Parallel()
	a := accounttest.New(t)
	require.NoError(t, a.Transact(func(tx *account.Tx) error {
		Seed(tx, VPC{ID: "vpc-0123456789abcdef0", CIDR: "10.0.0.0/16"})
		return nil
	}))
	for id, vpc := range map[string]string{"sg-01234567": DefaultVPC, "sg-89abcdef": "vpc-0123456789abcdef0"} {
		require.NoError(t, a.CreateObject(SecurityGroup, id, account.Object{"arn": "arn:aws:ec2:x:y:security-group/" + id,
			"name": id, "vpcId": vpc}, nil))
	}
	a.RequireRefused(SecurityGroupRule, account.Object{"securityGroupId": "sg-01234567", "type": "ingress",
		"sourceSecurityGroupId": "sg-89abcdef"}, "different networks")
}
