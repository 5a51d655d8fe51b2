// Package accounttest has an account for the tests of AWS's services.
package accounttest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
)

// Account is one of its own for a test, with a clock that the test moves.
type Account struct {
	*account.Account
	Clock time.Time

	t *testing.T
}

// New is an account that has nothing yet.
func New(t *testing.T) *Account {
	t.Helper()
	opened, err := account.Open(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, opened.Close()) })
	a := &Account{Account: opened, Clock: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC), t: t}
	opened.SetClock(func() time.Time { return a.Clock })
	return a
}

// Object creates one.
func (a *Account) Object(kind, id string, o account.Object) {
	a.t.Helper()
	require.NoError(a.t, a.CreateObject(kind, id, o, fmt.Errorf("%s %s exists", kind, id)))
}

// RequireRefused wants an object refused that AWS does not take whatever else the account has.
func (a *Account) RequireRefused(kind string, o account.Object, says string) {
	a.t.Helper()
	require.ErrorContains(a.t, a.CreateObject(kind, "x", o, nil), says)
}
