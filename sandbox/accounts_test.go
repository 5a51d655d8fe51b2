package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecr"
	"slipway/sandbox/account/ecs"
)

func TestImagesAndServicesOfEachAccountAreShown(t *testing.T) {
	t.Parallel()
	dir, a := served(t)
	require.NotContains(t, called(t, "--dir", dir, "ps"), "ACCOUNT", "there is only one")

	other := a.As(account.User("222222222222"))
	for _, each := range []*account.Account{a, other} {
		require.NoError(t, each.CreateObject(ecr.Repository, "web", account.Object{"name": "web"}, nil))
	}
	require.NoError(t, ecr.PutImage(a, "web", "one", "sha256:1", 1))
	require.NoError(t, ecr.PutImage(other, "web", "two", "sha256:2", 1))

	var images []struct{ Account, Tag string }
	require.NoError(t, json.Unmarshal([]byte(called(t, "--dir", dir, "images", "--json")), &images))
	require.Equal(t, []struct{ Account, Tag string }{{account.DefaultID, "one"}, {"222222222222", "two"}}, images)
	rows := strings.Split(called(t, "--dir", dir, "images"), "\n")
	require.Regexp(t, `^ACCOUNT +REPOSITORY`, rows[0])
	require.Regexp(t, `^222222222222 +web +two`, rows[2])
	require.Regexp(t, `(?m)^123456789012 +shop +web`, called(t, "--dir", dir, "ps"))

	tasks, err := ecs.Agent{Account: other}.AgentTasks()
	require.NoError(t, err)
	require.NotEmpty(t, tasks, "an agent has the tasks of all accounts")
}
