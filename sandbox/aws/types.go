package aws

import "slipway/sandbox/account"

// types is every resource type that the sandbox has. One enters when the program registers it.
var types = map[string]*resourceType{
	"aws:acm/certificate:Certificate":                           certificate,
	"aws:acm/certificateValidation:CertificateValidation":       certificateValidation,
	"aws:appautoscaling/policy:Policy":                          scalingPolicy,
	"aws:appautoscaling/scheduledAction:ScheduledAction":        scheduledAction,
	"aws:appautoscaling/target:Target":                          scalableTarget,
	"aws:autoscaling/group:Group":                               autoScalingGroup,
	"aws:cloudwatch/logGroup:LogGroup":                          logGroup,
	"aws:cloudwatch/metricAlarm:MetricAlarm":                    metricAlarm,
	"aws:ec2/launchTemplate:LaunchTemplate":                     launchTemplate,
	"aws:ec2/securityGroup:SecurityGroup":                       securityGroup,
	"aws:ec2/securityGroupRule:SecurityGroupRule":               securityGroupRule,
	"aws:ecr/lifecyclePolicy:LifecyclePolicy":                   lifecyclePolicy,
	"aws:ecr/repositoryPolicy:RepositoryPolicy":                 repositoryPolicy,
	"aws:ecr/repository:Repository":                             repository,
	"aws:ecs/capacityProvider:CapacityProvider":                 capacityProvider,
	"aws:ecs/cluster:Cluster":                                   cluster,
	"aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": clusterCapacityProviders,
	"aws:ecs/service:Service":                                   service,
	"aws:ecs/taskDefinition:TaskDefinition":                     taskDefinition,
	"aws:iam/instanceProfile:InstanceProfile":                   instanceProfile,
	"aws:iam/policy:Policy":                                     managedPolicy,
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment":         rolePolicyAttachment,
	"aws:iam/role:Role":                                         role,
	"aws:iam/rolePolicy:RolePolicy":                             rolePolicy,
	"aws:lb/listener:Listener":                                  listener,
	"aws:lb/listenerRule:ListenerRule":                          listenerRule,
	"aws:lb/loadBalancer:LoadBalancer":                          loadBalancer,
	"aws:lb/targetGroup:TargetGroup":                            targetGroup,
	"aws:route53/record:Record":                                 record,
	"aws:scheduler/schedule:Schedule":                           schedule,
	"aws:servicediscovery/httpNamespace:HttpNamespace":          httpNamespace,
	"aws:secretsmanager/secret:Secret":                          secret,
	"aws:secretsmanager/secretVersion:SecretVersion":            secretVersion,
	"aws:wafv2/webAclAssociation:WebAclAssociation":             webACLAssociation,
}

// function is one function of the provider, and the arguments that the sandbox understands.
type function struct {
	args   []string
	invoke func(a *account.Account, region string, args values) (values, error)
}

var functions = map[string]function{
	"aws:ec2/getSubnet:getSubnet":                         {[]string{"id"}, getSubnet},
	"aws:ec2/getSubnets:getSubnets":                       {[]string{"filters"}, getSubnets},
	"aws:ec2/getVpc:getVpc":                               {[]string{"default", "id"}, getVpc},
	"aws:ecr/getAuthorizationToken:getAuthorizationToken": {[]string{"registryId"}, getAuthorizationToken},
	"aws:ecs/getTaskDefinition:getTaskDefinition":         {[]string{"taskDefinition"}, getTaskDefinition},
	"aws:index/getCallerIdentity:getCallerIdentity":       {nil, getCallerIdentity},
	"aws:index/getPartition:getPartition":                 {nil, getPartition},
	"aws:index/getRegion:getRegion":                       {nil, getRegion},
	"aws:lb/getListener:getListener":                      {[]string{"arn", "loadBalancerArn", "port"}, getListener},
	"aws:lb/getLoadBalancer:getLoadBalancer":              {[]string{"arn", "name"}, getLoadBalancer},
	"aws:route53/getZone:getZone":                         {[]string{"name", "privateZone", "zoneId"}, getZone},
	"aws:wafv2/getWebAcl:getWebAcl":                       {[]string{"name", "scope"}, getWebACL},
}

func getCallerIdentity(a *account.Account, _ string, _ values) (values, error) {
	return values{"accountId": a.ID, "arn": a.Caller.ARN, "id": a.ID, "userId": a.Caller.ID}, nil
}

func getRegion(_ *account.Account, region string, _ values) (values, error) {
	return values{"description": region, "endpoint": "ec2." + region + ".amazonaws.com", "id": region, "name": region}, nil
}

func getPartition(*account.Account, string, values) (values, error) {
	return values{"dnsSuffix": "amazonaws.com", "id": "aws", "partition": "aws", "reverseDnsPrefix": "com.amazonaws"}, nil
}
