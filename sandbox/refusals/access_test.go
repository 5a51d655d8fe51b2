package refusals

import (
	"fmt"
	"strings"

	"slipway/internal/awslimits"
)

var roleChanges = []func(*stageFile){
	func(f *stageFile) {
		f.at("roles")["path"] = pick(f, []string{"/", "/a/b/", "//", "a", "/a", "/" + f.word(f.near(5, 30, 510)) + "/"})
	},
	func(f *stageFile) {
		f.at("roles")["permissionsBoundary"] = pick(f, []string{"arn:aws:iam::aws:policy/PowerUserAccess",
			"arn:aws:iam::123456789012:policy/x",
			f.arn("iam", "policy/"+f.word(5)), f.arn("iam", "role/x"), f.word(10)})
	},
	func(f *stageFile) { // near what all inline policies of a role, and one managed policy, may have
		resources := []string{}
		for i := range f.near(awslimits.InlinePolicies/2, awslimits.InlinePolicies, awslimits.ManagedPolicy,
			5*awslimits.ManagedPolicy) / 64 {
			resources = append(resources, fmt.Sprintf("arn:aws:s3:::a-bucket-with-a-long-name-%08d/and-a-long-prefix-x/*", i))
		}
		f.permit(object{"actions": []string{"s3:GetObject"}, "resources": resources})
	},
	func(f *stageFile) { // managed policies take fewer paths than roles
		f.at("roles")["path"] = pick(f, []string{"/a/", "/a!/", "//", "/a/b.c/"})
		resources := []string{}
		for i := range f.near(awslimits.InlinePolicies/2) / 64 {
			resources = append(resources, fmt.Sprintf("arn:aws:s3:::a-bucket-with-a-long-name-%08d/and-a-long-prefix-x/*", i))
		}
		f.permit(object{"actions": []string{"s3:GetObject"}, "resources": resources})
	},
	func(f *stageFile) { // a statement that no policy holds
		actions := []string{}
		for i := range f.near(awslimits.ManagedPolicy) / 32 {
			actions = append(actions, fmt.Sprintf("s3:GetSomethingWithALongName%04d", i))
		}
		f.permit(object{"actions": actions, "resources": []string{"arn:aws:s3:::x/*", "arn:aws:s3:::y/*"}})
	},
	func(f *stageFile) { f.permit(f.statement()) },
	func(f *stageFile) { f.permit(f.statement()) },
	func(f *stageFile) { f.permit(f.statement()) },
}

func (f *stageFile) permit(statement object) {
	definition := f.either()
	before, _ := definition["permissions"].([]any)
	definition["permissions"] = append(before, statement)
}

// statement is one of a policy, with whatever people write into it.
func (f *stageFile) statement() object {
	statement := object{
		"actions": append([]string{"s3:GetObject"}, some(f, 2, []string{"sqs:SendMessage", "s3:*", "s3:Get*", "*",
			"cloudwatch:PutMetricData", "S3:GetObject",
			"s3:" + f.word(5), f.word(3) + ":Get"})...),
		"resources": append([]string{"arn:aws:s3:::shop/*"}, some(f, 2, []string{"*", f.arn("s3", "shop/*"), f.arn("sqs",
			"queue"), f.arn("s3", f.word(5)+"/*"),
			"arn:aws:s3:::" + f.word(10), "arn:aws:s3", "arn:*:s3:::x", "arn:aws:*:::x", "arn:aws:s3:::가게/*"})...),
	}
	if f.IntN(2) == 0 {
		operators := []string{"StringEquals", "StringLike", "Bool", "ArnLike", "IpAddress", "NumericLessThan",
			"DateGreaterThan", "Null", "ForAnyValue:StringEquals",
			"ForAllValues:StringLikeIfExists", "StringEqualsIfExists", "StringEqual", "Equals", "NullIfExists",
			"ForAnyValue:Bool", "stringEquals", "Any:StringEquals", f.word(5)}
		keys := []string{"aws:SourceVpc", "aws:ResourceTag/team", "aws:RequestTag/" + f.word(5), "s3:prefix", "team",
			f.word(5) + ":x"}
		values := []string{"true", "x", "arn:aws:s3:::x", "10.0.0.0/8", "2026-01-01T00:00:00Z", "5", "${aws:username}", "가게",
			f.word(5)}
		statement["conditions"] = object{pick(f, operators): object{pick(f, keys): some(f, 3, values)}}
	}
	return statement
}

