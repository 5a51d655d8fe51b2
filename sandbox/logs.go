package main

import (
	"context"
	"fmt"
	"io"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecs"
	"slipway/sandbox/account/logs"
)

func logsCommand(dir *string) *cobra.Command {
	command := &cobra.Command{
		Use:   "logs [SERVICE|FAMILY|TASK]",
		Short: "Print what is in the account's logs, oldest first",
		Long: `Print what is in the account's logs, oldest first: the time, the stream, which ends in the task's id, and the message.
A service, a task definition's family or the first characters of a task's id limits that.`,
		Example: `  sandbox logs
  sandbox logs web --follow`,
		Args: cobra.MaximumNArgs(1),
	}
	id := command.Flags().String("account", account.DefaultID, "the `number` of the account whose logs they are")
	follow := command.Flags().Bool("follow", false, "go on with what is logged meanwhile, until Ctrl-C")
	command.RunE = func(command *cobra.Command, args []string) error {
		return withAccount(*dir, func(a *account.Account) error {
			a = a.As(account.User(*id))
			wanted := func(*logs.LogEvent) bool { return true }
			if len(args) == 1 {
				var err error
				if wanted, err = logsOf(a, args[0]); err != nil {
					return err
				}
			}
			ctx, stop := signal.NotifyContext(command.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			return printLogs(ctx, command.OutOrStdout(), a, wanted, *follow)
		})
	}
	return command
}

// printLogs prints the wanted events, and those that come later where they are followed.
func printLogs(ctx context.Context, out io.Writer, a *account.Account, wanted func(*logs.LogEvent) bool,
	follow bool) error {
	for last := ""; ; {
		events, err := logs.AllLogEvents(a, last)
		if err != nil {
			return err
		}
		for _, e := range events {
			last = max(last, e.ID)
			if wanted(e) {
				at := time.UnixMilli(e.Timestamp).UTC().Format("2006-01-02T15:04:05.000Z")
				if _, err := fmt.Fprintf(out, "%s  %s  %s\n", at, e.Stream, strings.TrimRight(e.Message, "\n")); err != nil {
					return err
				}
			}
		}
		if !follow {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil // Ctrl-C is how following ends
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// logsOf tells which events are those of a service, of a family or of a task.
func logsOf(a *account.Account, name string) (func(*logs.LogEvent) bool, error) {
	services, err := ecs.AllServices(a, "")
	if err != nil {
		return nil, err
	}
	families := []string{name}
	for _, s := range services {
		if s.Name == name {
			family, _, _ := strings.Cut(lastPart(s.TaskDefinition), ":")
			families = append(families, family)
		}
	}
	definitions, err := ecs.TaskDefinitions(a)
	if err != nil {
		return nil, err
	}
	// What the containers of these families log to: a task's id stands in place of the last part of a stream.
	streams := map[[2]string]bool{}
	for _, d := range definitions {
		for _, c := range d.Containers {
			if slices.Contains(families, d.Family) {
				streams[[2]string{c.LogGroup(), c.LogStream("")}] = true
			}
		}
	}
	if len(streams) > 0 {
		return func(e *logs.LogEvent) bool {
			return streams[[2]string{e.Group, e.Stream[:strings.LastIndex(e.Stream, "/")+1]}]
		}, nil
	}
	ofTask := func(e *logs.LogEvent) bool { return strings.HasPrefix(lastPart(e.Stream), name) }
	tasks, err := ecs.Tasks(a, "")
	if err != nil {
		return nil, err
	}
	events, err := logs.AllLogEvents(a, "")
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(events, ofTask) &&
		!slices.ContainsFunc(tasks, func(t *ecs.Task) bool { return strings.HasPrefix(t.ID(), name) }) {
		return nil, fmt.Errorf("there is no service, family or task %q in the account: `sandbox ps` lists them", name)
	}
	return ofTask, nil
}
