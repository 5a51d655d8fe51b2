package aws

import (
	"slipway/sandbox/account/iam"
)

// apiCalls are the actions that the official provider takes on one resource, for the account to allow or refuse. Each
// may say after an @ what it is done to, if that is not the resource itself: see resource.
type apiCalls struct {
	// resource is an ARN, or SERVICE:RESOURCE of the account and region. {PROPERTY} stands for one of the state. Of
	// several with | between them the first counts whose properties are known.
	resource string
	// create is what makes it, and then what follows at once. PROPERTY+ACTION in update is for a property that has changed
	// to some value, PROPERTY!ACTION for one that has gone.
	create, then, read, update, delete string
	// tag and untag are taken where tags change; tag, too, where something is made that has some.
	tag, untag string
	// linked is the service of AWS, and its own role, which creating needs.
	linked string
	// passedTo is the service that roles are passed to.
	passedTo string
}

const (
	groupArn  = "logs:log-group:{name}:log-stream:"
	changeArn = "arn:aws:route53:::change/*"
	// launches is what who makes a group of instances must be allowed besides: Auto Scaling tries it in their name
	// (https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-launch-template-permissions.html).
	launches    = "ec2:RunInstances@* ec2:CreateTags@* iam:PassRole@{instanceRole}"
	launchAgain = "ec2:RunInstances@*"
)

