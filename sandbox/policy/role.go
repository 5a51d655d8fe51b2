package policy

import "slipway/sandbox/account"

// OfRole is a guard for a session of a role: all policies of the role together decide, within its permissions boundary.
func OfRole(policies []string, boundary string) (func(account.Call) error, error) {
	all := &Policy{}
	for _, text := range policies {
		p, err := Parse([]byte(text))
		if err != nil {
			return nil, err
		}
		all.Statement = append(all.Statement, p.Statement...)
	}
	if boundary == "" {
		return all.decide, nil
	}
	bounds, err := Parse([]byte(boundary))
	if err != nil {
		return nil, err
	}
	return func(call account.Call) error {
		if err := bounds.decide(call); err != nil {
			return denied(call, "because no permissions boundary allows the "+call.Action+" action")
		}
		return all.decide(call)
	}, nil
}
