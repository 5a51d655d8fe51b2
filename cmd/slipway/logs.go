package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/spf13/cobra"

	"slipway/stage"
)

func logsCommand(directory *string) *cobra.Command {
	var follow, asJSON bool
	var since string
	command := &cobra.Command{
		Use:   "logs STAGE SERVICE",
		Short: "What the containers of a service wrote, oldest first",
		Long: `What the containers of a service wrote, oldest first: the time, the id of the task, and the line.

--since takes a duration, or a time as in 2026-11-24T09:00:00Z. With --follow it goes on until Ctrl-C.`,
		Example: `  slipway logs dev web --since 1h
  slipway logs release web --follow`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return errors.New("logs takes a stage and a service: slipway logs STAGE SERVICE")
			}
			if _, err := sinceWhen(since, time.Now()); err != nil {
				return err
			}
			return checkStackNames(args[:1])
		},
		ValidArgsFunction: completeStages(directory, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			from, err := sinceWhen(since, time.Now())
			if err != nil {
				return err
			}
			project, err := findProject(*directory)
			if err != nil {
				return err
			}
			report := newReport(cmd)
			done := report.progress("Reading the log of %s in %s", args[1], args[0])
			defer done()
			config, secretKeys, err := readConfig(cmd.Context(), newPulumiCLI(project.Directory), project, args[0])
			if err != nil {
				return err
			}
			cfg, settings, _, err := awsOf(cmd.Context(), args[0], config)
			if err != nil {
				return err
			}
			log := &logReader{
				client: cloudwatchlogs.NewFromConfig(cfg, func(o *cloudwatchlogs.Options) { o.BaseEndpoint = settings.Endpoint("logs", o.BaseEndpoint) }),
				group:  (&stage.Stage{Project: project.Name, Name: stageName(args[0])}).LogGroup(args[1]),
				from:   from, seen: map[string]time.Time{},
				print: func(event types.FilteredLogEvent) error { done(); return printEvent(report, event, asJSON) },
			}
			err = log.read(cmd.Context(), follow)
			if isCode(err, "ResourceNotFoundException") {
				return noLog(project, args[0], args[1], config, secretKeys)
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

// noLog says why a service has no log group.
func noLog(project *project, stack, service string, config map[string]string, secretKeys []string) error {
	settings, err := loadStage(project, stack, config, secretKeys)
	if err != nil {
		return fmt.Errorf("%s has no log in AWS, and whether the stage file has that service cannot be told:\n%w", service, err)
	}
	if _, declared := settings.Services[service]; !declared {
		return fmt.Errorf("%s has no service %q: name one of its services: %s", stack, service, orNone(sortedKeys(settings.Services)))
	}
	return fmt.Errorf("services.%s of %s has no log yet, as it was never deployed: run `pulumi up --stack %[2]s`", service, stack)
}

// logReader reads the log group of one service.
type logReader struct {
	client *cloudwatchlogs.Client
	group  string
	from   time.Time
	// seen are the events printed so far that the next look would find again, with their times.
	seen  map[string]time.Time
	print func(types.FilteredLogEvent) error
}

const (
	followInterval = 2 * time.Second
	// lateness is how much later than others an event with an earlier time may arrive. Following, each look goes that
	// much back.
	lateness = 2 * time.Minute
)

// read prints the events there are and, following, those to come, until the context ends.
func (l *logReader) read(ctx context.Context, follow bool) error {
	for {
		err := l.look(ctx)
		if follow && ctx.Err() != nil {
			return nil // how following ends
		}
		if err != nil || !follow {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(followInterval):
		}
	}
}

// look prints the events since l.from that were not printed yet.
func (l *logReader) look(ctx context.Context) error {
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(l.client, &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: &l.group, StartTime: aws.Int64(l.from.UnixMilli()),
	})
	newest, now := l.from, time.Now() // a container's clock may be ahead
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, event := range page.Events {
			id, at := aws.ToString(event.EventId), time.UnixMilli(aws.ToInt64(event.Timestamp))
			if at.After(newest) && !at.After(now) {
				newest = at
			}
			if _, printed := l.seen[id]; printed {
				continue
			}
			l.seen[id] = at
			if err := l.print(event); err != nil {
				return err
			}
		}
	}
	if from := newest.Add(-lateness); from.After(l.from) {
		l.from = from
	}
	for id, at := range l.seen {
		if at.Before(l.from) {
			delete(l.seen, id)
		}
	}
	return nil
}

// loggedLine is an event as --json prints it.
type loggedLine struct {
	Time    time.Time `json:"time"`
	Task    string    `json:"task"`
	Message string    `json:"message"`
}

func printEvent(r *report, event types.FilteredLogEvent, asJSON bool) error {
	line := loggedLine{
		Time:    time.UnixMilli(aws.ToInt64(event.Timestamp)).UTC(),
		Task:    path.Base(aws.ToString(event.LogStreamName)), // CONTAINER/CONTAINER/TASK
		Message: strings.TrimRight(aws.ToString(event.Message), "\r\n"),
	}
	if asJSON {
		encoder := json.NewEncoder(r.out)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(line)
	}
	_, err := fmt.Fprintf(r.out, "%s  %s  %s\n", r.dim(line.Time.Format("2006-01-02T15:04:05.000Z")), line.Task, line.Message)
	return err
}
