package vpc

import (
	"slipway/sandbox/account"
	"slipway/sandbox/account/accounttest"
	"testing"
)

func TestASecurityGroupsNameThatAWSDoesNotTake(t *testing.T) {
	t.Parallel()
	a := accounttest.New(t)
	a.RequireRefused(SecurityGroup, account.Object{"name": "가", "vpcId": DefaultVPC},
		"InvalidParameterValue")
}
