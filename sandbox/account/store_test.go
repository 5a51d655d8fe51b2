package account

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func open(t *testing.T) *Account {
	t.Helper()
	a, err := Open(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	return a
}

func TestFaultsAreChecked(t *testing.T) {
	t.Parallel()
	s := open(t)
	require.ErrorContains(t, s.SetFaults(map[string]string{"slow-pull": "3s"}),
		`there is no fault "slow-pull": use failing-tasks,`)
	require.EqualError(t, s.SetFaults(map[string]string{SlowPush: "3"}), "fault slow-push=3: want a duration such as 5s")
	require.EqualError(t, s.SetFaults(map[string]string{FailingExitCode: "x"}), "fault failing-exit-code=x: want a number")
	require.EqualError(t, s.SetFaults(map[string]string{Metric: "jobs"}), "fault metric=jobs: want NAME=VALUE such as "+
		"ApproximateNumberOfMessagesVisible=250")
	require.NoError(t, s.SetFaults(map[string]string{DieAfterPush: "1", SlowPush: "1s"}))
	require.ErrorContains(t, s.SetFaults(map[string]string{DieAfterCreate: "role"}),
		"want a resource type such as aws:iam/role:Role or iam/role")
	for _, value := range []string{"iam/role", "aws:iam/role:Role"} {
		require.NoError(t, s.SetFaults(map[string]string{DieAfterCreate: value}))
		require.True(t, NamesType(value, "aws:iam/role:Role"))
		require.False(t, NamesType(value, "aws:iam/rolePolicy:RolePolicy"))
		require.NoError(t, s.DieIfAsked(DieAfterCreate,
			func(value string) bool { return NamesType(value, "aws:ecs/cluster:Cluster") }))
	}
}

func TestSeveralProcessesShareAnAccount(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var all sync.WaitGroup
	for process := range 4 {
		all.Go(func() {
			a, err := Open(dir)
			if err != nil {
				t.Error(err)
				return
			}
			for i := range 25 {
				if err := a.CreateObject("thing", fmt.Sprintf("%d-%d", process, i), Object{}, nil); err != nil {
					t.Error(err)
				}
				if _, err := a.NewID("thing"); err != nil {
					t.Error(err)
				}
			}
			if err := a.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	a, err := Open(dir)
	require.NoError(t, err)
	counted := 0
	groups, err := a.Objects("thing")
	require.NoError(t, err)
	require.Len(t, groups, 100)
	require.NoError(t, a.Transact(func(t *Tx) error {
		counted = t.Next("thing")
		return nil
	}))
	require.Equal(t, 101, counted)
	require.NoError(t, a.Reset())
	groups, err = a.Objects("thing")
	require.NoError(t, err)
	require.Empty(t, groups)
	require.NoError(t, a.Close())
}

func TestNobodyElseMayReadTheAccount(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "account")
	modes := func() map[string]string {
		modes := map[string]string{}
		for _, name := range []string{".", "account.db", "account.db-wal", "account.db-shm"} {
			info, err := os.Stat(filepath.Join(dir, name))
			require.NoError(t, err)
			modes[name] = info.Mode().Perm().String()
		}
		return modes
	}
	want := map[string]string{".": "-rwx------", "account.db": "-rw-------", "account.db-wal": "-rw-------",
		"account.db-shm": "-rw-------"}
	first, err := Open(dir)
	require.NoError(t, err)
	require.Equal(t, want, modes())
	for name := range want { // as an earlier version left it
		require.NoError(t, os.Chmod(filepath.Join(dir, name), 0o755))
	}
	second, err := Open(dir)
	require.NoError(t, err)
	require.Equal(t, want, modes())
	require.NoError(t, errors.Join(first.Close(), second.Close()))

	shared := t.TempDir()
	require.NoError(t, os.Chmod(shared, 0o755))
	third, err := Open(shared)
	require.NoError(t, err)
	require.NoError(t, third.Close())
	info, err := os.Stat(shared)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o755), info.Mode().Perm(), "it may be another's")
}

func TestIdentityIsKeptAndNeverTheSameAgain(t *testing.T) {
	t.Parallel()
	s := open(t)
	one, err := s.Identity()
	require.NoError(t, err)
	again, err := s.Identity()
	require.NoError(t, err)
	require.Equal(t, one, again)
	require.Len(t, one, 16)
	require.NoError(t, s.Reset())
	other, err := s.Identity()
	require.NoError(t, err)
	require.NotEqual(t, one, other)
}

func TestAnAccountDoesNotSeeWhatAnotherHas(t *testing.T) {
	t.Parallel()
	a, err := Open(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	other := a.As(User("222222222222"))
	require.NoError(t, other.CreateObject("thing", "x", Object{"name": "x"}, nil))
	found, err := a.Object("thing", "x")
	require.NoError(t, err)
	require.Nil(t, found)
	require.NoError(t, a.SetFaults(map[string]string{Alarm: "*"}))
	faults, err := other.Faults()
	require.NoError(t, err)
	require.Equal(t, map[string]string{Alarm: "*"}, faults, "faults are of all accounts")
	first, err := a.NewID("sg-")
	require.NoError(t, err)
	second, err := other.NewID("sg-")
	require.NoError(t, err)
	require.NotEqual(t, first, second)
	all, err := a.All()
	require.NoError(t, err)
	require.Equal(t, []string{DefaultID, "222222222222"}, []string{all[0].ID, all[1].ID})
	require.Equal(t, "arn:aws:iam::222222222222:user/sandbox", all[1].Caller.ARN)
}
