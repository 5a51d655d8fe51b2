package aws

import (
	"fmt"
	"strings"

	"slipway/sandbox/account"
	"slipway/sandbox/account/waf"
)

// webACLAssociation is associated in place of another one, and taken away whatever the ACL is: AWS is told the load
// balancer alone.
var webACLAssociation = &resourceType{
	kind: waf.Association, noun: "WAFv2 Web ACL Association", key: "resourceArn",
	properties: properties{"resourceArn": given, "webAclArn": given},
	validate: func(path string, inputs values, fail func(string)) {
		c := checker{path, fail}
		c.arn(inputs, "resourceArn")
		c.arn(inputs, "webAclArn")
	},
	objectKey: func(c *call) string { return account.AfterSlash(c.id) },
	custom: &operations{create: func(c *call) error {
		c.id = text(c.state, "webAclArn") + "," + text(c.state, "resourceArn")
		return c.account.PutObject(waf.Association, c.objectID(), c.state,
			func(func(int) string) account.Object { return nil })
	}},
}

func importWebACLAssociation(c *call) error {
	parts := strings.Split(c.id, ",")
	if len(parts) != 2 || !strings.Contains(parts[0], ":wafv2:") || !strings.HasPrefix(parts[1], "arn:") {
		return wrongID(c, "expected WEB-ACL-ARN,RESOURCE-ARN")
	}
	return nil
}

func getWebACL(a *account.Account, region string, args values) (values, error) {
	acls, err := a.Objects(waf.WebACL)
	if err != nil {
		return nil, err
	}
	scope := map[string]string{"REGIONAL": "regional", "CLOUDFRONT": "global"}[text(args, "scope")]
	for _, acl := range acls {
		prefix := account.ARN(a.ID, "wafv2", region, scope+"/webacl/"+text(args, "name")+"/")
		if id, is := strings.CutPrefix(acl.Text("arn"), prefix); is {
			return values{"arn": acl.Text("arn"), "description": "", "id": id, "name": args["name"],
				"scope": args["scope"]}, nil
		}
	}
	return nil, fmt.Errorf("WAFv2 WebACL not found for name: %s", text(args, "name"))
}
