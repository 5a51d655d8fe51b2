package iam

import "slipway/sandbox/account"

// awsPolicies are the managed policies of AWS's own that stages attach, by what follows policy/ in their ARNs. Each has
// what it allows that the sandbox asks about.
var awsPolicies = map[string]string{
	// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonEC2ContainerServiceforEC2Role.html
	"service-role/AmazonEC2ContainerServiceforEC2Role": `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
		"Action": ["ec2:DescribeTags", "ecs:CreateCluster", "ecs:DeregisterContainerInstance", "ecs:DiscoverPollEndpoint",
			"ecs:Poll", "ecs:RegisterContainerInstance", "ecs:StartTelemetrySession", "ecs:UpdateContainerInstancesState",
			"ecs:Submit*", "ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer",
			"ecr:BatchGetImage", "logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"}]}`,
	// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonSSMManagedInstanceCore.html
	"AmazonSSMManagedInstanceCore": `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
		"Action": ["ssm:*", "ssmmessages:*", "ec2messages:*"], "Resource": "*"}]}`,
}

// managedPolicy is the text of a managed policy: of the account, or of AWS's own.
func managedPolicy(t *account.Tx, arn string) (text string, exists bool) {
	if policy := account.Get[account.Object](t, Policy, arn); policy != nil {
		return policy.Text("policy"), true
	}
	for name, text := range awsPolicies {
		if arn == "arn:aws:iam::aws:policy/"+name {
			return text, true
		}
	}
	return "", false
}
