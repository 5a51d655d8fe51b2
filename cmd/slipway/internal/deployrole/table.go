package deployrole

// row says what somebody may do: the actions, and the names of what they are done to.
type row struct {
	// of is a resource type that the program declares, or who makes the calls.
	of string
	// purposes are what a role is for that needs it.
	purposes purposes
	// actions are those of one AWS service. A type's are in the order in which the official provider makes the calls: to
	// create; to read; to update; to delete.
	actions string
	on      func(*names) []string
	// when narrows them further; nil for no condition.
	when func(*names) conditions
}

// table is all that is called in AWS for a stage. The calls of the provider are those of the Terraform provider that
// pulumi-aws v6 bridges (https://github.com/hashicorp/terraform-provider-aws/tree/v5.100.0/internal/service); what AWS
// asks for besides, and which actions have resources, is in the Service Authorization Reference
// (https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html).
// sts:GetCallerIdentity needs no permission.
var table = []row{
	// The cluster, its services and their task definitions. ECS has no resources for most actions on the latter.
	{"aws:ecs/cluster:Cluster", update, "ecs: CreateCluster TagResource; DescribeClusters; UpdateCluster UntagResource; " +
		"DeleteCluster", (*names).clusters, nil},
	{"aws:ecs/clusterCapacityProviders:ClusterCapacityProviders", update, "ecs: PutClusterCapacityProviders; " +
		"DescribeClusters", (*names).clustersWithCapacity, nil},
	{"aws:ecs/clusterCapacityProviders:ClusterCapacityProviders", update | preview, "ecs: ; ListServices",
		anyWith((*names).clustersWithCapacity), nil},
	{"aws:servicediscovery/httpNamespace:HttpNamespace", update, "servicediscovery: CreateHttpNamespace TagResource; " +
		"GetOperation ListTagsForResource; UntagResource", anyWith((*names).namespaces), nil},
	{"aws:servicediscovery/httpNamespace:HttpNamespace", update, "servicediscovery: ; GetNamespace; ; DeleteNamespace",
		(*names).namespaces, nil},
	{"aws:ecs/service:Service", update, "ecs: CreateService TagResource; DescribeServices; UpdateService UntagResource; " +
		"DeleteService", (*names).services, nil},
	{"aws:ecs/taskDefinition:TaskDefinition", update, "ecs: RegisterTaskDefinition", anyWith((*names).taskDefinitions),
		requestTags},
	{"aws:ecs/taskDefinition:TaskDefinition", update, "ecs: TagResource; ; UntagResource", (*names).taskDefinitions, nil},
	{"aws:ecs/taskDefinition:TaskDefinition", update, "ecs: ; DescribeTaskDefinition", anyWith((*names).taskDefinitions),
		nil},
	{"aws:ecs/taskDefinition:TaskDefinition", update, "iam: PassRole", (*names).taskRoles, passedTo("ecs-tasks")},
	{"aws:ecs/cluster:Cluster", update, "iam: CreateServiceLinkedRole", linkedRole("ecs.amazonaws.com", (*names).clusters),
		linkedFor("ecs.amazonaws.com")},
	{"aws:cloudwatch/logGroup:LogGroup", update, "logs: CreateLogGroup TagResource PutRetentionPolicy; ListTagsForResource; " +
		"UntagResource; DeleteLogGroup", (*names).logGroups, nil},
	{"aws:cloudwatch/logGroup:LogGroup", update, "logs: ; DescribeLogGroups", (*names).allLogGroups, nil},

	// Images. Whoever builds pushes, with the permissions that the token of the login has.
	{"aws:ecr/repository:Repository", update, "ecr: CreateRepository TagResource; DescribeRepositories ListTagsForResource; " +
		"PutImageTagMutability PutImageScanningConfiguration UntagResource; DeleteRepository", (*names).repositories, nil},
	{"aws:ecr/lifecyclePolicy:LifecyclePolicy", update, "ecr: PutLifecyclePolicy; GetLifecyclePolicy; ; DeleteLifecyclePolicy",
		(*names).repositories, nil},
	{"aws:ecr/repositoryPolicy:RepositoryPolicy", update, "ecr: SetRepositoryPolicy; GetRepositoryPolicy; ; " +
		"DeleteRepositoryPolicy", (*names).readable, nil},
	{"docker:index/image:Image, copies of images", update, "ecr: BatchCheckLayerAvailability InitiateLayerUpload UploadLayerPart " +
		"CompleteLayerUpload PutImage BatchGetImage GetDownloadUrlForLayer", (*names).pushed, nil},

	// Roles. A permissions boundary of the stage's must be on each of them, and stay.
	{"aws:iam/role:Role", update, "iam: CreateRole", (*names).roles, bounded},
	{"aws:iam/role:Role", update, "iam: TagRole; GetRole ListRolePolicies GetRolePolicy ListAttachedRolePolicies; " +
		"UpdateAssumeRolePolicy UntagRole; ListInstanceProfilesForRole DeleteRole", (*names).roles, nil},
	{"aws:iam/role:Role", update, "iam: ; ; PutRolePermissionsBoundary", (*names).boundedRoles, bounded},
	{"aws:iam/role:Role", update, "iam: ; ; DeleteRolePermissionsBoundary", (*names).freeRoles, nil},
	{"aws:iam/rolePolicy:RolePolicy", update, "iam: PutRolePolicy", (*names).roles, bounded},
	{"aws:iam/rolePolicy:RolePolicy", update, "iam: ; GetRolePolicy; ; DeleteRolePolicy", (*names).roles, nil},
	{"aws:iam/policy:Policy", update, "iam: CreatePolicy TagPolicy; GetPolicy GetPolicyVersion; UntagPolicy; " +
		"ListPolicyVersions DeletePolicy", (*names).policies, nil},
	{"aws:iam/rolePolicyAttachment:RolePolicyAttachment", update, "iam: AttachRolePolicy", (*names).attachedRoles, bounded},
	{"aws:iam/rolePolicyAttachment:RolePolicyAttachment", update, "iam: ; ListAttachedRolePolicies; ; DetachRolePolicy",
		(*names).attachedRoles, nil},

	// Instances. EC2 Auto Scaling tries with the caller's permissions whether it could start one
	// (https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-launch-template-permissions.html).
	{"aws:iam/instanceProfile:InstanceProfile", update, "iam: CreateInstanceProfile TagInstanceProfile " +
		"AddRoleToInstanceProfile; GetInstanceProfile; UntagInstanceProfile; RemoveRoleFromInstanceProfile " +
		"DeleteInstanceProfile", (*names).instanceProfiles, nil},
	{"aws:iam/instanceProfile:InstanceProfile", update, "iam: PassRole", (*names).instanceRoles, passedTo("ec2")},
	{"aws:ec2/launchTemplate:LaunchTemplate", update, "ec2: CreateLaunchTemplate CreateTags", (*names).launchTemplates,
		requestTags},
	{"aws:ec2/launchTemplate:LaunchTemplate", update, "ec2: ; ; CreateLaunchTemplateVersion ModifyLaunchTemplate " +
		"CreateTags DeleteTags; DeleteLaunchTemplate", (*names).launchTemplates, ownTags},
	{"aws:ec2/launchTemplate:LaunchTemplate", update, "ec2: ; DescribeLaunchTemplates DescribeLaunchTemplateVersions",
		anyWith((*names).launchTemplates), nil},
	{"aws:autoscaling/group:Group", update, "autoscaling: CreateAutoScalingGroup CreateOrUpdateTags; ; " +
		"UpdateAutoScalingGroup DeleteTags; DeleteAutoScalingGroup", (*names).autoScalingGroups, nil},
	{"aws:autoscaling/group:Group", update, "autoscaling: ; DescribeAutoScalingGroups DescribeScalingActivities",
		anyWith((*names).autoScalingGroups), nil},
	{"aws:autoscaling/group:Group", update, "ec2: RunInstances CreateTags; ; RunInstances",
		anyWith((*names).autoScalingGroups), nil},
	{"aws:autoscaling/group:Group", update, "ssm: GetParameters", (*names).instanceImages, nil},
	{"aws:autoscaling/group:Group", update, "iam: CreateServiceLinkedRole",
		linkedRole("autoscaling.amazonaws.com", (*names).autoScalingGroups), linkedFor("autoscaling.amazonaws.com")},
	{"aws:ecs/capacityProvider:CapacityProvider", update, "ecs: CreateCapacityProvider TagResource; " +
		"DescribeCapacityProviders; UpdateCapacityProvider UntagResource; DeleteCapacityProvider",
		(*names).capacityProviders, nil},

	{"aws:secretsmanager/secret:Secret", update, "secretsmanager: CreateSecret TagResource; DescribeSecret GetResourcePolicy; " +
		"UpdateSecret UntagResource; DeleteSecret", (*names).secrets, nil},
	{"aws:secretsmanager/secretVersion:SecretVersion", update, "secretsmanager: PutSecretValue; GetSecretValue; ; " +
		"UpdateSecretVersionStage", (*names).secrets, nil},

	// Security groups are known by their tags.
	{"aws:ec2/securityGroup:SecurityGroup", update, "ec2: CreateSecurityGroup", (*names).vpcs, nil},
	{"aws:ec2/securityGroup:SecurityGroup", update, "ec2: CreateSecurityGroup CreateTags", (*names).securityGroups,
		requestTags},
	{"aws:ec2/securityGroup:SecurityGroup", update, "ec2: RevokeSecurityGroupEgress AuthorizeSecurityGroupEgress; ; " +
		"CreateTags DeleteTags; DeleteSecurityGroup", (*names).securityGroups, ownTags},
	{"aws:ec2/securityGroup:SecurityGroup", update, "ec2: ; DescribeSecurityGroups; ; DescribeNetworkInterfaces",
		anyWith((*names).securityGroups), nil},
	{"aws:ec2/securityGroupRule:SecurityGroupRule", update, "ec2: AuthorizeSecurityGroupIngress " +
		"AuthorizeSecurityGroupEgress; ; ; RevokeSecurityGroupIngress RevokeSecurityGroupEgress", (*names).securityGroups, ownTags},
	{"aws:ec2/securityGroupRule:SecurityGroupRule", update, "ec2: ; DescribeSecurityGroups DescribeSecurityGroupRules",
		anyWith((*names).securityGroups), nil},

	// Ways in. Elastic Load Balancing looks at the network with the caller's permissions
	// (https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-permissions.html).
	{"aws:lb/loadBalancer:LoadBalancer", update, "elasticloadbalancing: CreateLoadBalancer AddTags ModifyLoadBalancerAttributes; " +
		"; SetSecurityGroups SetSubnets RemoveTags; DeleteLoadBalancer", (*names).balancers, nil},
	{"aws:lb/loadBalancer:LoadBalancer", update, "elasticloadbalancing: ; DescribeLoadBalancers " +
		"DescribeLoadBalancerAttributes DescribeTags", anyWith((*names).balancers), nil},
	{"aws:lb/loadBalancer:LoadBalancer", update, "ec2: DescribeAccountAttributes DescribeAddresses DescribeInternetGateways " +
		"DescribeSecurityGroups DescribeSubnets DescribeVpcs; ; ; DescribeNetworkInterfaces", anyWith((*names).balancers), nil},
	{"aws:lb/loadBalancer:LoadBalancer", update, "iam: CreateServiceLinkedRole",
		linkedRole("elasticloadbalancing.amazonaws.com", (*names).balancers),
		linkedFor("elasticloadbalancing.amazonaws.com")},
	{"aws:lb/listener:Listener", update, "elasticloadbalancing: CreateListener", (*names).balancers, nil},
	{"aws:lb/listener:Listener", update, "elasticloadbalancing: AddTags ModifyListenerAttributes; ; ModifyListener RemoveTags; " +
		"DeleteListener", (*names).ownListeners, nil},
	{"aws:lb/listener:Listener", update, "elasticloadbalancing: ; DescribeListeners DescribeListenerAttributes DescribeTags",
		anyWith((*names).ownListeners), nil},
	{"aws:lb/listenerRule:ListenerRule", update, "elasticloadbalancing: CreateRule", (*names).listeners, nil},
	{"aws:lb/listenerRule:ListenerRule", update, "elasticloadbalancing: AddTags; ; ModifyRule SetRulePriorities RemoveTags; " +
		"DeleteRule", (*names).rules, nil},
	{"aws:lb/listenerRule:ListenerRule", update, "elasticloadbalancing: ; DescribeRules DescribeTags", anyWith((*names).rules),
		nil},
	{"aws:lb/targetGroup:TargetGroup", update, "elasticloadbalancing: CreateTargetGroup AddTags ModifyTargetGroupAttributes; ; " +
		"ModifyTargetGroup RemoveTags; DeleteTargetGroup", (*names).targetGroups, nil},
	{"aws:lb/targetGroup:TargetGroup", update, "elasticloadbalancing: ; DescribeTargetGroups DescribeTargetGroupAttributes " +
		"DescribeTags", anyWith((*names).targetGroups), nil},
	{"aws:lb/targetGroup:TargetGroup", update, "ec2: DescribeInternetGateways DescribeVpcs", anyWith((*names).targetGroups), nil},
	{"aws:wafv2/webAclAssociation:WebAclAssociation", update, "wafv2: AssociateWebACL; GetWebACLForResource; ; " +
		"DisassociateWebACL", (*names).associated, nil},
	{"aws:wafv2/webAclAssociation:WebAclAssociation", update, "elasticloadbalancing: SetWebAcl; ; ; SetWebAcl",
		(*names).protected, nil},
	{"aws:route53/record:Record", update, "route53: ChangeResourceRecordSets", (*names).zones, ownRecords},
	{"aws:route53/record:Record", update, "route53: ; GetHostedZone ListResourceRecordSets", (*names).zones, nil},
	{"aws:route53/record:Record", update, "route53: GetChange", (*names).changes, nil},
	{"aws:acm/certificate:Certificate", update, "acm: RequestCertificate AddTagsToCertificate", (*names).certificates, requestTags},
	{"aws:acm/certificate:Certificate", update, "acm: ; DescribeCertificate ListTagsForCertificate; AddTagsToCertificate " +
		"RemoveTagsFromCertificate; DeleteCertificate", (*names).certificates, ownTags},
	{"aws:acm/certificateValidation:CertificateValidation", update, "acm: ; DescribeCertificate", (*names).certificates, ownTags},

	// What acts by itself. Application Auto Scaling asks ECS and CloudWatch with the caller's permissions
	// (https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_id-based-policy-examples.html).
	{"aws:appautoscaling/target:Target", update, "application-autoscaling: RegisterScalableTarget; ; ; DeregisterScalableTarget",
		(*names).scalableTargets, ofECS},
	{"aws:appautoscaling/target:Target", update, "application-autoscaling: TagResource; ListTagsForResource; UntagResource",
		(*names).scalableTargets, nil},
	{"aws:appautoscaling/target:Target", update, "application-autoscaling: ; DescribeScalableTargets",
		anyWith((*names).scalableTargets), nil},
	{"aws:appautoscaling/target:Target", update, "iam: CreateServiceLinkedRole",
		linkedRole("ecs.application-autoscaling.amazonaws.com", (*names).scalableTargets),
		linkedFor("ecs.application-autoscaling.amazonaws.com")},
	{"aws:appautoscaling/policy:Policy", update, "application-autoscaling: PutScalingPolicy; ; ; DeleteScalingPolicy",
		(*names).scalableTargets, ofECS},
	{"aws:appautoscaling/policy:Policy", update, "application-autoscaling: ; DescribeScalingPolicies",
		anyWith((*names).scalableTargets), nil},
	{"aws:appautoscaling/policy:Policy", update, "cloudwatch: PutMetricAlarm; ; ; DeleteAlarms", (*names).scalingAlarms, nil},
	{"aws:appautoscaling/scheduledAction:ScheduledAction", update, "application-autoscaling: PutScheduledAction; ; ; " +
		"DeleteScheduledAction", (*names).scalableTargets, ofECS},
	{"aws:appautoscaling/scheduledAction:ScheduledAction", update, "application-autoscaling: ; DescribeScheduledActions",
		anyWith((*names).scalableTargets), nil},
	{"aws:cloudwatch/metricAlarm:MetricAlarm", update, "cloudwatch: PutMetricAlarm TagResource; ListTagsForResource; " +
		"UntagResource; DeleteAlarms", (*names).alarms, nil},
	{"aws:cloudwatch/metricAlarm:MetricAlarm", update, "cloudwatch: ; DescribeAlarms", (*names).allAlarms, nil},
	{"aws:scheduler/schedule:Schedule", update, "scheduler: CreateSchedule; GetSchedule; UpdateSchedule; DeleteSchedule",
		(*names).schedules, nil},
	{"aws:scheduler/schedule:Schedule", update, "iam: PassRole", (*names).scheduleRoles, passedTo("scheduler")},

	// What the program asks, in a preview, too: through the provider, and by itself.
	{"the network", update | preview, "ec2: DescribeVpcs DescribeVpcAttribute DescribeRouteTables DescribeSubnets", anything, nil},
	{"logins to ECR", update | preview | read | promoteTo, "ecr: GetAuthorizationToken", anyWith((*names).logins), nil},
	{"images elsewhere", update | preview | read | promoteTo, "ecr: BatchGetImage GetDownloadUrlForLayer",
		(*names).elsewhere, nil},
	{"images elsewhere", update | preview, "secretsmanager: GetSecretValue", (*names).passwords, nil},
	{"pinned images", update | preview, "ecr: DescribeImages BatchGetImage GetDownloadUrlForLayer",
		(*names).imageRepositories, nil},
	{"repositories of before", update | preview, "ecr: ListImages", (*names).formerRepositories, nil},
	{"what copies lack", update | preview, "ecr: BatchCheckLayerAvailability", (*names).copied, nil},
	{"pinned revisions", update | preview, "ecs: DescribeTaskDefinition", anyWith((*names).taskDefinitions), nil},
	{"an existing load balancer", update | preview, "elasticloadbalancing: DescribeLoadBalancers " +
		"DescribeLoadBalancerAttributes DescribeListeners DescribeListenerAttributes DescribeTags",
		anyWith((*names).existingBalancers), nil},
	{"the web ACL", update | preview, "wafv2: ListWebACLs", anyWith((*names).webACLs), nil},
	{"the web ACL", update | preview, "wafv2: GetWebACL", (*names).webACLs, nil},
	{"the hosted zone", update | preview, "route53: ListHostedZones", anyWith((*names).zones), nil},
	{"the hosted zone", update | preview, "route53: GetHostedZone ListTagsForResource", (*names).zones, nil},
	{"services before an update", update | preview, "ecs: DescribeServices", (*names).services, nil},
	{"owners of names", update | preview, "iam: GetRole", lookedUp((*names).ownersRoles), nil},
	{"roles with managed policies", update | preview, "iam: ListRolePolicies", lookedUp((*names).rolesOfPolicies), nil},
	{"tasks before a deployment", update | preview, "ecs: ListTasks", anyWith((*names).predeploys), inCluster},
	{"tasks before a deployment", update | preview, "ecs: DescribeTasks", (*names).runningTasks, nil},

	// What an update does besides: it keeps images, watches deployments and runs tasks.
	{"retention", update, "ecr: ListImages BatchGetImage PutImage BatchDeleteImage", (*names).imageRepositories, nil},
	{"retention", update, "ecs: ListTaskDefinitions ListTaskDefinitionFamilies DescribeTaskDefinition",
		anyWith((*names).taskDefinitions), nil},
	{"the rollout", update, "ecs: ListTasks", anyWith((*names).services), inCluster},
	{"the rollout", update, "ecs: DescribeTasks", (*names).runningTasks, nil},
	{"the rollout", update, "logs: GetLogEvents", (*names).logGroups, nil},
	{"a task before a deployment, slipway run", update, "ecs: RunTask", (*names).taskFamilies, inCluster},
	{"a task before a deployment, slipway run", update, "ecs: StopTask TagResource", (*names).runningTasks, nil},
	{"a task before a deployment, slipway run", update, "logs: FilterLogEvents GetLogEvents", (*names).logGroups, nil},

	// The commands that read. A preview has what status finds.
	{"status", everybody, "ecs: DescribeServices", (*names).services, nil},
	{"status", everybody, "ecs: DescribeTaskDefinition ListTaskDefinitions", anyWith((*names).taskDefinitions), nil},
	{"status", everybody, "ecs: ListTasks", anyWith((*names).taskDefinitions), inCluster},
	{"status", everybody, "ecs: DescribeTasks", (*names).runningTasks, nil},
	{"status", everybody, "ecr: ListImages", (*names).imageRepositories, nil},
	{"status", update | preview | read, "scheduler: GetSchedule", (*names).schedules, nil},
	{"logs", update | read, "logs: FilterLogEvents", (*names).logGroups, nil},
	{"rollback", update | read, "secretsmanager: DescribeSecret ListSecretVersionIds", (*names).secrets, nil},
	{"rollback, verify", update | read, "secretsmanager: DescribeSecret ListSecretVersionIds", (*names).namedSecrets, nil},
	{"verify", update | read, "ssm: GetParameters", (*names).parameters, nil},
	{"verify", update | read, "ecr: DescribeRepositories DescribeImages BatchGetImage GetDownloadUrlForLayer",
		(*names).imageRepositories, nil},
	{"verify", update | read, "iam: GetRole ListRolePolicies SimulatePrincipalPolicy", lookedUp((*names).roles), nil},
	{"verify", update | read, "iam: GetRole", linkedRole("*", (*names).clusters), nil},
	{"verify", update | read, "iam: GetPolicy", (*names).boundaries, nil},
	{"verify", update | read, "ec2: DescribeVpcs DescribeSubnets DescribeRouteTables DescribeVpcEndpoints", anything, nil},
	{"verify", update | read, "route53: ListHostedZonesByName", anyWith((*names).zones), nil},
	{"verify", update | read, "acm: DescribeCertificate", (*names).namedCertificates, nil},
	{"verify", update | read, "sqs: GetQueueUrl", (*names).queues, nil},

	// recover finds by names and tags what a state has lost.
	{"recover", update, "ecs: DescribeClusters", (*names).clusters, nil},
	{"recover", update, "servicediscovery: ListNamespaces ListTagsForResource", anyWith((*names).namespaces), nil},
	{"recover", update, "secretsmanager: ListSecrets", anyWith((*names).secrets), nil},
	{"recover", update, "acm: ListCertificates", anyWith((*names).certificates), nil},
}
