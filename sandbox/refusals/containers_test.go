package refusals

import (
	"fmt"
	"strings"

	"slipway/internal/awslimits"
)

var containerChanges = []func(*stageFile){
	func(f *stageFile) {
		size := pick(f, awslimits.TaskSizes)
		definition := f.either()
		definition["cpu"], definition["memory"] = size.CPU, f.near(pick(f, size.Memory))
	},
	func(f *stageFile) { f.either()["cpu"] = f.near(256, 1024, 32768) },
	func(f *stageFile) { f.web()["port"] = f.near(1, 80, 65535) },
	func(f *stageFile) { below(f.container(), "environment")[f.word(f.near(1, 10))] = f.word(20) },
	func(f *stageFile) {
		below(f.container(), "environment")["LONG"] = f.word(f.near(awslimits.TaskDefinitionSize))
	},
	func(f *stageFile) {
		f.at("environment")["LONG"] = f.word(f.near(awslimits.TaskDefinitionSize - 1500 - f.IntN(500)))
	},
	func(f *stageFile) { // characters that are longer where they are encoded
		f.at("environment")["LONG"] = strings.Repeat(pick(f, []string{`"`, "<", "\n", "\x01", "é", "가", "🚢", "\u2028"}),
			f.near(awslimits.TaskDefinitionSize)/(1+f.IntN(6)))
	},
	func(f *stageFile) { f.container()["command"] = []string{f.word(5), f.word(f.near(5))} },
	func(f *stageFile) { f.container()["entryPoint"] = []string{f.word(f.near(1))} },
	func(f *stageFile) { f.container()["stopTimeout"] = f.near(2, 120) },
	func(f *stageFile) {
		f.container()["user"] = pick(f, []string{"0:0", "root", "a b", ":x", "x:", f.word(f.near(5, 32))})
	},
	func(f *stageFile) { f.container()["init"] = true },
	func(f *stageFile) {
		limit := pick(f, append([]string{"nofiles", "NOFILE"}, awslimits.Ulimits...))
		below(f.container(), "ulimits")[limit] = object{"soft": f.near(-1, 1024, 2147483647), "hard": f.near(-1, 1024,
			2147483647)}
	},
	func(f *stageFile) {
		mounts := below(f.container(), "mounts")
		mounts[f.word(f.near(1, 255))] = object{"path": pick(f, []string{"/data", "/", "data", "/a:b", "/" + f.word(10)})}
	},
	func(f *stageFile) {
		check := below(f.container(), "healthCheck")
		check["command"] = pick(f, [][]string{{"CMD", "/app"}, {"CMD-SHELL", "x"}, {"NONE"}, {"cmd", "/app"}, {"CMD"}, {"CMD",
			f.word(3)}})
		check["interval"], check["timeout"] = f.near(5, 300), f.near(2, 60)
		check["retries"], check["startPeriod"] = f.near(1, 10), f.near(0, 300)
	},
	func(f *stageFile) {
		containers := below(f.either(), "containers")
		for i := range f.near(awslimits.Containers - 1) {
			containers[fmt.Sprint("c", i)] = object{"image": "web", "cpu": f.near(1, 10, 32)}
		}
	},
	func(f *stageFile) { below(f.either(), "containers")[f.word(f.near(3, 255))] = object{"image": "web"} },
	func(f *stageFile) {
		beside := object{"image": "web", "essential": f.IntN(2) == 0, "cpu": f.near(1, 255), "memory": f.near(4, 6, 511)}
		if f.IntN(2) == 0 {
			beside["dependsOn"] = object{pick(f, []string{"web", "other", "beside"}): pick(f, []string{"START", "HEALTHY",
				"COMPLETE", "SUCCESS"})}
		}
		definition := f.either()
		below(definition, "containers")["other"] = beside
		if f.IntN(2) == 0 {
			definition["dependsOn"] = object{"other": pick(f, []string{"START", "HEALTHY", "COMPLETE", "SUCCESS"})}
		}
	},
	func(f *stageFile) {
		below(f.either(), "containers")["foreign"] = object{"image": pick(f, []string{"busybox:1", "public.ecr.aws/x/y:1",
			"x@sha256:0", "UPPER:1",
			"localhost:5000/a/b:tag", f.word(f.near(20, 255)) + ":1"})}
	},
	func(f *stageFile) { f.web()["exec"] = true },
	func(f *stageFile) { f.container()["readonlyRootFilesystem"] = true },
	(*stageFile).secrets,
	(*stageFile).secrets,
	(*stageFile).values,
}

// secrets are many, elsewhere, with names near what Secrets Manager and SSM take.
func (f *stageFile) secrets() {
	secrets, names := f.at("secrets"), []string{}
	if f.encrypted {
		return
	}
	length := f.near(10, 60, 100)
	for i := range f.near(3, 40, 90) {
		name := fmt.Sprint("S", i)
		resource := fmt.Sprintf("secret:%s-AbCdEf", strings.Repeat("n", max(length, 1)))
		if f.IntN(20) == 0 {
			resource = fmt.Sprintf("secret:%s-AbCdEf%s", f.word(10), pick(f, []string{"", ":key::", ":key:AWSCURRENT:", "::::",
				":a b::"}))
		}
		service := "secretsmanager"
		if f.IntN(5) == 0 {
			service, resource = "ssm", fmt.Sprintf("parameter/%s/%d", strings.Repeat("p", max(length, 1)), i)
		}
		secrets[name] = fmt.Sprintf("arn:aws:%s:%s:123456789012:%s", service, region, strings.Replace(resource, "-AbCdEf",
			fmt.Sprintf("%d-AbCdEf", i), 1))
		names = append(names, name)
	}
	if f.IntN(10) == 0 {
		secrets["S0"] = f.arn("secretsmanager", "secret:"+f.word(10)+"-AbCdEf")
	}
	f.container()["secrets"] = names
}

// values are encrypted ones, which the stage keeps in a secret of its own.
func (f *stageFile) values() {
	if f.keys["secrets"] != nil {
		return
	}
	f.encrypted = true
	f.keys["secrets"] = object{"TOKEN": pick(f, []string{f.word(f.near(10, awslimits.SecretSize-20)), strings.Repeat("<",
		f.near(awslimits.SecretSize/6))}),
		"OTHER": f.word(5)}
	f.container()["secrets"] = []string{"TOKEN"}
	f.either()["secrets"] = []string{"OTHER", "TOKEN"}
}
