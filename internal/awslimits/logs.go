package awslimits

import "strings"

// Log drivers that Fargate has (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LogConfiguration.html).
const (
	CloudWatchDriver = "awslogs"
	FireLensDriver   = "awsfirelens"
	SplunkDriver     = "splunk"
)

// LogOptions are the options that a log driver takes. awsfirelens is not among them: it hands its own to the router.
var LogOptions = map[string][]string{
	CloudWatchDriver: strings.Fields("awslogs-create-group awslogs-datetime-format awslogs-group " +
		"awslogs-multiline-pattern awslogs-region awslogs-stream-prefix max-buffer-size mode"),
	SplunkDriver: strings.Fields("env env-regex labels labels-regex max-buffer-size mode splunk-caname splunk-capath " +
		"splunk-format splunk-gzip splunk-gzip-level splunk-index splunk-insecureskipverify splunk-source " +
		"splunk-sourcetype splunk-token splunk-url splunk-verify-connection tag"),
}

// RequiredLogOptions are those without which a log driver has nowhere to write to.
var RequiredLogOptions = map[string][]string{
	CloudWatchDriver: {"awslogs-group", "awslogs-region"}, SplunkDriver: {"splunk-token", "splunk-url"},
}

// LogBuffer is a size of the buffer of a log driver in mode non-blocking.
var LogBuffer = pattern(`^[1-9]\d*[kmg]?$`)

// FireLensUser is whom ECS runs a log router as, and what it writes into the definition of one
// (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/firelens-taskdef.html).
const FireLensUser = "0"

// FireLensOptions are those of a log router
// (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_firelens.html).
var FireLensOptions = []string{"enable-ecs-log-metadata", "config-file-type", "config-file-value"}
