package stage

import "testing"

// permitted is a sound stage but for the only permission of its service.
func permitted(permission string) string {
	return oneService("      permissions: [" + permission + "]")
}

const (
	readUploads = `actions: ["s3:GetObject"], resources: ["arn:aws:s3:::uploads/*"]`
	uploads     = `resources: ["arn:aws:s3:::uploads/*"]`
)

func TestMistakesInPermissions(t *testing.T) {
	t.Parallel()
	requireMistakes(t, map[string]mistake{
		"permissions that are one": {
			oneService("      permissions: {" + readUploads + "}"), "services.web.permissions",
			[]string{"is an object; it must be a list"}},
		"a permission that is an action": {
			permitted("'s3:GetObject'"), "services.web.permissions[0]", []string{"it must be an object"}},
		"an unknown key of a permission": {
			permitted("{" + readUploads + ", effect: Allow}"), "services.web.permissions[0].effect",
			[]string{"the keys here are actions, resources, conditions"}},
		"the second permission": {
			permitted("{" + readUploads + "}, {" + uploads + "}"), "services.web.permissions[1].actions",
			[]string{"is missing; write at least one SERVICE:ACTION, as in s3:GetObject"}},
		"no action": {
			permitted("{actions: [], " + uploads + "}"), "services.web.permissions[0].actions",
			[]string{"is missing; write at least one SERVICE:ACTION"}},
		"an action for a list of them": {
			permitted("{actions: 's3:GetObject', " + uploads + "}"), "services.web.permissions[0].actions",
			[]string{"it must be a list"}},
		"an action without its service": {
			permitted("{actions: [GetObject], " + uploads + "}"), "services.web.permissions[0].actions[0]",
			[]string{`is "GetObject"; write SERVICE:ACTION, as in s3:GetObject`}},
		"an action without its name": {
			permitted("{actions: ['s3:'], " + uploads + "}"), "services.web.permissions[0].actions[0]",
			[]string{`is "s3:"; write SERVICE:ACTION`}},
		"an action of any service": {
			permitted("{actions: ['s*:GetObject'], " + uploads + "}"), "services.web.permissions[0].actions[0]",
			[]string{"write SERVICE:ACTION"}},
		"every action": {
			permitted("{actions: ['*'], " + uploads + "}"), "services.web.permissions[0].actions[0]",
			[]string{`is "*", which allows everything; name the actions that are needed`}},
		"every action of every service": {
			permitted("{actions: ['*:*'], " + uploads + "}"), "services.web.permissions[0].actions[0]",
			[]string{"which allows everything"}},
		"every action of a service": {
			permitted("{actions: ['s3:GetObject', 's3:*'], " + uploads + "}"), "services.web.permissions[0].actions[1]",
			[]string{`is "s3:*", which allows everything`}},
		"every action of a service in other words": {
			permitted("{actions: ['s3:?*'], " + uploads + "}"), "services.web.permissions[0].actions[0]",
			[]string{`is "s3:?*", which allows everything`}},
		"no resource": {
			permitted("{actions: ['s3:GetObject']}"), "services.web.permissions[0].resources",
			[]string{"is missing; write the ARNs of what the actions may be done to"}},
		"an empty list of resources": {
			permitted("{actions: ['s3:GetObject'], resources: []}"), "services.web.permissions[0].resources",
			[]string{"is missing"}},
		"a resource by its name": {
			permitted("{actions: ['s3:GetObject'], resources: [uploads]}"), "services.web.permissions[0].resources[0]",
			[]string{`is "uploads"; write an ARN, as in arn:aws:s3:::shop-uploads/*`}},
		"every resource": {
			permitted("{actions: ['s3:GetObject'], resources: ['*']}"), "services.web.permissions[0].resources[0]",
			[]string{`is "*", and s3:GetObject can be narrowed to resources; name their ARNs`}},
		"every resource beside others": {
			permitted("{actions: ['s3:GetObject'], resources: ['arn:aws:s3:::uploads/*', '*']}"),
			"services.web.permissions[0].resources[1]", []string{"can be narrowed"}},
		"every resource for a group of actions": {
			permitted("{actions: ['dynamodb:Get*'], resources: ['*']}"), "services.web.permissions[0].resources[0]",
			[]string{"dynamodb:Get* can be narrowed"}},
		"every resource for one action of several": {
			permitted("{actions: ['s3:ListAllMyBuckets', 'sqs:SendMessage'], resources: ['*']}"),
			"services.web.permissions[0].resources[0]", []string{"sqs:SendMessage can be narrowed"}},
		"every resource in other words": {
			permitted("{actions: ['s3:GetObject'], resources: ['arn:*:*:*:*:*']}"), "services.web.permissions[0].resources[0]",
			[]string{`is "arn:*:*:*:*:*", which is everything of every AWS service; name the service`}},
		"every resource of a service that is rarely used": {
			permitted("{actions: ['ecs:StopTask'], resources: ['*']}"), "services.web.permissions[0].resources[0]",
			[]string{"ecs:StopTask can be narrowed to resources; name their ARNs, or narrow it with conditions"}},
		"every resource for what ends instances, as a group": {
			permitted("{actions: ['ec2:Term*'], resources: ['*']}"), "services.web.permissions[0].resources[0]",
			[]string{"ec2:Term* can be narrowed"}},
		"every resource for a database": {
			permitted("{actions: ['rds:StopDBInstance'], resources: ['*']}"), "services.web.permissions[0].resources[0]",
			[]string{"can be narrowed"}},
		"every resource for an action in lower case": {
			permitted("{actions: ['sqs:sendmessage'], resources: ['*']}"), "services.web.permissions[0].resources[0]",
			[]string{"can be narrowed"}},
		"a resource of another partition": {
			permitted("{actions: ['s3:GetObject'], resources: ['arn:aws-cn:s3:::uploads/*']}") + "  aws:region: ap-northeast-2",
			"services.web.permissions[0].resources[0]",
			[]string{"is in the partition aws-cn, and the stage runs in ap-northeast-2, which is in aws; write arn:aws:"}},
		"a boundary of another account": {
			with("  aws:allowedAccountIds: ['123456789012']\n  slipway:roles: {permissionsBoundary: " +
				"'arn:aws:iam::210987654321:policy/boundary'}"),
			"roles.permissionsBoundary", []string{"is in account 210987654321, and the stage may use 123456789012"}},
		"a policy for anybody": {
			permitted("{actions: ['iam:Put*'], resources: ['*']}"), "services.web.permissions[0].actions[0]",
			[]string{"is iam:Put*, and iam:PutRolePermissionsBoundary on * lets the containers' own code make itself an " +
				"administrator", "set roles.permissionsBoundary"}},
		"a policy for any role of an account": {
			permitted("{actions: ['s3:GetObject', 'iam:?ttach*Policy'], resources: ['arn:aws:s3:::x', " +
				"'arn:aws:iam::123456789012:role/*']}"),
			"services.web.permissions[0].actions[1]", []string{"iam:AttachRolePolicy on arn:aws:iam::123456789012:role/* lets"}},
		"a policy for its own role": {
			permitted("{actions: ['iam:PutRolePolicy'], resources: ['arn:aws:iam::123456789012:role/slipway-dev-web-task']}"),
			"services.web.permissions[0].actions[0]", []string{"make itself an administrator"}},
		"its own role by a pattern": {
			permitted("{actions: ['iam:updateassumerolepolicy'], resources: ['arn:*:iam::*:role/slipway-*']}"),
			"services.web.permissions[0].actions[0]", []string{"iam:UpdateAssumeRolePolicy on arn:*:iam::*:role/slipway-*"}},
		"any role for whatever takes one": {
			permitted("{actions: ['iam:PassRole', 'lambda:CreateFunction'], resources: ['arn:aws:i*::*:*']}"),
			"services.web.permissions[0].actions[0]", []string{"iam:PassRole on arn:aws:i*::*:*"}},
		"any role of any account": {
			permitted("{actions: ['sts:Assume*'], resources: ['arn:aws:iam::*:role/?*']}"),
			"services.web.permissions[0].actions[0]", []string{"sts:AssumeRole on arn:aws:iam::*:role/?*"}},
		"any role, with conditions": {
			permitted("{actions: ['iam:CreatePolicyVersion'], resources: ['*'], conditions: {Bool: {'aws:SecureTransport': " +
				"['true']}}}"),
			"services.web.permissions[0].actions[0]", []string{"iam:CreatePolicyVersion on *"}},
		"the code of any function": {
			permitted("{actions: ['lambda:UpdateFunction*'], resources: ['arn:aws:lambda:*:*:function:*']}"),
			"services.web.permissions[0].actions[0]", []string{"lambda:UpdateFunctionCode"}},
		"conditions that are a list": {
			permitted("{" + readUploads + ", conditions: []}"), "services.web.permissions[0].conditions",
			[]string{"it must be an object"}},
		"a condition without its operator": {
			permitted("{" + readUploads + `, conditions: {"aws:SourceVpc": {x: [y]}}}`),
			`services.web.permissions[0].conditions["aws:SourceVpc"]`,
			[]string{"is no operator of IAM; write one such as StringEquals"}},
		"a condition without its key's service": {
			permitted("{" + readUploads + ", conditions: {StringEquals: {SourceVpc: [vpc-1]}}}"),
			"services.web.permissions[0].conditions.StringEquals.SourceVpc",
			[]string{"is no condition key of IAM; write one such as aws:SourceVpc"}},
		"a condition whose value is no list": {
			permitted("{" + readUploads + `, conditions: {StringEquals: {"aws:SourceVpc": vpc-1}}}`),
			`services.web.permissions[0].conditions.StringEquals["aws:SourceVpc"]`,
			[]string{"it must be a list"}},
		"a condition that is a boolean": {
			permitted("{" + readUploads + `, conditions: {Bool: {"aws:SecureTransport": [true]}}}`),
			`services.web.permissions[0].conditions.Bool["aws:SecureTransport"][0]`,
			[]string{`write "true" in quotes`}},
	})
}
