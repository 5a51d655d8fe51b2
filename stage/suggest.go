package stage

import (
	"reflect"
	"slices"
	"strings"

	"slipway/internal/spelling"
	"slipway/stage/fields"
)

// otherWords are what other tools, and people, call the keys of a stage, by key: in lower case and without separators.
// Of several keys that a word may mean, the first is looked for first.
var otherWords = []struct{ key, words string }{
	// how many
	{"scaling", "autoscale autoscaling"},
	{"replicas", "count desired desiredcount desiredtasks instances tasks"},
	{"scaleInCooldown", "cooldown"},
	{"max", "maxcapacity maxcount maximumcapacity maxreplicas maxtasks"},
	{"min", "mincapacity mincount minimumcapacity minreplicas mintasks"},
	{"requests", "requestcount requestspertarget"},
	{"cpu", "cpulimit cpupercentage cpus cpuutilization targetcpu vcpu"},
	{"memory", "mem memlimit memorylimit memorylimitmib memorypercentage memoryreservation memoryutilization ram " +
		"targetmemory"},
	// a container
	{"command", "args cmd commands test"},
	{"port", "containerport expose exposedport hostport listen targetport"},
	{"ports", "containerports exposedports portmappings"},
	{"ephemeralStorage", "disk ephemeral ephemeralstoragesize sizeingib storage"},
	{"environment", "env environmentvariables envs envvars variables vars"},
	{"exec", "enableexecutecommand executecommand"},
	{"init", "initprocessenabled"},
	{"mounts", "mountpoints volumes"},
	{"efs", "efsvolumeconfiguration elasticfilesystem"},
	{"accessPoint", "accesspointid authid"},
	{"root", "rootdir rootdirectory"},
	{"readonlyRootFilesystem", "readonly"},
	{"user", "runas uid"},
	{"containers", "containerdefinitions sidecars"},
	{"stopTimeout", "stopgraceperiod"},
	{"logRetention", "loggingretention logretentiondays retention retentiondays retentionindays"},
	{"secrets", "secretoptions valuefrom"},
	{"logs", "logconfiguration logging"},
	{"driver", "logdriver"},
	{"firelens", "firelensconfiguration logrouter"},
	{"configFile", "configfilepath configfilevalue"},
	{"ecsLogMetadata", "enableecslogmetadata enablemetadata"},
	// what it may do
	{"roles", "executionrole executionrolearn"},
	{"permissions", "iam iamrole policies policy role taskpolicies taskrole taskrolearn taskrolepolicies"},
	{"permissionsBoundary", "boundary"},
	// images
	{"args", "buildargs"},
	{"image", "containerimage imageuri"},
	{"context", "dir directory path"},
	{"credentials", "credentialsparameter password repositorycredentials"},
	{"mirror", "cache copy replicate"},
	{"readers", "accounts principals sharedwith"},
	{"registries", "registry repositorycredentials"},
	{"ref", "digest imageuri location tag uri url"},
	{"dockerfile", "file"},
	// how it is reached
	{"route", "http ingress"},
	{"loadBalancer", "alb elb lb loadbalancers"},
	{"hosts", "alias domain domainname domains hostname hostnames"},
	{"allowFrom", "allowedips allowedsourceips cidrs ingress securitygroup securitygroups"},
	{"certificate", "cert"},
	{"deregistrationDelay", "deregistrationdelaytimeout drain"},
	{"zone", "dns domain domainname domains hostedzone"},
	{"gracePeriod", "graceperiodseconds healthcheckgraceperiod"},
	{"codes", "matcher statuscodes successcodes"},
	{"paths", "pathpattern"},
	{"subnets", "privatesubnets publicsubnets"},
	{"internal", "public scheme"},
	{"assignPublicIp", "publicip"},
	{"tlsPolicy", "sslpolicy"},
	// deployments
	{"circuitBreaker", "circuitbreaker deploymentcircuitbreaker rollback"},
	{"deployment", "deploymentconfiguration"},
	{"maximum", "maxhealthypercent maximumpercent"},
	{"minimumHealthy", "minhealthypercent minimumhealthypercent"},
	{"alarms", "rollbackalarms"},
	// scaling
	{"queue", "queuedelay queuename sqs"},
	{"steps", "scalingsteps stepscaling"},
	{"metrics", "custommetrics customizedmetric"},
	{"backlog", "messages messagespertask"},
	{"target", "targetvalue"},
	// tasks and schedules
	{"retries", "attempts maximumretryattempts"},
	{"when", "cron expression rate scheduleexpression"},
	{"deadLetterQueue", "deadletterconfig dlq"},
	{"maxAge", "maximumeventage"},
	{"timeZone", "tz"},
}

