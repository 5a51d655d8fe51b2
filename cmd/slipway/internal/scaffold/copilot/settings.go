package copilot

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"slipway/internal/schedule"
)

func (m *manifest) exec(path []string, value any) {
	if m.section == "tasks" {
		m.leave(path, "a task that runs once has no sessions")
		return
	}
	if storage, _ := m.content["storage"].(map[string]any); storage["readonly_fs"] == true {
		m.leave(path, "a session writes files, which readonly_fs refuses")
		return
	}
	m.set(path, m.keys, m.key, "exec", value == true)
}

func (m *manifest) storage(path []string, value any) {
	object, _ := value.(map[string]any)
	m.each(object, path, map[string]reading{
		"readonly_fs": func(at []string, value any) { m.set(at, m.keys, m.key, "readonlyRootFilesystem", value == true) },
		"ephemeral":   m.ephemeral,
		"volumes":     m.instead("a task keeps nothing: keep it in S3 or a database, or write mounts, and for what is in EFS volumes"),
	})
}

func (m *manifest) logging(path []string, value any) {
	object, _ := value.(map[string]any)
	m.each(object, path, map[string]reading{
		"retention": func(at []string, value any) {
			if days, ok := number(value); ok {
				m.set(at, m.keys, m.key, "logRetention", days)
			}
		},
		// Copilot makes a log router beside the main container of these.
		"image": m.routerImage, "destination": m.destination, "enableMetadata": m.metadata, "configFilePath": m.configFile,
		"secretOptions": m.logSecrets, "variables": m.variables(m.router(), m.routerKey()),
		"secrets": m.secrets(m.router(), m.routerKey()),
		"envFile": m.environmentFile(m.router(), m.routerKey(), object["variables"])})
	if !m.routes(object) {
		delete(m.keys.Object("containers"), logRouter)
		if len(m.keys.Object("containers")) == 0 {
			delete(m.keys, "containers")
		}
		return
	}
	m.keys.Object("logs")["driver"] = "awsfirelens"
	m.router().Object("firelens")
	if m.router()["image"] == nil {
		m.router()["image"] = defaultRouter
		m.note(path, "the log router %s is Copilot's image: `slipway pin %s` looks its digest up", defaultRouter, m.FirstStage)
	}
}

func (m *manifest) network(path []string, value any) {
	object, _ := value.(map[string]any)
	m.each(object, path, map[string]reading{
		"connect": m.instead("write name in each service that others call, as in name: api for http://api:8080, and calls: [api] " +
			"in those that call it"),
		"vpc": m.instead("the network is that of the whole stage: write network, with subnets and assignPublicIp"),
	})
}

func (m *manifest) deployment(path []string, value any) {
	object, _ := value.(map[string]any)
	m.each(object, path, map[string]reading{
		"rolling": func(at []string, value any) {
			if value == "recreate" {
				m.keys.Object("deployment")["minimumHealthy"], m.keys.Object("deployment")["maximum"] = 0, 100
				m.take(at, "%s.deployment: {minimumHealthy: 0, maximum: 100}", m.key)
				return
			}
			m.take(at, "%s.deployment, as it is", m.key)
		},
		"rollback_alarms": func(at []string, value any) {
			if names, ok := value.([]any); ok {
				all, _ := list(names)
				m.set(at, m.keys.Object("deployment"), m.key+".deployment", "alarms", all)
				return
			}
			m.leave(at, "write %s.deployment.maxErrors, or the names of alarms of your own in alarms", m.key)
		}})
}

func (m *manifest) timeout(path []string, value any) {
	m.time(m.keys, m.key, "timeout", 10, 604800)(path, value)
}

// schedule is when a job runs.
func (m *manifest) schedule(path []string, value any) {
	object, _ := value.(map[string]any)
	m.each(object, path, map[string]reading{"schedule": func(at []string, value any) {
		if text(value) == "none" {
			m.take(at, "%s, which runs when somebody runs it", m.key)
			return
		}
		when, err := expression(text(value))
		if err != nil {
			m.fail(at, "%w", err)
			return
		}
		m.set(at, m.keys.Object("schedule"), m.key+".schedule", "when", when)
	}})
}

// predefined are Copilot's names of schedules.
var predefined = map[string]string{"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *",
	"@weekly": "0 0 * * 0", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *"}

// expression is a schedule of Copilot's as one of EventBridge's.
func expression(written string) (string, error) {
	if named := predefined[written]; named != "" {
		written = named
	}
	result := written
	if every, is := strings.CutPrefix(written, "@every "); is {
		duration, err := time.ParseDuration(every)
		minutes := int(duration / time.Minute)
		if err != nil || minutes < 1 {
			return "", fmt.Errorf("is %q: write a time of a minute or more after @every", written)
		}
		result = fmt.Sprintf("rate(%d minutes)", minutes)
		if minutes == 1 {
			result = "rate(1 minute)"
		}
	} else if fields := strings.Fields(written); len(fields) == 5 && !strings.Contains(written, "(") {
		switch {
		case fields[4] == "*":
			fields[4] = "?"
		case fields[2] == "*" && !strings.Contains(fields[4], "/"):
			fields[2], fields[4] = "?", weekday.ReplaceAllStringFunc(fields[4], fromOne)
		default:
			return "", fmt.Errorf("is %q, which AWS writes otherwise: it takes a day of the month or days of the week; make two jobs of it, or list the days",
				written)
		}
		result = "cron(" + strings.Join(fields, " ") + " *)"
	}
	if _, err := schedule.Parse(result); err != nil {
		return "", fmt.Errorf("is %q, which is no schedule that EventBridge takes: %w", written, err)
	}
	return result, nil
}

var weekday = regexp.MustCompile(`\b[0-7]\b`)

// fromOne is a day of the week as AWS counts it, from 1 for Sunday.
func fromOne(day string) string {
	number, _ := strconv.Atoi(day)
	return strconv.Itoa(number%7 + 1)
}
