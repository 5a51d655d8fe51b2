package ecr

import (
	"slipway/sandbox/account"
	"slipway/sandbox/account/accounttest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRepositoriesThatAWSDoesNotTake(t *testing.T) {
	t.Parallel()
	a := accounttest.New(t)
	a.RequireRefused(Repository, account.Object{"name": "Web"}, "InvalidParameterException")
	a.RequireRefused(Repository, account.Object{"name": strings.Repeat("a", 257)},
		"InvalidParameterException")
}

func TestAnotherTagDoesNotMakeAnImageYounger(t *testing.T) {
	t.Parallel()
	s := accounttest.New(t)
	s.Object(Repository, "shop-dev/web", account.Object{"imageTagMutability": "IMMUTABLE"})
	require.NoError(t, PutImage(s.Account, "shop-dev/web", "one", "sha256:1", 1))
	first := s.Clock
	s.Clock = s.Clock.Add(time.Hour)
	require.NoError(t, TagImage(s.Account, "shop-dev/web", "two", "sha256:2", 1))
	s.Clock = s.Clock.Add(time.Hour)
	one, err := FindImage(s.Account, "shop-dev/web", "one", "")
	require.NoError(t, err)
	require.NoError(t, TagImage(s.Account, "shop-dev/web", "keep-one", one.Digest, 1))
	again, err := FindImage(s.Account, "shop-dev/web", "keep-one", "")
	require.NoError(t, err)
	require.True(t, again.PushedAt.Equal(first), "%s", again.PushedAt)
	require.True(t, account.IsCode(TagImage(s.Account, "shop-dev/web", "keep-one", one.Digest, 1),
		"ImageAlreadyExistsException"))
	require.True(t, account.IsCode(TagImage(s.Account, "shop-dev/web", "keep-one", "sha256:2", 1),
		"ImageTagAlreadyExistsException"))
	lastOne := rules(`"tagStatus": "tagged", "tagPatternList": ["*"], "countType": "imageCountMoreThan", "countNumber": 1`)
	require.NoError(t, PutLifecyclePolicy(s.Account, "shop-dev/web", lastOne,
		account.Object{"repository": "shop-dev/web",
			"policy": lastOne}))
	images, err := Images(s.Account)
	require.NoError(t, err)
	require.Len(t, images, 1, "both tags are gone with the older image")
	require.Equal(t, "two", images[0].Tag)
}

func TestTheClockFaultPutsTheAccountsClockForward(t *testing.T) {
	t.Parallel()
	s := accounttest.New(t)
	s.Object(Repository, "shop-dev/web", account.Object{"imageTagMutability": "IMMUTABLE"})
	require.ErrorContains(t, s.SetFaults(map[string]string{account.Clock: "tomorrow"}), "clock=tomorrow")
	require.ErrorContains(t, s.SetFaults(map[string]string{account.Clock: "0s"}), "clock=0s")
	require.NoError(t, s.SetFaults(map[string]string{account.Clock: "-48h"}))
	require.NoError(t, s.SetFaults(map[string]string{account.Clock: "48h"}))
	require.NoError(t, TagImage(s.Account, "shop-dev/web", "two", "sha256:2", 1))
	two, err := FindImage(s.Account, "shop-dev/web", "two", "")
	require.NoError(t, err)
	require.True(t, two.PushedAt.Equal(s.Clock.Add(48*time.Hour)), "%s", two.PushedAt)
}
