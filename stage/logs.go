package stage

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"slipway/internal/awslimits"
)

// Logs are where a container's output goes.
//
// Rule: [ECS LogConfiguration](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LogConfiguration.html)
type Logs struct {
	// Driver is what takes the output: `awslogs` writes it to the log group of the service or the task, `awsfirelens`
	// hands it to the task's log router (`firelens`), which sends it on, and `splunk` sends it to Splunk. `slipway logs`
	// shows what is in the log group only.
	//
	// Allowed: `awsfirelens` where a container of the task is its log router
	// Example: driver: awsfirelens
	Driver string `json:"driver" default:"awslogs" enum:"awslogs,awsfirelens,splunk"`

	// Options are the driver's; `awsfirelens` hands them to the output plugin of the log router. With `mode: non-blocking`
	// a container goes on where its output cannot be taken at once, and loses what the buffer (`max-buffer-size`) does
	// not hold.
	//
	// Default: none
	// Allowed: for `awslogs`: `mode`, `max-buffer-size`, `awslogs-datetime-format` or `awslogs-multiline-pattern`; for
	// `splunk`: its own, and `splunk-url`; for `awsfirelens`: those of the output plugin
	// Example: options: {Name: datadog, Host: http-intake.logs.datadoghq.com, TLS: "on"}
	Options map[string]string `json:"options" outputs:"text"`

	// SecretNames are options whose values are secret: the names of secrets of the stage, by option. ECS reads them with
	// the execution role when the task starts.
	//
	// Default: none
	// Allowed: names in `secrets`; `splunk-token` for `splunk`; none for `awslogs`
	// Example: secrets: {apikey: DATABASE_URL}
	// Rule: [Secrets of a log
	// driver](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-logconfig.html)
	SecretNames map[string]string `json:"secrets"`

	// Secrets are those that SecretNames names, by the option.
	//
	// Example: Secrets["apikey"] is the secret DATABASE_URL
	Secrets map[string]Secret `json:"-"`
}

// ownLogOptions are options of awslogs that slipway sets, with what decides them.
var ownLogOptions = map[string]string{
	"awslogs-group":         "each service and task has a log group of its own",
	"awslogs-create-group":  "each service and task has a log group of its own",
	"awslogs-region":        "the log group is in the stage's region",
	"awslogs-stream-prefix": "`slipway logs` tells containers apart by it",
}

// LogDriver is what takes the container's output.
//
// Example: LogDriver() is "awslogs" where the container has no logs
func (c Container) LogDriver() string {
	if c.Logs == nil {
		return awslimits.CloudWatchDriver
	}
	return c.Logs.Driver
}

// LogsElsewhere says of which containers the output is not in the log group; empty for none. main is the main one.
//
// Example: LogsElsewhere("web") is "the output of the container web goes to splunk, not to CloudWatch Logs"
func (d TaskDefinition) LogsElsewhere(main string) string {
	containers, elsewhere := d.AllContainers(main), []string{}
	for _, name := range slices.Sorted(maps.Keys(containers)) {
		if driver := containers[name].LogDriver(); driver != awslimits.CloudWatchDriver {
			elsewhere = append(elsewhere, fmt.Sprintf("the output of the container %s goes to %s, not to CloudWatch Logs",
				name, driver))
		}
	}
	return strings.Join(elsewhere, "; ")
}

// checkLogs checks where the output of the container here goes.
func (c *checker) checkLogs(container place, logs *Logs) {
	here := container.at("logs")
	if logs == nil || here.bad || here.at("driver").bad {
		return
	}
	for _, option := range slices.Sorted(maps.Keys(logs.Options)) {
		here.at("options", option).failIf(refusesOption(logs.Driver, option, logs.Options[option]))
	}
	if hasKey(logs.Options, "awslogs-datetime-format") && hasKey(logs.Options, "awslogs-multiline-pattern") {
		here.at("options", "awslogs-multiline-pattern").fail("cannot be combined with " +
			"awslogs-datetime-format; remove one of them")
	}
	if hasKey(logs.Options, "max-buffer-size") && logs.Options["mode"] == "blocking" {
		here.at("options", "max-buffer-size").fail("is for logs.options.mode: non-blocking, as blocking has no buffer; " +
			"remove it, or write that mode")
	}
	if logs.Driver == awslimits.SplunkDriver {
		c.checkSplunk(here, logs)
	}
	declared := slices.Sorted(maps.Keys(c.document.Secrets))
	for option, secret := range logs.SecretNames {
		own := here.at("secrets", option)
		switch {
		case logs.Driver == awslimits.CloudWatchDriver:
			own.fail("is an option of awslogs, which takes none that is secret; remove it, or write logs.driver")
		case hasKey(logs.Options, option):
			own.fail("is in %s, too; remove one of them", here.at("options").key())
		case logs.Driver == awslimits.SplunkDriver && !slices.Contains(awslimits.LogOptions[logs.Driver], option):
			own.fail("is no option of splunk; allowed: splunk-token")
		case !slices.Contains(declared, secret) && !c.at("secrets").bad:
			// Not shown: it may be the value itself.
			own.fail("is not the name of a secret; declare it in secrets, with its value, encrypted, or its ARN%s",
				orOneOf(declared))
		}
	}
}

// checkSplunk checks what Splunk cannot be reached without.
func (c *checker) checkSplunk(here place, logs *Logs) {
	if !hasKey(logs.Options, "splunk-url") && !here.at("options").bad {
		here.at("options").fail(`has no splunk-url; write where Splunk takes events, as in "https://splunk.example.com:8088"`)
	}
	if !hasKey(logs.SecretNames, "splunk-token") && !here.at("secrets").bad && !hasKey(logs.Options, "splunk-token") {
		here.at("secrets").fail("has no splunk-token; write the name of the secret that holds it, as in " +
			"{splunk-token: SPLUNK_TOKEN}")
	}
}

// refusesOption says why a log driver does not take an option with a value; empty where it does.
func refusesOption(driver, option, value string) string {
	why, own := ownLogOptions[option]
	allowed := slices.DeleteFunc(slices.Clone(awslimits.LogOptions[driver]), func(o string) bool {
		return hasKey(ownLogOptions, o) || o == "splunk-token"
	})
	switch {
	case option == "":
		return "is no name of an option; remove it"
	case driver == awslimits.CloudWatchDriver && own:
		return "is what slipway sets itself, as " + why + "; remove it"
	case option == "splunk-token":
		return "is a secret; write the name of the one that holds it in logs.secrets, as in {splunk-token: SPLUNK_TOKEN}"
	case driver == awslimits.FireLensDriver:
		return ""
	case !slices.Contains(allowed, option):
		return "is no option of " + driver + "; allowed: " + enumerate(allowed)
	case option == "mode" && value != "blocking" && value != "non-blocking":
		return fmt.Sprintf("is %q; allowed: blocking, non-blocking", shorten(value))
	case option == "max-buffer-size" && !awslimits.LogBuffer.MatchString(value):
		return fmt.Sprintf("is %q; write a size as in 25m", shorten(value))
	}
	return ""
}
