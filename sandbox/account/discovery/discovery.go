// Package discovery is AWS Cloud Map, as far as ECS Service Connect needs it: namespaces.
package discovery

import (
	"regexp"
	"slices"

	"slipway/sandbox/account"
)

// Namespace is the kind of HTTP namespaces, each by its id: ns-…
const Namespace = "namespace"

var namespaceName = regexp.MustCompile(`^[!-~]+$`)

func init() {
	account.Register(Namespace, account.Rules{Check: func(t *account.Tx, id string, o account.Object) error {
		if !namespaceName.MatchString(o.Text("name")) {
			return account.Refuse("InvalidInput", "The name %q is not valid.", o.Text("name"))
		}
		others := account.List[account.Object](t, Namespace)
		if slices.ContainsFunc(others, func(other *account.Object) bool {
			return other.Text("name") == o.Text("name") && account.AfterSlash(other.Text("arn")) != id
		}) {
			return account.Refuse("NamespaceAlreadyExists", "The namespace %s already exists.", o.Text("name"))
		}
		return nil
	}})
}

// Find finds a namespace by its ARN or its name; nil where there is none.
func Find(t *account.Tx, reference string) account.Object {
	for _, o := range account.List[account.Object](t, Namespace) {
		if o.Text("arn") == reference || o.Text("name") == reference {
			return *o
		}
	}
	return nil
}
