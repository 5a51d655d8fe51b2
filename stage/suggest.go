package stage

import (
	"reflect"
	"slices"
	"strings"

	"github.com/agext/levenshtein"

	"slipway/stage/fields"
)

// otherWords are what other tools, and people, call the keys of a stage: in lower case and without separators, each
// with the keys that may be meant.
var otherWords = map[string][]string{
	// how many
	"autoscale": {"scaling"}, "autoscaling": {"scaling"}, "count": {"replicas"}, "cooldown": {"scaleInCooldown"},
	"desired": {"replicas"}, "desiredcount": {"replicas"}, "desiredtasks": {"replicas"}, "instances": {"replicas"},
	"maxcapacity": {"max"}, "maxcount": {"max"}, "maximumcapacity": {"max"}, "maxreplicas": {"max"}, "maxtasks": {"max"},
	"mincapacity": {"min"}, "mincount": {"min"}, "minimumcapacity": {"min"}, "minreplicas": {"min"}, "mintasks": {"min"},
	"requestcount": {"requests"}, "requestspertarget": {"requests"}, "tasks": {"replicas"},
	"cpupercentage": {"cpu"}, "cpuutilization": {"cpu"}, "memorypercentage": {"memory"}, "memoryutilization": {"memory"},
	"targetcpu": {"cpu"}, "targetmemory": {"memory"},
	// a container
	"args": {"command"}, "cmd": {"command"}, "commands": {"command"}, "containerport": {"port"},
	"containerports": {"port"}, "cpulimit": {"cpu"}, "cpus": {"cpu"}, "env": {"environment"}, "envs": {"environment"},
	"envvars": {"environment"}, "environmentvariables": {"environment"}, "executecommand": {"exec"},
	"enableexecutecommand": {"exec"},
	"expose":               {"port"}, "exposedport": {"port"}, "hostport": {"port"},
	"initprocessenabled": {"init"}, "listen": {"port"},
	"mem":      {"memory"},
	"memlimit": {"memory"}, "memorylimit": {"memory"}, "memorylimitmib": {"memory"}, "memoryreservation": {"memory"},
	"mountpoints": {"mounts"}, "portmappings": {"port"}, "ports": {"port"}, "ram": {"memory"},
	"readonly": {"readonlyRootFilesystem"},
	"runas":    {"user"}, "sidecars": {"containers"}, "containerdefinitions": {"containers"},
	"stopgraceperiod": {"stopTimeout"},
	"targetport":      {"port"}, "uid": {"user"}, "variables": {"environment"}, "vars": {"environment"}, "vcpu": {"cpu"},
	"volumes":          {"mounts"},
	"loggingretention": {"logRetention"}, "logretentiondays": {"logRetention"}, "retention": {"logRetention"},
	"retentiondays": {"logRetention"}, "retentionindays": {"logRetention"}, "secretoptions": {"secrets"},
	"valuefrom": {"secrets"},
	"test":      {"command"},
	// what it may do
	"executionrole": {"roles"}, "executionrolearn": {"roles"}, "iam": {"permissions"}, "iamrole": {"permissions"},
	"policies": {"permissions"},
	"policy":   {"permissions"}, "role": {"permissions"}, "taskpolicies": {"permissions"}, "taskrole": {"permissions"},
	"taskrolearn": {"permissions"}, "taskrolepolicies": {"permissions"}, "boundary": {"permissionsBoundary"},
	// images
	"buildargs": {"args"}, "containerimage": {"image"}, "dir": {"context"}, "directory": {"context"}, "digest": {"ref"},
	"file":     {"dockerfile"},
	"imageuri": {"image", "ref"}, "location": {"ref"}, "tag": {"ref"}, "uri": {"ref"}, "url": {"ref"}, "path": {"context"},
	// how it is reached
	"alb": {"loadBalancer"}, "alias": {"hosts"}, "allowedips": {"allowFrom"}, "allowedsourceips": {"allowFrom"},
	"cert":  {"certificate"},
	"cidrs": {"allowFrom"}, "deregistrationdelaytimeout": {"deregistrationDelay"}, "dns": {"zone"},
	"domain":     {"hosts", "zone"},
	"domainname": {"hosts", "zone"}, "domains": {"hosts", "zone"}, "drain": {"deregistrationDelay"},
	"elb":                {"loadBalancer"},
	"graceperiodseconds": {"gracePeriod"}, "healthcheckgraceperiod": {"gracePeriod"}, "hostedzone": {"zone"},
	"hostname":  {"hosts"},
	"hostnames": {"hosts"}, "http": {"route"}, "ingress": {"route", "allowFrom"}, "lb": {"loadBalancer"},
	"loadbalancers": {"loadBalancer"},
	"matcher":       {"codes"}, "pathpattern": {"paths"}, "privatesubnets": {"subnets"}, "public": {"internal"},
	"publicip":      {"assignPublicIp"},
	"publicsubnets": {"subnets"}, "scheme": {"internal"}, "securitygroup": {"allowFrom"}, "securitygroups": {"allowFrom"},
	"sslpolicy": {"tlsPolicy"}, "statuscodes": {"codes"}, "successcodes": {"codes"},
	// deployments
	"circuitbreaker": {"circuitBreaker"}, "deploymentcircuitbreaker": {"circuitBreaker"},
	"deploymentconfiguration": {"deployment"},
	"maxhealthypercent":       {"maximum"}, "maximumpercent": {"maximum"}, "minhealthypercent": {"minimumHealthy"},
	"minimumhealthypercent": {"minimumHealthy"}, "rollback": {"circuitBreaker"}, "rollbackalarms": {"alarms"},
	// tasks and schedules
	"attempts": {"retries"}, "cron": {"when"}, "deadletterconfig": {"deadLetterQueue"}, "dlq": {"deadLetterQueue"},
	"expression":      {"when"},
	"maximumeventage": {"maxAge"}, "maximumretryattempts": {"retries"}, "rate": {"when"}, "scheduleexpression": {"when"},
	"tz": {"timeZone"},
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
	if found := Nearest(key, fields.Names(here)); found != "" {
		return found
	}
	if found := findMeaning(key, here, 4); found != "" {
		return found
	}
	return findBelow(here, 2, func(known string) bool { return isNear(key, known) })
}