var callsOf = map[string]apiCalls{
	"aws:acm/certificate:Certificate": {resource: "{arn}|acm:certificate/*", create: "acm:RequestCertificate",
		read: "acm:DescribeCertificate acm:ListTagsForCertificate", delete: "acm:DeleteCertificate",
		tag: "acm:AddTagsToCertificate", untag: "acm:RemoveTagsFromCertificate"},
	"aws:acm/certificateValidation:CertificateValidation": {resource: "{certificateArn}",
		read: "acm:DescribeCertificate"},
	"aws:appautoscaling/policy:Policy": {resource: "application-autoscaling:scalable-target/*",
		create: "application-autoscaling:PutScalingPolicy cloudwatch:PutMetricAlarm@cloudwatch:alarm:TargetTracking-" +
			"{resourceId}-AlarmHigh ecs:DescribeServices@ecs:{resourceId} ecs:UpdateService@ecs:{resourceId}",
		read: "application-autoscaling:DescribeScalingPolicies@*", update: "application-autoscaling:PutScalingPolicy",
		delete: "application-autoscaling:DeleteScalingPolicy cloudwatch:DeleteAlarms@cloudwatch:alarm:TargetTracking-" +
			"{resourceId}-AlarmHigh"},
	"aws:appautoscaling/scheduledAction:ScheduledAction": {resource: "application-autoscaling:scalable-target/*",
		create: "application-autoscaling:PutScheduledAction", read: "application-autoscaling:DescribeScheduledActions@*",
		update: "application-autoscaling:PutScheduledAction", delete: "application-autoscaling:DeleteScheduledAction"},
	"aws:appautoscaling/target:Target": {resource: "{arn}|application-autoscaling:scalable-target/*",
		create: "application-autoscaling:RegisterScalableTarget",
		read:   "application-autoscaling:DescribeScalableTargets@* application-autoscaling:ListTagsForResource",
		update: "application-autoscaling:RegisterScalableTarget", delete: "application-autoscaling:DeregisterScalableTarget",
		tag: "application-autoscaling:TagResource", untag: "application-autoscaling:UntagResource",
		linked: "ecs.application-autoscaling.amazonaws.com/" + iam.ScalingLinkedRole},
	// The roles of instances are passed where a group is made, or gets another template.
	"aws:autoscaling/group:Group": {resource: "{arn}|autoscaling:autoScalingGroup:*:autoScalingGroupName/{name}",
		create: "autoscaling:CreateAutoScalingGroup autoscaling:CreateOrUpdateTags " + launches,
		read:   "autoscaling:DescribeAutoScalingGroups@*",
		update: "autoscaling:UpdateAutoScalingGroup launchTemplate+" + launchAgain + " mixedInstancesPolicy+" + launchAgain +
			" tags+autoscaling:CreateOrUpdateTags",
		delete: "autoscaling:DescribeAutoScalingGroups@* autoscaling:DeleteAutoScalingGroup",
		linked: "autoscaling.amazonaws.com/" + iam.AutoScalingLinkedRole, passedTo: "ec2.amazonaws.com"},
	"aws:cloudwatch/logGroup:LogGroup": {resource: "logs:log-group:{name}",
		create: "logs:CreateLogGroup@" + groupArn + " logs:PutRetentionPolicy@" + groupArn,
		read:   "logs:DescribeLogGroups@logs:log-group::log-stream: logs:ListTagsForResource",
		update: "logs:PutRetentionPolicy@" + groupArn, delete: "logs:DeleteLogGroup@" + groupArn,
		tag: "logs:TagResource", untag: "logs:UntagResource"},
	"aws:cloudwatch/metricAlarm:MetricAlarm": {resource: "cloudwatch:alarm:{name}", create: "cloudwatch:PutMetricAlarm",
		read:   "cloudwatch:DescribeAlarms@cloudwatch:alarm:* cloudwatch:ListTagsForResource",
		update: "cloudwatch:PutMetricAlarm", delete: "cloudwatch:DeleteAlarms", tag: "cloudwatch:TagResource",
		untag: "cloudwatch:UntagResource"},
	"aws:ec2/launchTemplate:LaunchTemplate": {resource: "{arn}|ec2:launch-template/*",
		create: "ec2:CreateLaunchTemplate",
		read:   "ec2:DescribeLaunchTemplates@* ec2:DescribeLaunchTemplateVersions@*",
		update: "ec2:CreateLaunchTemplateVersion updateDefaultVersion+ec2:ModifyLaunchTemplate",
		delete: "ec2:DeleteLaunchTemplate", tag: "ec2:CreateTags", untag: "ec2:DeleteTags"},
	"aws:ec2/securityGroup:SecurityGroup": {resource: "{arn}|ec2:security-group/*",
		create: "ec2:CreateSecurityGroup@ec2:vpc/{vpcId} ec2:CreateSecurityGroup",
		then:   "ec2:RevokeSecurityGroupEgress ec2:AuthorizeSecurityGroupEgress", read: "ec2:DescribeSecurityGroups@*",
		update: "ec2:AuthorizeSecurityGroupEgress ec2:RevokeSecurityGroupEgress",
		delete: "ec2:DescribeNetworkInterfaces@* ec2:DeleteSecurityGroup", tag: "ec2:CreateTags", untag: "ec2:DeleteTags"},
	"aws:ec2/securityGroupRule:SecurityGroupRule": {resource: "ec2:security-group/{securityGroupId}",
		create: "ec2:AuthorizeSecurityGroup{direction}",
		read:   "ec2:DescribeSecurityGroups@* ec2:DescribeSecurityGroupRules@*", delete: "ec2:RevokeSecurityGroup{direction}"},
	"aws:ecr/lifecyclePolicy:LifecyclePolicy": {resource: "ecr:repository/{repository}",
		create: "ecr:PutLifecyclePolicy", read: "ecr:GetLifecyclePolicy", delete: "ecr:DeleteLifecyclePolicy"},
	"aws:ecr/repositoryPolicy:RepositoryPolicy": {resource: "ecr:repository/{repository}", create: "ecr:SetRepositoryPolicy",
		read: "ecr:GetRepositoryPolicy", update: "ecr:SetRepositoryPolicy", delete: "ecr:DeleteRepositoryPolicy"},
	"aws:ecr/repository:Repository": {resource: "ecr:repository/{name}", create: "ecr:CreateRepository",
		read:   "ecr:DescribeRepositories ecr:ListTagsForResource",
		update: "imageTagMutability+ecr:PutImageTagMutability imageScanningConfiguration+ecr:PutImageScanningConfiguration",
		delete: "ecr:DeleteRepository", tag: "ecr:TagResource", untag: "ecr:UntagResource"},
	"aws:ecs/capacityProvider:CapacityProvider": {resource: "ecs:capacity-provider/{name}",
		create: "ecs:CreateCapacityProvider autoscaling:DescribeAutoScalingGroups@*", read: "ecs:DescribeCapacityProviders",
		update: "ecs:UpdateCapacityProvider", delete: "ecs:DeleteCapacityProvider", tag: "ecs:TagResource",
		untag: "ecs:UntagResource"},
	"aws:ecs/cluster:Cluster": {resource: "ecs:cluster/{name}", create: "ecs:CreateCluster", read: "ecs:DescribeClusters",
		update: "ecs:UpdateCluster", delete: "ecs:DeleteCluster", tag: "ecs:TagResource", untag: "ecs:UntagResource",
		linked: "ecs.amazonaws.com/" + iam.ECSLinkedRole},
	"aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": {resource: "ecs:cluster/{clusterName}",
		create: "ecs:PutClusterCapacityProviders", read: "ecs:DescribeClusters", update: "ecs:PutClusterCapacityProviders",
		delete: "ecs:PutClusterCapacityProviders"},
	"aws:ecs/service:Service": {resource: "ecs:service/{clusterName}/{name}", create: "ecs:CreateService",
		read: "ecs:DescribeServices", update: "ecs:UpdateService", delete: "ecs:UpdateService ecs:DeleteService",
		tag: "ecs:TagResource", untag: "ecs:UntagResource"},
	"aws:ecs/taskDefinition:TaskDefinition": {resource: "ecs:task-definition/{family}:*",
		create: "ecs:RegisterTaskDefinition@* iam:PassRole@{executionRoleArn} iam:PassRole@{taskRoleArn}",
		read:   "ecs:DescribeTaskDefinition@*", delete: "ecs:DeregisterTaskDefinition@*", tag: "ecs:TagResource",
		untag: "ecs:UntagResource", passedTo: "ecs-tasks.amazonaws.com"},
	"aws:servicediscovery/httpNamespace:HttpNamespace": {resource: "{arn}|servicediscovery:namespace/*",
		create: "servicediscovery:CreateHttpNamespace@* servicediscovery:GetOperation@*",
		read:   "servicediscovery:GetNamespace servicediscovery:ListTagsForResource@*",
		delete: "servicediscovery:DeleteNamespace servicediscovery:GetOperation@*",
		tag:    "servicediscovery:TagResource@*", untag: "servicediscovery:UntagResource@*"},
	"aws:iam/instanceProfile:InstanceProfile": {
		resource: "{arn}|arn:aws:iam::{account}:instance-profile{path}{name}",
		create:   "iam:CreateInstanceProfile role+iam:AddRoleToInstanceProfile role+iam:PassRole@{roleArn}",
		read:     "iam:GetInstanceProfile",
		update: "role+iam:RemoveRoleFromInstanceProfile role+iam:AddRoleToInstanceProfile role+iam:PassRole@{roleArn} " +
			"role!iam:RemoveRoleFromInstanceProfile",
		delete: "iam:RemoveRoleFromInstanceProfile iam:DeleteInstanceProfile", tag: "iam:TagInstanceProfile",
		untag: "iam:UntagInstanceProfile", passedTo: "ec2.amazonaws.com"},
	"aws:iam/policy:Policy": {resource: "{arn}|arn:aws:iam::{account}:policy{path}{name}",
		create: "iam:CreatePolicy", read: "iam:GetPolicy iam:GetPolicyVersion",
		update: "iam:CreatePolicyVersion iam:ListPolicyVersions", delete: "iam:ListPolicyVersions iam:DeletePolicy",
		tag: "iam:TagPolicy", untag: "iam:UntagPolicy"},
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment": {resource: "{roleArn}", create: "iam:AttachRolePolicy",
		read: "iam:ListAttachedRolePolicies", delete: "iam:DetachRolePolicy"},
	"aws:iam/role:Role": {resource: "{arn}|arn:aws:iam::{account}:role{path}{name}", create: "iam:CreateRole",
		read: "iam:GetRole iam:ListRolePolicies iam:GetRolePolicy iam:ListAttachedRolePolicies",
		update: "assumeRolePolicy+iam:UpdateAssumeRolePolicy permissionsBoundary+iam:PutRolePermissionsBoundary " +
			"permissionsBoundary!iam:DeleteRolePermissionsBoundary description+iam:UpdateRoleDescription " +
			"maxSessionDuration+iam:UpdateRole",
		delete: "iam:ListInstanceProfilesForRole iam:DeleteRole", tag: "iam:TagRole", untag: "iam:UntagRole"},
	"aws:iam/rolePolicy:RolePolicy": {resource: "{roleArn}", create: "iam:PutRolePolicy", read: "iam:GetRolePolicy",
		update: "iam:PutRolePolicy", delete: "iam:DeleteRolePolicy"},
	"aws:lb/listener:Listener": {resource: "{arn}|{newListener}",
		create: "elasticloadbalancing:CreateListener@{loadBalancerArn}",
		then:   "elasticloadbalancing:ModifyListenerAttributes",
		read: "elasticloadbalancing:DescribeListeners@* elasticloadbalancing:DescribeListenerAttributes@* " +
			"elasticloadbalancing:DescribeTags@*",
		update: "elasticloadbalancing:ModifyListener", delete: "elasticloadbalancing:DeleteListener",
		tag: "elasticloadbalancing:AddTags", untag: "elasticloadbalancing:RemoveTags"},
	"aws:lb/listenerRule:ListenerRule": {resource: "{arn}|{newRule}",
		create: "elasticloadbalancing:CreateRule@{listenerArn}",
		read:   "elasticloadbalancing:DescribeRules@* elasticloadbalancing:DescribeTags@*",
		update: "elasticloadbalancing:ModifyRule priority+elasticloadbalancing:SetRulePriorities",
		delete: "elasticloadbalancing:DeleteRule", tag: "elasticloadbalancing:AddTags",
		untag: "elasticloadbalancing:RemoveTags"},
	"aws:lb/loadBalancer:LoadBalancer": {resource: "{arn}|elasticloadbalancing:loadbalancer/app/{name}/*",
		create: "elasticloadbalancing:CreateLoadBalancer ec2:DescribeAccountAttributes@* ec2:DescribeAddresses@* " +
			"ec2:DescribeInternetGateways@* ec2:DescribeSecurityGroups@* ec2:DescribeSubnets@* ec2:DescribeVpcs@*",
		then: "elasticloadbalancing:ModifyLoadBalancerAttributes",
		read: "elasticloadbalancing:DescribeLoadBalancers@* elasticloadbalancing:DescribeLoadBalancerAttributes@* " +
			"elasticloadbalancing:DescribeTags@*",
		update: "elasticloadbalancing:ModifyLoadBalancerAttributes securityGroups+elasticloadbalancing:SetSecurityGroups " +
			"subnets+elasticloadbalancing:SetSubnets",
		delete: "elasticloadbalancing:DeleteLoadBalancer ec2:DescribeNetworkInterfaces@*",
		tag:    "elasticloadbalancing:AddTags", untag: "elasticloadbalancing:RemoveTags",
		linked: "elasticloadbalancing.amazonaws.com/" + iam.ELBLinkedRole},
	"aws:lb/targetGroup:TargetGroup": {resource: "{arn}|elasticloadbalancing:targetgroup/{name}/*",
		create: "elasticloadbalancing:CreateTargetGroup ec2:DescribeInternetGateways@* ec2:DescribeVpcs@*",
		then:   "elasticloadbalancing:ModifyTargetGroupAttributes",
		read: "elasticloadbalancing:DescribeTargetGroups@* elasticloadbalancing:DescribeTargetGroupAttributes@* " +
			"elasticloadbalancing:DescribeTags@*",
		update: "elasticloadbalancing:ModifyTargetGroup elasticloadbalancing:ModifyTargetGroupAttributes",
		delete: "elasticloadbalancing:DeleteTargetGroup", tag: "elasticloadbalancing:AddTags",
		untag: "elasticloadbalancing:RemoveTags"},
	"aws:route53/record:Record": {resource: "arn:aws:route53:::hostedzone/{zoneId}",
		create: "route53:GetHostedZone route53:ChangeResourceRecordSets route53:GetChange@" + changeArn,
		read:   "route53:GetHostedZone route53:ListResourceRecordSets",
		update: "route53:ChangeResourceRecordSets route53:GetChange@" + changeArn,
		delete: "route53:GetHostedZone route53:ListResourceRecordSets route53:ChangeResourceRecordSets route53:GetChange@" +
			changeArn},
	"aws:scheduler/schedule:Schedule": {resource: "scheduler:schedule/default/{name}",
		create: "scheduler:CreateSchedule iam:PassRole@{scheduleRole}", read: "scheduler:GetSchedule",
		update: "scheduler:UpdateSchedule iam:PassRole@{scheduleRole}", delete: "scheduler:DeleteSchedule",
		passedTo: "scheduler.amazonaws.com"},
	"aws:secretsmanager/secret:Secret": {resource: "{arn}|secretsmanager:secret:{name}",
		create: "secretsmanager:CreateSecret", read: "secretsmanager:DescribeSecret secretsmanager:GetResourcePolicy",
		update: "description+secretsmanager:UpdateSecret", delete: "secretsmanager:DeleteSecret secretsmanager:DescribeSecret",
		tag: "secretsmanager:TagResource", untag: "secretsmanager:UntagResource"},
	"aws:secretsmanager/secretVersion:SecretVersion": {resource: "{secretId}", create: "secretsmanager:PutSecretValue",
		read: "secretsmanager:GetSecretValue", update: "secretsmanager:UpdateSecretVersionStage",
		delete: "secretsmanager:UpdateSecretVersionStage secretsmanager:GetSecretValue"},
	"aws:wafv2/webAclAssociation:WebAclAssociation": {resource: "{resourceArn}",
		create: "wafv2:AssociateWebACL wafv2:AssociateWebACL@{webAclArn} elasticloadbalancing:SetWebAcl",
		read:   "wafv2:GetWebACLForResource wafv2:GetWebACL@{webAclArn}",
		delete: "wafv2:DisassociateWebACL elasticloadbalancing:SetWebAcl"},
}

