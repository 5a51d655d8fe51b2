package refusals

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"slipway/internal/awslimits"
)

// stageFile is a stage file that is being made up.
type stageFile struct {
	*rand.Rand
	project, stage string
	keys           object // with a colon where they are not the project's
	encrypted      bool
}

type object = map[string]any

// newStageFile is one that deploys, with some values changed to others near AWS's limits.
func newStageFile(random *rand.Rand) *stageFile {
	f := &stageFile{Rand: random, project: "shop", stage: "dev", keys: object{
		"images":   object{"web": object{"build": object{"context": "app"}}},
		"services": object{"web": object{"image": "web"}},
	}}
	// One change finds what is wrong with it; what two have to do with each other, more do.
	for range pick(f, []int{1, 1, 1, 2, 2, 3}) {
		pick(f, changes)(f)
	}
	return f
}

// String is the stage file, for whoever has to find out what is wrong with it.
func (f *stageFile) String() string {
	body, err := json.MarshalIndent(f.keys, "", " ")
	if err != nil {
		return err.Error()
	}
	const most = 6000
	return f.project + " " + f.stage + "\n" + string(body[:min(len(body), most)])
}

func pick[T any](f *stageFile, from []T) T { return from[f.IntN(len(from))] }

// some are up to so many of the given values, each once.
func some[T any](f *stageFile, most int, from []T) []T {
	shuffled := slices.Clone(from)
	f.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	return shuffled[:min(f.IntN(most+1), len(shuffled))]
}

// near is a number at a limit, beside it, or far from it.
func (f *stageFile) near(limits ...int) int {
	limit := pick(f, limits)
	return pick(f, []int{limit, limit, limit, limit - 1, limit + 1, limit + 1, limit / 2, limit * 2, limit + f.IntN(100)})
}

// odd are characters that some of AWS's services take and others do not.
var odd = []string{"-", "_", ".", "/", ":", "=", "+", "@", ",", "#", "*", "?", "!", "$", "&", "'", `"`, "\\", "(", "{",
	"<", "~", "|", "%",
	" ", "\t", "\n", "\x00", "\x01", "\x7f", "\u00a0", "é", "가", "🚢", "--", "__", "..", "//", "sg-", "aws:", "AWS:",
	"internal-", "${x}"}

// word is a text of so many characters, with odd ones in it now and then, at its beginning or end, too.
func (f *stageFile) word(length int) string {
	const usual = "abcdefghijklmnopqrstuvwxyz0123456789"
	text := strings.Builder{}
	for range max(length, 0) {
		text.WriteByte(usual[f.IntN(len(usual))])
	}
	word := text.String()
	if f.IntN(3) == 0 && word != "" {
		char := pick(f, odd)
		at := pick(f, []int{0, len(word), f.IntN(len(word) + 1)})
		word = word[:at] + char + word[min(at+len(char), len(word)):]
	}
	if f.IntN(8) == 0 {
		word = strings.ToUpper(word[:min(1, len(word))]) + word[min(1, len(word)):]
	}
	return word
}

// at is an object in the file, made where it is missing.
func (f *stageFile) at(keys ...string) object {
	here := f.keys
	for _, key := range keys {
		below, is := here[key].(object)
		if !is {
			below = object{}
			here[key] = below
		}
		here = below
	}
	return here
}

func (f *stageFile) web() object { return f.at("services", "web") }

// task is one that runs once.
func (f *stageFile) task() object {
	task := f.at("tasks", "migrate")
	task["image"] = "web"
	return task
}

// either is a service or a task.
func (f *stageFile) either() object {
	if f.IntN(3) == 0 {
		return f.task()
	}
	return f.web()
}

// container is the main container of a service or a task, or one beside it.
func (f *stageFile) container() object {
	definition := f.either()
	if f.IntN(3) > 0 {
		return definition
	}
	beside, is := definition["containers"].(object)
	if !is {
		beside = object{}
		definition["containers"] = beside
	}
	if beside["beside"] == nil {
		beside["beside"] = object{"image": "web"}
	}
	return beside["beside"].(object)
}

func (f *stageFile) route() object {
	web := f.web()
	web["port"] = 8080
	route, is := web["route"].(object)
	if !is {
		route = object{}
		web["route"] = route
	}
	return route
}

func (f *stageFile) hasZone() object {
	balancer := f.at("loadBalancer")
	balancer["zone"] = "example.com"
	return balancer
}

func below(parent object, key string) object {
	child, is := parent[key].(object)
	if !is {
		child = object{}
		parent[key] = child
	}
	return child
}

// account, region and partition are mostly the stage's.
func (f *stageFile) arn(service, resource string) string {
	partition := pick(f, []string{"aws", "aws", "aws", "aws", "aws-cn", "aws-us-gov", "", "awsx"})
	where := pick(f, []string{region, region, region, "us-east-1", "cn-north-1", ""})
	owner := pick(f, []string{"123456789012", "123456789012", "123456789012", "210987654321", "12345", ""})
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", partition, service, where, owner, resource)
}