var networkChanges = []func(*stageFile){
	func(f *stageFile) { f.web()["port"] = 8080; f.web()["allowFrom"] = f.ranges() },
	func(f *stageFile) { f.route(); f.at("loadBalancer")["allowFrom"] = f.ranges() },
	func(f *stageFile) { f.route(); f.at("loadBalancer")["idleTimeout"] = f.near(1, 4000) },
	func(f *stageFile) { f.route(); f.at("loadBalancer")["internal"] = true },
	func(f *stageFile) {
		f.route()
		f.at("loadBalancer")["accessLogs"] = object{"bucket": pick(f, []string{"logs", f.word(f.near(3, 63))}),
			"prefix": pick(f, []string{"", "dev", "/x", f.word(20)})}
	},
	func(f *stageFile) {
		f.route()["hosts"] = []string{"shop.example.com"}
		f.hasZone()["tlsPolicy"] = pick(f, []string{"ELBSecurityPolicy-TLS13-1-2-2021-06", "ELBSecurityPolicy-2016-08",
			"ELBSecurityPolicy-TLS13-1-2-" + f.word(5)})
	},
	func(f *stageFile) { f.route()["hosts"] = f.hosts() },
	func(f *stageFile) { f.route()["hosts"] = f.hosts(); f.hasZone() },
	func(f *stageFile) { f.route()["hosts"] = f.hosts(); f.hasZone() },
	func(f *stageFile) { f.route()["paths"] = f.paths() },
	func(f *stageFile) { f.route()["hosts"], f.route()["paths"] = f.hosts(), f.paths() },
	func(f *stageFile) { f.route()["priority"] = f.near(1, 1000, 50000) },
	func(f *stageFile) {
		route := f.route()
		route["stickiness"], route["deregistrationDelay"] = f.near(1, 604800), f.near(0, 3600)
		route["gracePeriod"] = f.near(0, 2147483647/2)
	},
	func(f *stageFile) {
		check := below(f.route(), "healthCheck")
		check["path"] = pick(f, []string{"/", "x", "/" + f.word(f.near(5, awslimits.HealthCheckPath-1))})
		check["interval"], check["timeout"] = f.near(5, 300), f.near(2, 120)
		check["healthyThreshold"], check["unhealthyThreshold"] = f.near(2, 10), f.near(2, 10)
	},
	func(f *stageFile) {
		route := f.route()
		if route["protocol"] = pick(f, []string{"http1", "http2", "grpc"}); f.IntN(3) > 0 {
			f.hasZone()
			route["hosts"] = []string{"shop.example.com"}
		}
		below(route, "healthCheck")["codes"] = pick(f, []string{"200", "200-299", "299-200", "200,302", "499", "500", "199",
			"0", "12", "0-99", "99-0", "100",
			"200-", "200,200-299,300", f.word(3), strings.Repeat("200,", f.near(5, 60)) + "201"})
	},
}

func (f *stageFile) ranges() (ranges []string) {
	return append([]string{"10.0.0.0/8"}, some(f, 3, []string{"0.0.0.0/0", "203.0.113.7/32", "203.0.113.7/24", "fd00::/8",
		"FD00::/8", "::/0", "10.0.0.0/33", "10.0.0.1",
		"fd00:0:0::/48", "::ffff:10.0.0.0/104"})...)
}

// hosts are mostly sound: one odd one is enough to refuse the rest with it.
func (f *stageFile) hosts() []string {
	label := func(length int) string { return strings.Repeat("h", max(length, 0)) }
	good := []string{"shop.example.com", "*.example.com", "example.com", "*.shop.example.com", "a.b.c.example.com",
		"-a.example.com", "a-.example.com"}
	odd := []string{"SHOP.example.com", "a.-b.example.com", "a.b-.example.com", "a_b.example.com", "a..example.com",
		"?.example.com", "a*.example.com", "*.*.example.com", "shop.example.org", "localhost", "1.2.3.4",
		"shop.example.com.", label(f.near(63)) + ".example.com", "x." + label(f.near(63)) + ".example.com",
		label(60) + "." + label(f.near(127-61-len(".example.com"))) + ".example.com"}
	switch f.IntN(4) {
	case 0:
		return append(some(f, 5, good), "z.example.com")
	case 1: // a certificate is for the domain of the only host
		return []string{"x." + label(f.near(64-len("*..example.com"))) + ".example.com"}
	case 2: // wildcards
		return []string{strings.Repeat("*", f.near(awslimits.RuleWildcards)) + ".example.com"}
	default:
		return append(some(f, 2, good), pick(f, odd))
	}
}

func (f *stageFile) paths() []string {
	good := []string{"/api/*", "/", "/*", "/a?", "/a/*/b/*", "/a&b"}
	switch f.IntN(3) {
	case 0:
		return append(some(f, 6, good), "/z")
	case 1:
		return []string{"/" + strings.Repeat(pick(f, []string{"?", "*"}), f.near(awslimits.RuleWildcards))}
	default:
		return append(some(f, 2, good), pick(f, []string{"api", "/%20", "/" + f.word(10), "/" + f.word(f.near(127))}))
	}
}

