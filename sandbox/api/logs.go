package api

import (
	"cmp"
	"math"
	"strconv"

	"slipway/sandbox/account"
)

const mostLogEvents = 10000 // of one answer

func createLogStream(a *account.Account, _ string, p struct{ LogGroupName, LogStreamName string }) (any, error) {
	return object{}, a.CreateLogStream(p.LogGroupName, p.LogStreamName)
}

func putLogEvents(a *account.Account, _ string, p struct {
	LogGroupName, LogStreamName string
	LogEvents                   []account.LogEvent
}) (any, error) {
	return object{}, a.PutLogEvents(p.LogGroupName, p.LogStreamName, p.LogEvents)
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
	for parameter, given := range map[string]bool{"filterPattern": p.FilterPattern != "", "logGroupIdentifier": p.LogGroupIdentifier != "",
		"logStreamNames": len(p.LogStreamNames) > 0, "startFromHead": p.StartFromHead != nil} {
		if given {
			return nil, &account.Error{Code: "InvalidParameterException", Message: "The sandbox has no parameter " + parameter + " of FilterLogEvents."}
		}
	}
	events, err := a.LogEvents(p.LogGroupName, p.LogStreamNamePrefix, p.StartTime, cmp.Or(p.EndTime, math.MaxInt64))
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
	answer := object{"events": append([]*account.LogEvent{}, events[first:end]...), "searchedLogStreams": []object{}}
	if end < len(events) {
		answer["nextToken"] = strconv.Itoa(end)
	}
	return answer, nil
}