func findMeaning(key string, here reflect.Type, depth int) string {
	for _, word := range meanings(key) {
		if found := findBelow(here, depth,
			func(known string) bool { return plainWord(known) == plainWord(word) }); found != "" {
			return found
		}
	}
	return ""
}

// suggestTopLevel finds the key of the whole stage that was meant by one further down.
func suggestTopLevel(key string) string {
	for _, known := range fields.Names(reflect.TypeFor[document]()) {
		if slices.ContainsFunc(meanings(key), func(word string) bool { return plainWord(known) == plainWord(word) }) {
			return known
		}
	}
	return ""
}

// meanings are the names that a key may have here: its own, and those that stand for it, with and without a unit behind
// it.
func meanings(key string) []string {
	word := plainWord(key)
	words := append([]string{word}, otherWords[word]...)
	for _, unit := range units {
		if bare, has := strings.CutSuffix(word, unit); has && len(bare) >= 2 {
			words = append(append(words, bare), otherWords[bare]...)
		}
	}
	return words
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

// Nearest is the name that is most like another one, "" where none is.
func Nearest(name string, known []string) string {
	near := slices.DeleteFunc(slices.Clone(known), func(k string) bool { return !isNear(name, k) })
	if len(near) == 0 {
		return ""
	}
	return slices.MinFunc(near, func(a, b string) int { return distance(name, a) - distance(name, b) })
}

// isNear tells a slip of the pen: the shorter the names, the less may differ.
func isNear(a, b string) bool {
	shorter := min(len(plainWord(a)), len(plainWord(b)))
	return shorter >= 3 && distance(a, b) <= min(1+shorter/6, 3)
}

// distance counts the letters that differ. Two that changed places are one slip.
func distance(a, b string) int {
	a, b = plainWord(a), plainWord(b)
	differ := levenshtein.Distance(a, b, nil)
	if differ == 2 && sortedLetters(a) == sortedLetters(b) {
		return 1
	}
	return differ
}

func sortedLetters(word string) string {
	letters := []byte(word)
	slices.Sort(letters)
	return string(letters)
}

// plainWord is a name without what spellings differ in: desired_count, desired-count and DesiredCount are one.
func plainWord(name string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "", " ", "", ".", "").Replace(name))
}
