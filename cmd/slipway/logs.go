package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"slipway/cmd/slipway/internal/logs"
	"slipway/cmd/slipway/internal/snapshot"
	"slipway/cmd/slipway/internal/stagefile"
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
			report, project, err := begin(cmd, *directory)
			if err != nil {
				return err
			}
			done := report.Progress("Reading the log of %s in %s", args[1], args[0])
			defer done()
			of, err := load(cmd, project, args[0], snapshot.Parts{})
			if err != nil {
				return err
			}
			cloud, err := of.Connect(cmd.Context())
			if err != nil {
				return err
			}
			return logs.Print(cmd.Context(), of, cloud.Logs, report,
				logs.Options{Name: args[1], From: from, Follow: follow, JSON: asJSON}, done)
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