var scheduleChanges = []func(*stageFile){
	func(f *stageFile) {
		schedule := object{"when": f.when(), "timeZone": f.zone(), "retries": f.near(0, 185), "maxAge": f.near(60, 86400)}
		if f.IntN(3) == 0 {
			schedule["deadLetterQueue"] = pick(f, []string{f.arn("sqs", "failed"), f.arn("sqs", f.word(f.near(5, 80))),
				f.arn("sqs", "failed.fifo"), f.word(9)})
		}
		f.task()["schedule"] = schedule
	},
	func(f *stageFile) { f.task()["schedule"] = object{"when": f.when()} },
	func(f *stageFile) {
		scaling := below(f.web(), "scaling")
		scaling["min"], scaling["max"] = f.near(0, 1, 5000), f.near(1, 5, 5000)
		scaling["cpu"], scaling["memory"] = f.near(1, 100), f.near(1, 100)
		scaling["scaleInCooldown"], scaling["scaleOutCooldown"] = f.near(0, 86400), f.near(0, 86400)
		if f.IntN(3) == 0 {
			f.route()
			scaling["requests"] = f.near(1, 100000000)
		}
	},
	func(f *stageFile) {
		scaling := below(f.web(), "scaling")
		scaling["max"] = 10
		action := object{"when": f.when(), "timeZone": f.zone(), "min": f.near(0, 5, 10)}
		if f.IntN(2) == 0 {
			action["max"] = f.near(0, 5, 10)
		}
		below(scaling, "schedules")[f.word(f.near(5, 64))] = action
	},
	func(f *stageFile) {
		scaling := below(f.web(), "scaling")
		scaling["max"] = 10
		f.keys["cluster"] = object{"containerInsights": pick(f, []string{"enabled", "enabled", "disabled"})}
		scaling["queue"] = object{"backlog": f.near(1, 100000000), "name": pick(f, []string{"jobs", "jobs.fifo",
			f.arn("sqs", "jobs"), f.word(f.near(5, 80)), f.word(f.near(5, 74)) + ".fifo", ""})}
	},
	func(f *stageFile) {
		scaling := below(f.web(), "scaling")
		scaling["max"] = 10
		for range 1 + f.IntN(2) {
			metric := f.metric()
			metric["target"] = float64(f.near(0, 5, 1000)) / 4
			below(scaling, "metrics")[pick(f, []string{"a", "b", f.word(f.near(5, 64))})] = metric
		}
	},
	func(f *stageFile) {
		scaling, steps := below(f.web(), "scaling"), f.metric()
		scaling["max"] = 10
		steps["when"] = pick(f, []string{"above", "below"})
		steps["period"], steps["periods"] = 60*f.near(1, 60), f.near(1, 24)
		gap := pick(f, []float64{1, 0.25, 1000000, 0, -1})
		var adjust []any
		for i := range pick(f, []int{1, 1, 2, 3, 20, 21}) {
			adjust = append(adjust, object{"from": gap * float64(i), pick(f, []string{"add", "add", "add", "percent"}): 1})
		}
		steps["adjust"] = adjust
		below(scaling, "steps")[f.word(f.near(5, 64))] = steps
	},
	func(f *stageFile) { f.task()["before"] = some(f, 2, []string{"web", "nobody"}) },
	func(f *stageFile) { f.task()["timeout"] = f.near(10, 604800) },
}

// metric is one of CloudWatch, with few names, so that two are often the same.
func (f *stageFile) metric() object {
	metric := object{"namespace": pick(f, []string{"Shop", "Shop", "AWS/SQS", "a:b", f.word(f.near(5, 255))}),
		"metric":    pick(f, []string{"jobs", "jobs", "age", f.word(f.near(5, 255))}),
		"statistic": pick(f, []string{"Average", "Average", "Maximum", "p99"})}
	if f.IntN(2) == 0 {
		metric["dimensions"] = object{"Queue": pick(f, []string{"jobs", f.word(f.near(5, 1024))})}
	}
	return metric
}

func (f *stageFile) zone() string {
	return pick(f, []string{"UTC", "UTC", "Asia/Seoul", "Etc/GMT+5", "Local", "", "asia/seoul",
		"America/Argentina/ComodRivadavia", f.word(f.near(10, 50))})
}

func (f *stageFile) when() string {
	minutes := []string{}
	for i := range 60 {
		minutes = append(minutes, fmt.Sprint(i))
	}
	many := strings.Join(minutes[:f.near(10, 59)%60], ",") + ",59"
	return pick(f, []string{"rate(1 day)", "rate(5 minutes)", "rate(0 days)", "rate(1 week)",
		"rate(99999999999999999999 days)", "rate(2 day)", "rate(-1 days)",
		"cron(0 6 ? * MON-FRI *)", "cron(0 6 * * * *)", "cron(0 6 LW * ? *)", "cron(0 6 ? * 2#1 *)", "cron(60 6 ? * * *)",
		"cron(0 6 ? * mon 2026)", "cron(0 6 31 2 ? *)",
		"cron(" + many + " 6 ? * * *)", "cron(" + many + " " + strings.Join(minutes[:24], ",") + " ? * * *)",
		"cron(0/15 * * * ? 1969)", "cron(0 6 ? * * 2200)",
		"at(2031-12-24T18:00:00)", "at(2031-12-24)", "at(2031-02-30T18:00:00)", "at(2031-12-24T18:00:00Z)", " rate(1 day)",
		"RATE(1 day)", f.word(5)})
}
