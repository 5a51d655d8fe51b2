package ecs

import (
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/iam"
	"slipway/sandbox/account/vpc"
)

func TestBoundaryLimitsWhatATaskMayDo(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	boundary, err := iam.AddPolicy(s.Account, "boundary",
		`{"Statement": [{"Effect": "Allow", "NotAction": "logs:*", "Resource": "*"}]}`)
	require.NoError(t, err)
	require.NoError(t, s.UpdateObject(iam.Role, "web-execution", account.Object{"permissionsBoundary": boundary}))
	s.create(s.register(nil), 1)
	require.Contains(t, s.after(2).Tasks[0].StoppedReason, "logs:CreateLogStream")
	simulated, err := iam.Simulate(s.Account, "web-execution", "logs:CreateLogStream",
		"arn:aws:logs:eu-central-1:123456789012:log-group:/shop/dev/web:x", nil)
	require.NoError(t, err)
	require.Equal(t, iam.Simulation{Decision: iam.ImplicitDeny, Bounded: true}, simulated)
	_, err = iam.Simulate(s.Account, "web-execution", "s3:GetObject", "*",
		[]string{`{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": {}}}}`})
	require.EqualError(t, err, "InvalidInput: The sandbox does not evaluate conditions of policies.")
	_, err = iam.AddPolicy(s.Account, "broken", "{")
	require.True(t, account.IsCode(err, "MalformedPolicyDocument"))
}

func TestTaskInASubnetWithoutARouteDoesNotStart(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	require.NoError(t, s.SetFaults(map[string]string{account.NoRoute: vpc.Subnets[0].ID}))
	s.create(s.register(nil), 1)
	require.Contains(t, s.after(2).Tasks[0].StoppedReason, "connection issue between the task and Amazon ECR")
}
