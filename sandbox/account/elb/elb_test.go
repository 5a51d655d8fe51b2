package elb

import (
	"slipway/sandbox/account"
	"slipway/sandbox/account/accounttest"
	"slipway/sandbox/account/vpc"
	"testing"
)

func TestHealthChecksThatAWSDoesNotTake(t *testing.T) {
	t.Parallel()
	a := accounttest.New(t)
	a.RequireRefused(TargetGroup, account.Object{"vpcId": vpc.DefaultVPC,
		"healthCheck": map[string]any{"matcher": "500"}},
		"must be within '200-499'")
	a.RequireRefused(TargetGroup, account.Object{"vpcId": vpc.DefaultVPC,
		"healthCheck": map[string]any{"path": "x"}},
		"must begin with a '/'")
}
