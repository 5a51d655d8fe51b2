// Package awslimits has AWS's quotas and patterns for what a stage file decides: one table, with which stage/ checks
// what people write, components/ what is made from it, and the sandbox's account what it is asked to make. Quotas that
// AWS raises on request are not here: what an account has of them is its own.
package awslimits

import (
	"regexp"
	"strings"
	"unicode"
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
var ECSName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)

// VariableName is that of an environment variable. ECS documents no pattern
// (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_KeyValuePair.html), and Docker takes any text without
// = and NUL; this is printable ASCII.
var VariableName = regexp.MustCompile(`^[!-<>-~]+$`)

// Ulimits are the limits of processes that ECS knows; -1 stands for none
// (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Ulimit.html).
var Ulimits = strings.Fields("core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack")

// SoftAboveHard tells whether a soft limit of processes is above the hard one, which Docker refuses.
func SoftAboveHard(soft, hard int) bool { return hard != -1 && (soft == -1 || soft > hard) }

// Identity and Access Management (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html). Names
// are unique whatever their case.
const (
	// RoleName is the longest name of a role, in characters.
	RoleName = 64
	// InlinePolicies is what all inline policies of a role may have together, in characters that are no white space.
	InlinePolicies = 10240
	// ManagedPolicy is what a managed policy may have, in characters that are no white space.
	ManagedPolicy = 6144
	// ManagedPolicies is how many managed policies a role may have where AWS has raised nothing.
	ManagedPolicies = 10
)

// Policy counts the characters of a policy as IAM does.
func Policy(text string) int {
	count := 0
	for _, r := range text {
		if !unicode.IsSpace(r) {
			count++
		}
	}
	return count
}

// IAMName is that of a role or a policy (https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html).
var IAMName = regexp.MustCompile(`^[\w+=,.@-]{1,128}$`)

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
	// HealthCheckPath is the longest path of a health check, in characters
	// (https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html).
	HealthCheckPath = 1024
)

// HostPattern and PathPattern are the values of a listener rule's conditions
// (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html).
var (
	HostPattern = regexp.MustCompile(`^[a-z0-9*?-]+(\.[a-z0-9*?-]+)*\.[a-z]+$`)
	PathPattern = regexp.MustCompile(`^/[A-Za-z0-9_.$/~"'@:+&*?-]*$`)
)

// Elastic Container Registry (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html).
const RepositoryNameLength = 256

// RepositoryName is that of a repository.
var RepositoryName = regexp.MustCompile(`^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$`)

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
)

// EventBridge Scheduler (https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html).
var ScheduleName = regexp.MustCompile(`^[0-9A-Za-z_.-]{1,64}$`)

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
	// NotTag is what no tag's key may begin with, whatever its case.
	NotTag = "aws:"
)

// TagText is a key or a value of a tag, as all of AWS's services take it.
var TagText = regexp.MustCompile(`^[\pL\pN +\-=._:/@]*$`)

// NotInText is what no variable, argument or name can hold: a process is given texts that end with it
// (https://docs.docker.com/reference/cli/docker/container/run/#env). Other control characters are text.
const NotInText = "\x00"
