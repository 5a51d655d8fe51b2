package api

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
)

func TestFaultsOfCalls(t *testing.T) {
	s := newStage(t)
	client := ecs.NewFromConfig(s.config)
	call := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_, err := client.ListTasks(ctx, &ecs.ListTasksInput{Cluster: aws.String("shop-dev")})
		return err
	}
	for kind, want := range map[string]string{
		account.APICut: "unexpected EOF", account.APIHTML: "unexpected token", account.APIThrottle: "ThrottlingException",
		account.APIDeny: "not authorized to perform: ecs:ListTasks", account.APIExpired: "ExpiredTokenException",
		account.APIError: "ServerException", account.APIHang: "deadline exceeded",
	} {
		require.NoError(t, s.SetFaults(map[string]string{account.APIFault: "ListTasks=" + kind + ":1,DescribeTasks=" +
			account.APIHang}))
		require.ErrorContains(t, call(), want, kind)
		require.NoError(t, call(), "the fault was for one call")
		faults, err := s.Faults()
		require.NoError(t, err)
		require.Equal(t, map[string]string{account.APIFault: "DescribeTasks=" + account.APIHang}, faults)
	}
	require.NoError(t, s.SetFaults(map[string]string{account.APIFault: "GetCallerIdentity=" + account.APIDeny}))
	for range 2 {
		_, err := sts.NewFromConfig(s.config).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
		var refusal smithy.APIError
		require.True(t, errors.As(err, &refusal))
		require.Equal(t, "AccessDeniedException", refusal.ErrorCode())
	}
	for _, wrong := range []string{"ListTasks", "ListTasks=slow", "=hang", "ListTasks=hang:0", "ListTasks=hang:x", ""} {
		require.Error(t, s.SetFaults(map[string]string{account.APIFault: wrong}), wrong)
	}
}
