package ecs

import (
	"slipway/sandbox/account"
	"slipway/sandbox/account/accounttest"
	"testing"
)

func TestAClustersNameThatAWSDoesNotTake(t *testing.T) {
	t.Parallel()
	a := accounttest.New(t)
	a.RequireRefused(Cluster, account.Object{"name": "a b"}, "InvalidParameterException")
}