// functionCalls are the actions of each function of the provider. The others ask nobody, or need no permission.
var functionCalls = map[string]string{
	"aws:ec2/getSubnet:getSubnet":                         "ec2:DescribeSubnets@*",
	"aws:ec2/getSubnets:getSubnets":                       "ec2:DescribeSubnets@*",
	"aws:ec2/getVpc:getVpc":                               "ec2:DescribeVpcs@* ec2:DescribeVpcAttribute@* ec2:DescribeRouteTables@*",
	"aws:ecr/getAuthorizationToken:getAuthorizationToken": "ecr:GetAuthorizationToken@*",
	"aws:ecs/getTaskDefinition:getTaskDefinition":         "ecs:DescribeTaskDefinition@*",
	"aws:index/getCallerIdentity:getCallerIdentity":       "",
	"aws:index/getPartition:getPartition":                 "",
	"aws:index/getRegion:getRegion":                       "",
	"aws:lb/getListener:getListener": "elasticloadbalancing:DescribeListeners@* " +
		"elasticloadbalancing:DescribeTags@*",
	"aws:lb/getLoadBalancer:getLoadBalancer": "elasticloadbalancing:DescribeLoadBalancers@* " +
		"elasticloadbalancing:DescribeLoadBalancerAttributes@* elasticloadbalancing:DescribeTags@*",
	"aws:route53/getZone:getZone": "route53:ListHostedZones@* route53:GetHostedZone@arn:aws:route53:::hostedzone/* " +
		"route53:ListTagsForResource@arn:aws:route53:::hostedzone/*",
	"aws:wafv2/getWebAcl:getWebAcl": "wafv2:ListWebACLs@* wafv2:GetWebACL@wafv2:regional/webacl/{name}/*",
}
