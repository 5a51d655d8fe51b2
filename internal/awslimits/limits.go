// Package awslimits has AWS's quotas and patterns for what a stage file decides: one table, with which stage/ checks
// what people write, components/ what is made from it, and the sandbox's account what it is asked to make. Quotas that
// AWS raises on request are not here: what an account has of them is its own.
package awslimits

import (
	"regexp"
	"strconv"
	"strings"
)

// Elastic Container Service.
const (
	// TaskDefinitionSize is what a task definition may have, in bytes
	// (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html).
	TaskDefinitionSize = 64 << 10
	// Containers is how many a task definition may have
	// (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html).
	Containers = 10
	// ServiceSubnets is how many subnets a service's network configuration may have
	// (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AwsVpcConfiguration.html).
	ServiceSubnets = 16
)

// ECSName is that of a cluster, a service, a family, a container or a volume
// (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html).
var ECSName = pattern(`^[A-Za-z0-9_-]{1,255}$`)

// EFSFileSystem and EFSAccessPoint are ids of Amazon EFS
// (https://docs.aws.amazon.com/efs/latest/ug/API_CreateAccessPoint.html).
var (
	EFSFileSystem  = pattern(`^fs-[0-9a-f]{8,40}$`)
	EFSAccessPoint = pattern(`^fsap-[0-9a-f]{8,40}$`)
)

// WebACL is what follows the account in the ARN of a web ACL of AWS WAF for resources of a region
// (https://docs.aws.amazon.com/waf/latest/APIReference/API_AssociateWebACL.html).
var WebACL = pattern(`^regional/webacl/[\w-]{1,128}/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// VPCID, SubnetID, SecurityGroupID and PrefixListID are the forms of ids of EC2
// (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html).
var (
	VPCID    = pattern(`^vpc-[0-9a-f]{8,17}$`)
	SubnetID = pattern(`^subnet-[0-9a-f]{8,17}$`)

	SecurityGroupID = pattern(`^sg-[0-9a-f]{8,17}$`)
	PrefixListID    = pattern(`^pl-[0-9a-f]{8,17}$`)
)

// VariableName is that of an environment variable. ECS documents no pattern
// (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_KeyValuePair.html), and Docker takes any text without
// = and NUL; this is printable ASCII.
var VariableName = pattern(`^[!-<>-~]+$`)

// Ulimits are the limits of processes that ECS knows; -1 stands for none
// (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Ulimit.html).
var Ulimits = strings.Fields("core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime " +
	"sigpending stack")

// SoftAboveHard tells whether a soft limit of processes is above the hard one, which Docker refuses.
func SoftAboveHard(soft, hard int) bool { return hard != -1 && (soft == -1 || soft > hard) }

// Elastic Load Balancing
// (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html).
const (
	// LoadBalancerSubnets is how many subnets a load balancer may have.
	LoadBalancerSubnets = 16
	// RuleValues is how many values the conditions of a listener rule may have together, RuleWildcards how many
	// wildcards.
	RuleValues    = 5
	RuleWildcards = 6
	// RuleValue is the longest value of a condition, in characters
	// (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html).
	RuleValue = 128
	// RuleHeaderValues is how many values the condition of one header may have.
	RuleHeaderValues = 3
	// HealthCheckPath is the longest path of a health check, in characters
	// (https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html).
	HealthCheckPath = 1024
)

// HostPattern, PathPattern and HeaderPattern are the values of a listener rule's conditions, HeaderName is a header's
// name in one
// (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html).
var (
	HeaderName    = pattern("^[!#$%&'+.^_`|~0-9A-Za-z-]{1,40}$")
	HeaderPattern = pattern(`^[ -~]+$`)

	HostPattern = pattern(`^[a-z0-9*?-]+(\.[a-z0-9*?-]+)*\.[a-z]+$`)
	PathPattern = pattern(`^/[A-Za-z0-9_.$/~"'@:+&*?-]*$`)
)

// Elastic Container Registry (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html).
const RepositoryNameLength = 256

// RepositoryName is that of a repository.
var RepositoryName = pattern(`^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$`)

// SecurityGroupText is the name or the description of a security group
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html).
var SecurityGroupText = pattern(`^[A-Za-z0-9 ._:/()#,@\[\]+=&;{}!$*-]{1,255}$`)

// LogGroup is the name of one
// (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html).
var LogGroup = pattern(`^[.\-_/#A-Za-z0-9]{1,512}$`)

// SecretName is that of a secret of Secrets Manager, up to 512 characters of them
// (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html).
var SecretName = pattern(`^[A-Za-z0-9/_+=.@-]{1,512}$`)

// NotSecurityGroup is what no security group's name may begin with
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html).
const NotSecurityGroup = "sg-"

// CloudWatch (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html).
const (
	// AlarmName is the longest name of an alarm, in characters.
	AlarmName = 255
	// DeploymentAlarms is how many alarms a deployment may have
	// (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html).
	DeploymentAlarms = 10
	// MetricDimensions is how many dimensions a metric may have.
	MetricDimensions = 30
	// StepAdjustments is how many steps a scaling policy may have
	// (https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-limits.html).
	StepAdjustments = 20
)

// EventBridge Scheduler (https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html).
var ScheduleName = pattern(`^[0-9A-Za-z_.-]{1,64}$`)

// SecretSize is what one value of Secrets Manager may have, in bytes
// (https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html).
const SecretSize = 65536

// Tags (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html,
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html). IAM takes keys that differ in their case only for
// one.
const (
	Tags     = 50
	TagKey   = 128
	TagValue = 256
	// NotTag is what no tag's key and no value may begin with, whatever its case.
	NotTag = "aws:"
)

// TagText is a key or a value of a tag, as all of AWS's services take it.
var TagText = pattern(`^[\pL\pN +\-=._:/@]*$`)

// NotInText is what no variable, argument or name can hold: a process is given texts that end with it
// (https://docs.docker.com/reference/cli/docker/container/run/#env). Other control characters are text.
const NotInText = "\x00"

// DNS, and ACM, whose certificates a load balancer shows
// (https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html,
// https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html).
const (
	// DNSLabel is the longest part of a name between two dots, DNSName the longest name, in characters.
	DNSLabel = 63
	DNSName  = 255
	// CertificateDomain is the longest name that a certificate is issued for first; others are as long as any name.
	CertificateDomain = 64
)

// CertificateLabel is a part of a name that a certificate can be for.
var CertificateLabel = pattern(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

// Codes tells whether a text is a list of codes and of ranges of codes within these bounds, as the health check of a
// target group has it (https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Matcher.html).
func Codes(text string, least, most int) bool {
	for _, part := range strings.Split(text, ",") {
		match := codes.FindStringSubmatch(part)
		if match == nil {
			return false
		}
		first, _ := strconv.Atoi(match[1]) // of three digits at most
		last, err := strconv.Atoi(match[2])
		if err != nil { // one code
			last = first
		}
		if first < least || last < first || last > most {
			return false
		}
	}
	return true
}

var codes = regexp.MustCompile(`^([0-9]{1,3})(?:-([0-9]{1,3}))?$`)