// changes each change one thing of a stage file.
var changes = slices.Concat(nameChanges, containerChanges, roleChanges, networkChanges, scheduleChanges,
	[]func(*stageFile){
		func(f *stageFile) {
			f.keys["cluster"] = object{"containerInsights": pick(f, []string{"enabled", "enhanced", "disabled", "on"})}
		},
		func(f *stageFile) { f.at("repository")["keepImages"] = f.near(1, 100000) },
		func(f *stageFile) { f.web()["replicas"] = f.near(0, 5000) },
		func(f *stageFile) { f.either()["logRetention"] = pick(f, []int{0, 1, 2, 3, 400, 545, 3653, 3654}) },
		func(f *stageFile) {
			deployment := below(f.web(), "deployment")
			deployment["minimumHealthy"], deployment["maximum"] = f.near(0, 50, 100), f.near(100, 200)
			deployment["circuitBreaker"] = pick(f, []string{"rollback", "stop", "off"})
		},
		func(f *stageFile) {
			deployment, alarms := below(f.web(), "deployment"), []string{}
			for i := range f.near(awslimits.DeploymentAlarms) {
				alarms = append(alarms, fmt.Sprint("alarm-", i))
			}
			if f.IntN(3) == 0 {
				alarms = append(alarms, f.word(f.near(awslimits.AlarmName)))
			}
			if deployment["alarms"] = alarms; f.IntN(2) == 0 {
				f.route()
				deployment["maxErrors"] = f.near(1, 1000000)
			}
		},
		(*stageFile).tags,
		(*stageFile).tags,
		(*stageFile).defaultTags,
	})

var nameChanges = []func(*stageFile){
	func(f *stageFile) {
		f.project = pick(f, []string{"slipway", "s", "a-b_c", "sg-x", f.word(f.near(10, 40))})
	},
	func(f *stageFile) {
		f.stage = pick(f, []string{"internal", "sg-dev", "a--b", "d", f.word(f.near(10, 40))})
	},
	func(f *stageFile) { f.rename("services") },
	func(f *stageFile) { f.rename("services") },
	func(f *stageFile) { f.task(); f.rename("tasks") },
	func(f *stageFile) { f.task()["schedule"] = object{"when": "rate(1 day)"}; f.rename("tasks") },
	func(f *stageFile) { f.route(); f.rename("services") },
	func(f *stageFile) {
		f.at("services", pick(f, []string{"Web", "wEb", "web_", "-web"}))["image"] = "web"
	},
	func(f *stageFile) {
		image := pick(f, []string{f.word(f.near(5)), f.word(f.near(awslimits.RepositoryNameLength - len("shop-dev/"))),
			"a/b/c", "web/context"})
		f.at("images", image)["build"] = object{"context": "app"}
	},
}

// rename gives a service or a task another name, as long as what is named after it may be.
func (f *stageFile) rename(kind string) {
	all := f.at(kind)
	old := slices.Sorted(maps.Keys(all))[0]
	name := f.word(pick(f, []int{1, 5, f.near(awslimits.RoleName - len("shop-dev--execution")), f.near(32, 24)}))
	all[name] = all[old]
	if name != old {
		delete(all, old)
	}
	if tasks, is := f.keys["tasks"].(object); is && kind == "services" {
		for _, task := range tasks {
			delete(task.(object), "before")
		}
	}
}

// tags of a stage: how many, and what they are called.
func (f *stageFile) tags() {
	tags := f.at("tags")
	switch f.IntN(4) {
	case 0:
		for i := range f.near(awslimits.Tags - 4) {
			tags[fmt.Sprint("tag-", i)] = "x"
		}
	case 1:
		tags[pick(f, []string{"Stage", "PROJECT", "name", "Name", "aws:x", "AwS:x"})] = "x"
	case 2:
		tags["team"] = pick(f, []string{f.word(f.near(awslimits.TagValue, 10)), "aws:x", "AWS:x", "x aws:"})
	default:
		tags[f.word(f.near(awslimits.TagKey, 10))] = "x"
	}
}

// defaultTags are the provider's own, which it adds to those of every resource.
func (f *stageFile) defaultTags() {
	tags := object{}
	switch f.IntN(4) {
	case 0:
		for i := range f.near(awslimits.Tags - 4) {
			tags[fmt.Sprint("default-", i)] = "x"
		}
	case 1:
		tags[pick(f, []string{"Stage", "stage", "TEAM", "TEAM", "aws:x", "AwS:x", "Service"})] = "x"
		f.at("tags")["team"] = "x"
	case 2:
		tags["owner"] = pick(f, []string{f.word(f.near(awslimits.TagValue, 10)), "aws:x"})
	default:
		tags[f.word(f.near(awslimits.TagKey, 10))] = "x"
	}
	if f.keys["aws:defaultTags"] = (object{"tags": tags}); f.IntN(2) == 0 {
		f.tags()
	}
}
