// Package waf is AWS WAF, as far as a load balancer needs it: web ACLs, and what they are associated with.
package waf

import (
	"slipway/sandbox/account"
	"slipway/sandbox/account/elb"
)

// WebACL is the kind of web ACLs, which a seed makes, each by the last part of its ARN. Association is that of a load
// balancer with one, by the last part of the load balancer's ARN: it has one at most.
const (
	WebACL      = "webAcl"
	Association = "webAclAssociation"
)

func init() {
	account.Register(WebACL, account.Rules{})
	account.Register(Association, account.Rules{Check: checkAssociation})
	account.Register(elb.LoadBalancer, account.Rules{Delete: deleteAssociation})
}

func deleteAssociation(t *account.Tx, id string, _ account.Object, _ bool) error {
	account.Remove(t, Association, id)
	return nil
}

func checkAssociation(t *account.Tx, _ string, o account.Object) error {
	acl := account.Get[account.Object](t, WebACL, account.AfterSlash(o.Text("webAclArn")))
	balancer := account.Get[account.Object](t, elb.LoadBalancer, account.AfterSlash(o.Text("resourceArn")))
	switch {
	case acl == nil || acl.Text("arn") != o.Text("webAclArn"):
		return account.Refuse("WAFNonexistentItemException", "AWS WAF couldn’t perform the operation because your resource "+
			"doesn’t exist.")
	case balancer == nil || balancer.Text("arn") != o.Text("resourceArn"):
		return account.Refuse("WAFUnavailableEntityException", "AWS WAF couldn’t retrieve the resource that you requested. "+
			"Retry your request.")
	}
	return nil
}
