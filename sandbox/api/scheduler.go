package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"slipway/sandbox/account"
	"slipway/sandbox/account/scheduler"
)

// schedulesPath is what the paths of EventBridge Scheduler begin with, whose protocol is JSON over REST.
const schedulesPath = "/schedules"

func answerScheduler(w http.ResponseWriter, r *http.Request, a *account.Account) {
	var answer any
	name, named := strings.CutPrefix(r.URL.Path, schedulesPath+"/")
	err := error(&account.Error{Code: "ValidationException", Message: "The sandbox has no operation " + r.Method + " " +
		r.URL.Path +
		" of EventBridge Scheduler."})
	switch {
	case r.Method != http.MethodGet:
	case named:
		arn := account.ARN(a.ID, "scheduler", region(r), "schedule/"+scheduler.DefaultScheduleGroup+"/"+name)
		if err = authorizeREST(a, "scheduler:GetSchedule", arn); err == nil {
			answer, err = getSchedule(a, region(r), name, r.URL.Query())
		}
	case r.URL.Path == schedulesPath:
		if err = authorizeREST(a, "scheduler:ListSchedules", "*"); err == nil {
			answer, err = listSchedules(a, region(r), r.URL.Query())
		}
	}
	status := http.StatusOK
	var refusal *account.Error
	switch {
	case errors.As(err, &refusal):
		if status = http.StatusBadRequest; refusal.Code == "ResourceNotFoundException" {
			status = http.StatusNotFound
		}
		w.Header().Set("X-Amzn-ErrorType", refusal.Code)
		answer = object{"Message": refusal.Message}
	case err != nil:
		status, answer = http.StatusInternalServerError, object{"Message": err.Error()}
		w.Header().Set("X-Amzn-ErrorType", "InternalServerException")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // the client has hung up
}

func getSchedule(a *account.Account, region, name string, query url.Values) (any, error) {
	group := query.Get("groupName")
	if group == "" {
		group = scheduler.DefaultScheduleGroup
	}
	o, err := a.Object(scheduler.Schedule, group+"/"+name)
	if err != nil {
		return nil, err
	}
	if o == nil || !inRegion(o, region) {
		return nil, &account.Error{Code: "ResourceNotFoundException", Message: "Schedule " + name + " does not exist."}
	}
	answer := scheduleSummary(o)
	target := inner(o, "target")
	shown := object{"Arn": target["arn"], "RoleArn": target["roleArn"],
		"RetryPolicy": renamed(inner(target, "retryPolicy"))}
	if input, _ := target["input"].(string); input != "" {
		shown["Input"] = input
	}
	if queue := inner(target, "deadLetterConfig"); queue != nil {
		shown["DeadLetterConfig"] = renamed(queue)
	}
	shown["EcsParameters"] = scheduledTask(inner(target, "ecsParameters"))
	answer["Target"], answer["FlexibleTimeWindow"] = shown, renamed(inner(o, "flexibleTimeWindow"))
	for from, to := range map[string]string{"scheduleExpression": "ScheduleExpression",
		"scheduleExpressionTimezone": "ScheduleExpressionTimezone",
		"description":                "Description"} {
		if text, _ := o[from].(string); text != "" {
			answer[to] = text
		}
	}
	answer["ActionAfterCompletion"] = "NONE"
	return answer, nil
}

// scheduledTask is a schedule's ECS parameters as its API has them.
func scheduledTask(task object) object {
	network := inner(task, "networkConfiguration")
	shown := renamed(task)
	delete(shown, "NetworkConfiguration")
	if network != nil {
		vpc := renamed(network)
		vpc["AssignPublicIp"] = map[bool]string{true: "ENABLED", false: "DISABLED"}[network["assignPublicIp"] == true]
		shown["NetworkConfiguration"] = object{"awsvpcConfiguration": vpc}
	}
	if managed, given := shown["EnableEcsManagedTags"]; given {
		delete(shown, "EnableEcsManagedTags")
		shown["EnableECSManagedTags"] = managed
	}
	if tags := inner(task, "tags"); tags != nil {
		list := []object{}
		for key, value := range tags {
			list = append(list, object{"key": key, "value": value})
		}
		slices.SortFunc(list, func(x, y object) int { return strings.Compare(x["key"].(string), y["key"].(string)) })
		shown["Tags"] = list
	}
	return shown
}

// renamed is an object with the API's names, which differ in the first letter, and without what is not there.
func renamed(o object) object {
	shown := object{}
	for key, value := range o {
		switch list, isList := value.([]any); {
		case value == nil, value == "", value == 0.0 && key == "maximumWindowInMinutes", isList && len(list) == 0:
		default:
			shown[strings.ToUpper(key[:1])+key[1:]] = value
		}
	}
	return shown
}

func inner(o map[string]any, key string) object {
	found, _ := o[key].(object)
	return found
}

func inRegion(o account.Object, region string) bool {
	arn, _ := o["arn"].(string)
	return strings.Contains(arn, ":"+region+":")
}

// scheduleSummary is what a list says of a schedule.
func scheduleSummary(o account.Object) object {
	summary := object{"Arn": o["arn"], "Name": o["name"], "GroupName": o["groupName"], "State": o["state"]}
	if created, err := time.Parse(time.RFC3339Nano, text(o, "createDate")); err == nil {
		summary["CreationDate"] = account.Seconds(created)
		summary["LastModificationDate"] = account.Seconds(created)
	}
	return summary
}

func text(o map[string]any, key string) string {
	s, _ := o[key].(string)
	return s
}

func listSchedules(a *account.Account, region string, query url.Values) (any, error) {
	all, err := a.Objects(scheduler.Schedule)
	if err != nil {
		return nil, err
	}
	found := []object{}
	for _, o := range all {
		group, state := query.Get("ScheduleGroup"), query.Get("State")
		if !inRegion(o, region) || !strings.HasPrefix(text(o, "name"), query.Get("NamePrefix")) ||
			group != "" && o["groupName"] != group || state != "" && o["state"] != state {
			continue
		}
		summary := scheduleSummary(o)
		summary["Target"] = object{"Arn": inner(o, "target")["arn"]}
		found = append(found, summary)
	}
	limit := 0
	if given := query.Get("MaxResults"); given != "" {
		if err := json.Unmarshal([]byte(given), &limit); err != nil {
			return nil, &account.Error{Code: "ValidationException", Message: "Invalid MaxResults: " + given}
		}
	}
	part, next, err := page(found, limit, 100, query.Get("NextToken"))
	answer := object{"Schedules": part}
	if next != "" {
		answer["NextToken"] = next
	}
	return answer, err
}
