package account

// Call is an action of AWS's on a resource, as IAM decides on it.
type Call struct {
	// Action is SERVICE:ACTION, Resource an ARN or, where AWS has no resources for the action, *.
	Action, Resource string
	// Caller is the ARN of who calls.
	Caller string
	// Context are the values of condition keys.
	Context map[string][]string
}

// SetGuard has every call decided on that is made in any of the accounts: with an error for one that is not allowed.
// Without a guard everybody may do everything.
func (a *Account) SetGuard(guard func(Call) error) { a.store.guard = guard }

// GuardedBy is the account with calls decided on by a guard of the caller's own, in place of that of all.
func (a *Account) GuardedBy(guard func(Call) error) *Account {
	guarded := *a
	guarded.guard = guard
	return &guarded
}

func (a *Account) decides() func(Call) error {
	if a.guard != nil {
		return a.guard
	}
	return a.store.guard
}

// Authorize is an error where one of the calls is not allowed.
func (a *Account) Authorize(calls ...Call) error {
	for _, call := range calls {
		guard := a.decides()
		if guard == nil {
			return nil
		}
		call.Caller = a.Caller.ARN
		if err := guard(call); err != nil {
			return err
		}
	}
	return nil
}

// Guarded tells whether anybody decides on calls.
func (a *Account) Guarded() bool { return a.decides() != nil }