// units are what other tools put behind a key.
var units = []string{"seconds", "inseconds", "minutes", "percent", "mib", "mb", "units", "arn", "arns", "id", "ids",
	"limit", "list", "name", "names"}

// suggestKey finds the key that was meant by one that a struct does not have: one of the struct's own, or the path to
// one further down, as in build.dockerfile. It is empty where nothing is like it.
func suggestKey(key string, here reflect.Type) string {
	if found := findMeaning(key, here, 1); found != "" {
		return found
	}
	if found := spelling.Nearest(key, fields.Names(here)); found != "" {
		return found
	}
	if found := findMeaning(key, here, 4); found != "" {
		return found
	}
	return findBelow(here, 2, func(known string) bool { return spelling.IsNear(key, known) })
}

func findMeaning(key string, here reflect.Type, depth int) string {
	for _, word := range meanings(key) {
		if found := findBelow(here, depth,
			func(known string) bool { return spelling.Plain(known) == spelling.Plain(word) }); found != "" {
			return found
		}
	}
	return ""
}

// suggestTopLevel finds the key of the whole stage that was meant by one further down.
func suggestTopLevel(key string) string {
	for _, known := range fields.Names(reflect.TypeFor[document]()) {
		if slices.ContainsFunc(meanings(key), func(word string) bool {
			return spelling.Plain(known) == spelling.Plain(word)
		}) {
			return known
		}
	}
	return ""
}

// meanings are the names that a key may have here: its own, and those that stand for it, with and without a unit behind
// it.
func meanings(key string) []string {
	word := spelling.Plain(key)
	words := withKeysOf(word)
	for _, unit := range units {
		if bare, has := strings.CutSuffix(word, unit); has && len(bare) >= 2 {
			words = append(words, withKeysOf(bare)...)
		}
	}
	return words
}

// withKeysOf are a word and the keys that it stands for.
func withKeysOf(word string) []string {
	found := []string{word}
	for _, each := range otherWords {
		if slices.Contains(strings.Fields(each.words), word) {
			found = append(found, each.key)
		}
	}
	return found
}

// findBelow looks for a key in a struct, then in the structs below it, at most so many levels down: the path to the
// first one that fits.
func findBelow(t reflect.Type, levels int, fits func(key string) bool) string {
	for level := 1; level <= levels; level++ {
		if found := findAt(t, level, fits); found != "" {
			return found
		}
	}
	return ""
}

func findAt(t reflect.Type, level int, fits func(key string) bool) string {
	t, _ = inside(t)
	if t.Kind() != reflect.Struct {
		return ""
	}
	if level == 1 {
		for _, key := range fields.Names(t) {
			if fits(key) {
				return key
			}
		}
		return ""
	}
	for _, field := range fields.Of(t) {
		_, between := inside(field.Type)
		if found := findAt(field.Type, level-1, fits); found != "" {
			return field.Tag.Get("json") + between + "." + found
		}
	}
	return ""
}

// inside is the type of what a pointer, a map or a list holds, and how a path leads through it.
func inside(t reflect.Type) (held reflect.Type, step string) {
	switch t.Kind() {
	case reflect.Pointer:
		return inside(t.Elem())
	case reflect.Map:
		held, step = inside(t.Elem())
		return held, ".<name>" + step
	case reflect.Slice:
		held, step = inside(t.Elem())
		return held, "[]" + step
	default:
		return t, ""
	}
}
