// Package logs prints what the containers of a service or a task wrote.
package logs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	smithytime "github.com/aws/smithy-go/time"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/snapshot"
	"slipway/internal/awsclient"
	"slipway/internal/taskrun"
)

// Options are whose log is printed, and how.
type Options struct {
	Name         string // of a service or a task
	From         time.Time
	Follow, JSON bool
}

// Print prints the log of a service or a task of a stage. began is called once there is anything to print.
func Print(ctx context.Context, of *snapshot.Stage, logs taskrun.Logs, report *console.Report, options Options,
	began func()) error {
	unread := func(err error) {
		began()
		fmt.Fprintf(report.Err, "The log cannot be read for now, which is tried again: %v\n", err)
	}
	if elsewhere := of.LogsElsewhere(options.Name); elsewhere != "" {
		fmt.Fprintln(report.Err, elsewhere)
	}
	group := of.Named().LogGroup(options.Name)
	err := read(ctx, options.Follow, unread, &taskrun.Log{Logs: logs, Group: group, From: options.From,
		Print: func(event types.FilteredLogEvent) error {
			began()
			return printEvent(report, options, event)
		}})
	if awsreader.IsCode(err, "ResourceNotFoundException") {
		return noLog(of, options.Name)
	}
	if err != nil && !errors.As(err, new(*taskrun.PrintError)) {
		return fmt.Errorf("reading the log group %s from CloudWatch Logs: %w", group, err)
	}
	return err
}

// noLog says why a service or a task has no log group.
func noLog(of *snapshot.Stage, name string) error {
	stack := of.Stack
	settings, err := of.Declared()
	if err != nil {
		return fmt.Errorf("%s has no log in AWS, and it is not known whether the stage file has that name:\n%w", name, err)
	}
	_, service := settings.Services[name]
	_, task := settings.Tasks[name]
	switch {
	case service, task:
		return fmt.Errorf("%s of %s has no log yet, as it was never deployed: run `pulumi up --stack %[2]s`",
			settings.Key(name), stack)
	case len(settings.Tasks) == 0:
		return fmt.Errorf("%s has no service %q: name one of its services: %s", stack, name,
			console.OrNone(slices.Sorted(maps.Keys(settings.Services))))
	}
	return fmt.Errorf("%s has no service and no task %q: name one of its services: %s, or of its tasks: %s", stack, name,
		console.OrNone(slices.Sorted(maps.Keys(settings.Services))),
		strings.Join(slices.Sorted(maps.Keys(settings.Tasks)), ", "))
}

const followInterval = 2 * time.Second

// read prints the events there are and, following, those to come, until the context ends. Once it has read anything,
// it goes on after a failure that may pass; unread gets the first one in a row.
func read(ctx context.Context, follow bool, unread func(error), log *taskrun.Log) error {
	began, failing := false, false
	for {
		err := log.Look(ctx)
		switch {
		case follow && ctx.Err() != nil:
			return nil // how following ends
		case !follow, err != nil && !began, awsclient.Definite(err), errors.As(err, new(*taskrun.PrintError)):
			return err
		case err != nil && !failing:
			unread(err)
		}
		began, failing = true, err != nil
		if smithytime.SleepWithContext(ctx, followInterval) != nil {
			return nil
		}
	}
}

// loggedLine is an event as --json prints it.
type loggedLine struct {
	Time      time.Time `json:"time"`
	Task      string    `json:"task"`
	Container string    `json:"container"`
	Message   string    `json:"message"`
}

func printEvent(r *console.Report, options Options, event types.FilteredLogEvent) error {
	stream := aws.ToString(event.LogStreamName) // CONTAINER/CONTAINER/TASK
	container, _, _ := strings.Cut(stream, "/")
	line := loggedLine{
		Time: time.UnixMilli(aws.ToInt64(event.Timestamp)).UTC(), Task: path.Base(stream), Container: container,
		Message: taskrun.Line(aws.ToString(event.Message)),
	}
	if options.JSON {
		encoder := json.NewEncoder(r.Out)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(line)
	}
	_, err := fmt.Fprintf(r.Out, "%s  %s  %s\n", r.Dim(line.Time.Format("2006-01-02T15:04:05.000Z")), line.Task,
		console.Line(options.Name, container, line.Message))
	return err
}
