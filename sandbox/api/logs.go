package api

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"

	"slipway/sandbox/account"
	"slipway/sandbox/account/logs"
)

const mostLogEvents = 10000 // of one answer

func createLogStream(a *account.Account, _ string, p struct{ LogGroupName, LogStreamName string }) (any, error) {
	return object{}, logs.CreateLogStream(a, p.LogGroupName, p.LogStreamName)
}

func putLogEvents(a *account.Account, _ string, p struct {
	LogGroupName, LogStreamName string
	LogEvents                   []logs.LogEvent
}) (any, error) {
	return object{}, logs.PutLogEvents(a, p.LogGroupName, p.LogStreamName, p.LogEvents)
}

func filterLogEvents(a *account.Account, _ string, p struct {
	LogGroupName, LogStreamNamePrefix, NextToken string
	StartTime, EndTime                           int64
	Limit                                        int
	// What the sandbox does not know.
	FilterPattern, LogGroupIdentifier string
	LogStreamNames                    []string
	StartFromHead                     *bool
}) (any, error) {
	for parameter, given := range map[string]bool{"filterPattern": p.FilterPattern != "",
		"logGroupIdentifier": p.LogGroupIdentifier != "",
		"logStreamNames":     len(p.LogStreamNames) > 0, "startFromHead": p.StartFromHead != nil} {
		if given {
			return nil, &account.Error{Code: "InvalidParameterException",
				Message: "The sandbox has no parameter " + parameter + " of FilterLogEvents."}
		}
	}
	events, err := logs.FindLogEvents(a, p.LogGroupName, p.LogStreamNamePrefix, p.StartTime, cmp.Or(p.EndTime,
		math.MaxInt64))
	if err != nil {
		return nil, err
	}
	first := 0
	if p.NextToken != "" {
		if first, err = strconv.Atoi(p.NextToken); err != nil || first > len(events) {
			return nil, &account.Error{Code: "InvalidParameterException", Message: "The specified nextToken is invalid."}
		}
	}
	end := min(first+cmp.Or(p.Limit, mostLogEvents), len(events))
	answer := object{"events": append([]*logs.LogEvent{}, events[first:end]...), "searchedLogStreams": []object{}}
	if end < len(events) {
		answer["nextToken"] = strconv.Itoa(end)
	}
	return answer, nil
}

// getLogEvents reads one stream. Its tokens are places between events, with the direction that they lead to: f/12,
// b/12.
func getLogEvents(a *account.Account, _ string, p struct {
	LogGroupName, LogStreamName, NextToken string
	StartTime, EndTime                     int64
	Limit                                  int
	StartFromHead                          bool
	// What the sandbox does not know.
	LogGroupIdentifier string
}) (any, error) {
	if p.LogGroupIdentifier != "" {
		return nil, &account.Error{Code: "InvalidParameterException",
			Message: "The sandbox has no parameter logGroupIdentifier of GetLogEvents."}
	}
	events, err := logs.StreamEvents(a, p.LogGroupName, p.LogStreamName, p.StartTime, cmp.Or(p.EndTime, math.MaxInt64))
	if err != nil {
		return nil, err
	}
	most := cmp.Or(p.Limit, mostLogEvents)
	first, end := max(0, len(events)-most), len(events)
	if p.StartFromHead {
		first, end = 0, min(most, len(events))
	}
	if p.NextToken != "" {
		direction, place, _ := strings.Cut(p.NextToken, "/")
		at, err := strconv.Atoi(place)
		switch {
		case err != nil || at < 0 || at > len(events) || (direction != "f" && direction != "b"):
			return nil, &account.Error{Code: "InvalidParameterException", Message: "The specified nextToken is invalid."}
		case direction == "f":
			first, end = at, min(at+most, len(events))
		default:
			first, end = max(0, at-most), at
		}
	}
	return object{
		"events":            append([]*logs.LogEvent{}, events[first:end]...),
		"nextForwardToken":  fmt.Sprintf("f/%d", end),
		"nextBackwardToken": fmt.Sprintf("b/%d", first),
	}, nil
}
