package main

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
	"github.com/spf13/cobra"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/internal/awsclient"
	"slipway/internal/taskrun"
	"slipway/stage"
)

func logsCommand(directory *string) *cobra.Command {
	var follow, asJSON bool
	var since string
	command := &cobra.Command{
		Use:   "logs STAGE NAME",
		Short: "What the containers of a service or a task wrote, oldest first",
		Long: `What the containers of a service or a task wrote, oldest first: the time, the id of the ECS task, and the line. Lines of
containers beside the main one begin with their names.

--since takes a duration, or a time as in 2026-11-24T09:00:00Z. With --follow it goes on until Ctrl-C.`,
		Example: `  slipway logs dev web --since 1h
  slipway logs release web --follow
  slipway logs release migrate --since 24h`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return errors.New("logs takes a stage and a service or a task: slipway logs STAGE NAME")
			}
			if _, err := sinceWhen(since, time.Now()); err != nil {
				return err
			}
			return stagefile.CheckNames(args[:1])
		},
		ValidArgsFunction: completeNames(directory, (*stagefile.Project).Logged),
		RunE: func(cmd *cobra.Command, args []string) error {
			from, err := sinceWhen(since, time.Now())
			if err != nil {
				return err
			}
			project, err := stagefile.Find(*directory)
			if err != nil {
				return err
			}
			report := console.NewReport(cmd)
			done := report.Progress("Reading the log of %s in %s", args[1], args[0])
			defer done()
			config, secretKeys, err := pulumicli.ReadConfig(cmd.Context(), pulumicli.New(project.Directory), project, args[0])
			if err != nil {
				return err
			}
			client, err := awsreader.Connect(cmd.Context(), args[0], config)
			if err != nil {
				return err
			}
			unread := func(err error) {
				done()
				fmt.Fprintf(report.Err, "The log cannot be read for now, which is tried again: %v\n", err)
			}
			group := (&stage.Stage{Project: project.Name, Name: stagefile.StageName(args[0])}).LogGroup(args[1])
			err = readLog(cmd.Context(), follow, unread, &taskrun.Log{
				Logs:  client.Logs,
				Group: group,
				From:  from,
				Print: func(event types.FilteredLogEvent) error { done(); return printEvent(report, args[1], event, asJSON) },
			})
			if awsreader.IsCode(err, "ResourceNotFoundException") {
				return noLog(project, args[0], args[1], config, secretKeys)
			}
			if err != nil && !errors.As(err, new(*taskrun.PrintError)) {
				return fmt.Errorf("reading the log group %s from CloudWatch Logs: %w", group, err)
			}
			return err
		},
	}
	command.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what is written from now on, until Ctrl-C")
	command.Flags().StringVar(&since, "since", "10m", "how far back to begin: a `duration`, or a time")
	command.Flags().BoolVar(&asJSON, "json", false, "print each line as a JSON object")
	return command
}

// sinceWhen reads a duration before now, or a time.
func sinceWhen(text string, now time.Time) (time.Time, error) {
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("--since %s: write a duration such as 10m or 24h, or a time such as 2026-11-24T09:00:00Z", text)
	}
	return at, nil
}

// noLog says why a service or a task has no log group.
func noLog(project *stagefile.Project, stack, name string, config map[string]string, secretKeys []string) error {
	settings, err := stagefile.Load(project, stack, config, secretKeys)
	if err != nil {
		return fmt.Errorf("%s has no log in AWS, and whether the stage file has that name cannot be told:\n%w", name, err)
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

// readLog prints the events there are and, following, those to come, until the context ends. Once it has read anything,
// it goes on after a failure that may pass; unread is told of the first one in a row.
func readLog(ctx context.Context, follow bool, unread func(error), log *taskrun.Log) error {
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
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(followInterval):
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

func printEvent(r *console.Report, main string, event types.FilteredLogEvent, asJSON bool) error {
	stream := aws.ToString(event.LogStreamName) // CONTAINER/CONTAINER/TASK
	container, _, _ := strings.Cut(stream, "/")
	line := loggedLine{
		Time: time.UnixMilli(aws.ToInt64(event.Timestamp)).UTC(), Task: path.Base(stream), Container: container,
		Message: taskrun.Line(aws.ToString(event.Message)),
	}
	if asJSON {
		encoder := json.NewEncoder(r.Out)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(line)
	}
	if _, err := fmt.Fprintf(r.Out, "%s  %s  ", r.Dim(line.Time.Format("2006-01-02T15:04:05.000Z")),
		line.Task); err != nil {
		return err
	}
	printLine(r.Out, main, container, line.Message)
	return nil
}
