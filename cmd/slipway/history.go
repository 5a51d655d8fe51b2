package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/flatconfig"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/cmd/slipway/internal/timeline"
)

func historyCommand(directory *string) *cobra.Command {
	var asJSON bool
	var limit int
	command := &cobra.Command{
		Use:   "history STAGE [NUMBER]",
		Short: "What was deployed to a stage, when, from which commit, and what it changed",
		Long: `What was deployed to a stage, when, from which commit, and what it changed: a row for each update, newest first.

It joins the history that Pulumi keeps with the revisions in ECS and the images in ECR. A service or a task is shown where
the update put another revision in place for it. With a NUMBER, one update is shown whole: the configuration that it changed,
and how its container definitions differ from those before. Values of secrets are never shown.`,
		Example: `  slipway history dev
  slipway history dev 12
  slipway history release --limit 0 --json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 || len(args) > 2 {
				return errors.New("history takes a stage, and the number of an update: slipway history STAGE [NUMBER]")
			}
			if len(args) == 2 {
				if number, err := strconv.Atoi(args[1]); err != nil || number < 1 {
					return fmt.Errorf("%q is not the number of an update, which is 1 or more", args[1])
				}
			}
			if limit < 0 {
				return errors.New("--limit must be 0, for all, or more")
			}
			return stagefile.CheckNames(args[:1])
		},
		ValidArgsFunction: completeStages(directory, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			number := 0
			if len(args) == 2 {
				number, _ = strconv.Atoi(args[1]) // checked above
				limit = 0
			}
			return showHistory(cmd.Context(), console.NewReport(cmd), *directory, args[0], number, limit, asJSON)
		},
	}
	command.Flags().IntVarP(&limit, "limit", "n", 20, "show the newest `updates` only; 0 for all")
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return command
}

func showHistory(ctx context.Context, report *console.Report, directory, stack string, number, limit int,
	asJSON bool) error {
	project, err := stagefile.Find(directory)
	if err != nil {
		return err
	}
	done := report.Progress("Reading the history of %s", stack)
	defer done()
	pulumi := pulumicli.New(project.Directory)
	least := limit + 1 // the one before tells what changed
	switch {
	case number != 0:
		least = 1
	case limit == 0:
		least = pulumicli.ManyUpdates
	}
	history, config, err := timeline.Open(ctx, pulumi, project, stack, least)
	if err != nil {
		return err
	}
	lock, err := history.Past.Backend.Lock(ctx)
	if err != nil {
		return err
	}
	var entries []*timeline.Entry // newest first
	for i := 0; limit == 0 || i < limit; i++ {
		e, err := history.At(ctx, i)
		if err != nil {
			return err
		}
		if e == nil || number != 0 && i > 0 {
			break
		}
		entries = append(entries, e)
	}
	if len(entries) > 0 {
		if err := history.Connect(ctx, config.Config); err != nil {
			return err
		}
	}
	if number == 0 {
		for _, e := range entries {
			if err := history.Compare(ctx, e); err != nil {
				return err
			}
		}
		if err := history.ResolveRevisions(ctx, false, entries...); err != nil {
			return err
		}
		history.MarkOutcome(ctx, entries)
	}
	done()
	if lock != nil {
		fmt.Fprintf(report.Err, "%s.\n", lock.Describe(stack))
	}
	if slices.ContainsFunc(history.Entries, func(e *timeline.Entry) bool { return e.Settings.Hidden() }) {
		fmt.Fprintf(report.Err, "The secrets of %s could not all be decrypted: which of those changed is not shown.\n", stack)
	}
	if number != 0 {
		return showOne(ctx, report, history, number, asJSON)
	}
	if asJSON {
		return report.JSON(append([]*timeline.Entry{}, entries...))
	}
	printHistory(report, stack, entries)
	return nil
}

func printHistory(report *console.Report, stack string, entries []*timeline.Entry) {
	if len(entries) == 0 {
		report.Printf("%s has never been updated: run `pulumi up --stack %s`.\n", stack, stack)
		return
	}
	rows := [][]string{}
	for _, e := range entries {
		rows = append(rows, []string{strconv.Itoa(e.Number), e.Start.Local().Format("2006-01-02 15:04:05 MST"),
			report.Result(e.Result) + kindOf(e), shortCommit(e), e.Author, console.Shorten(e.Subject(), 50), e.By,
			changedRevisions(e, timeline.ServiceKind),
			changedRevisions(e, timeline.TaskKind), changedKeys(e)})
	}
	headers := []string{"#", "TIME", "RESULT", "COMMIT", "AUTHOR", "MESSAGE", "BY", "SERVICES", "TASKS", "CHANGED"}
	headers, rows = console.WithoutEmptyColumn(headers, rows, 8)
	report.Table(console.WithoutEmptyColumn(headers, rows, 6))
	if slices.ContainsFunc(entries, func(e *timeline.Entry) bool { return e.Commit != "" && e.Dirty }) {
		report.Printf("\n+ made from that commit with uncommitted changes, in whatever file (a new encryptionsalt is one)\n")
	}
}

// shortCommit marks a commit that is not all that the update was made from.
func shortCommit(e *timeline.Entry) string {
	short := fmt.Sprintf("%.7s", e.Commit)
	if short != "" && e.Dirty {
		short += "+"
	}
	return short
}

// kindOf is shown where it is not the usual one.
func kindOf(e *timeline.Entry) string {
	if e.Kind == "update" {
		return ""
	}
	return " (" + e.Kind + ")"
}

// changedRevisions are the services, or the tasks, for which the update put another revision in place, with the image's
// tag.
func changedRevisions(e *timeline.Entry, kind string) string {
	var changed []string
	for _, name := range slices.Sorted(maps.Keys(e.Of(kind))) {
		if put := e.Of(kind)[name]; put.Changed || put.Unknown != "" || put.Serving != 0 {
			changed = append(changed, name+" "+put.Describe())
		}
	}
	return strings.Join(changed, ", ")
}

// mostKeys is how many changed keys a row names.
const mostKeys = 3

func changedKeys(e *timeline.Entry) string {
	var keys []string
	for _, change := range e.Changes {
		keys = append(keys, change.Key)
	}
	if e.Kind == "update" && len(keys) > mostKeys {
		keys = append(keys[:mostKeys], fmt.Sprintf("and %d more", len(keys)-mostKeys))
	}
	return strings.Join(keys, ", ")
}

// shownEntry is an update with how its container definitions differ from those before.
type shownEntry struct {
	*timeline.Entry
	Containers map[string][]flatconfig.Change `json:"containers"` // by service or task
}

func showOne(ctx context.Context, report *console.Report, t *timeline.Timeline, number int, asJSON bool) error {
	e, err := t.Find(ctx, number)
	if err != nil {
		return err
	}
	if err := errors.Join(t.Compare(ctx, e), t.ResolveRevisions(ctx, true, e)); err != nil {
		return err
	}
	t.MarkOutcome(ctx, []*timeline.Entry{e})
	before := map[string]map[string]*timeline.DeployedRevision{timeline.ServiceKind: {}, timeline.TaskKind: {}}
	shown := shownEntry{e, map[string][]flatconfig.Change{}}
	for _, kind := range []string{timeline.ServiceKind, timeline.TaskKind} {
		for name, put := range e.Of(kind) {
			if before[kind][name], err = t.Before(ctx, e, kind, name); err != nil {
				return err
			}
			if !put.Changed {
				continue
			}
			var earlier *awsreader.Revision
			if before := before[kind][name]; before != nil {
				earlier = before.InECS
			}
			shown.Containers[name] = flatconfig.Changes(timeline.ContainerSettings(earlier),
				timeline.ContainerSettings(put.InECS))
		}
	}
	if asJSON {
		return report.JSON(shown)
	}
	printUpdate(report, t.Stack, e)
	report.Printf("\nConfiguration:\n")
	if len(e.Changes) == 0 {
		report.Printf("  as before\n")
	}
	for _, change := range e.Changes {
		report.Printf("  %s\n", change.Describe())
	}
	for _, name := range slices.Sorted(maps.Keys(e.Services)) {
		printPlaced(report, name, e.Services[name], before[timeline.ServiceKind][name], shown.Containers[name])
	}
	for _, name := range slices.Sorted(maps.Keys(e.Tasks)) {
		printPlaced(report, "task "+name, e.Tasks[name], before[timeline.TaskKind][name], shown.Containers[name])
	}
	return nil
}

func printUpdate(report *console.Report, stack string, e *timeline.Entry) {
	report.Printf("Update %d of %s: %s%s\n", e.Number, stack, report.Result(e.Result), kindOf(e))
	report.Printf("  started  %s\n", e.Start.Local().Format("2006-01-02 15:04:05 MST"))
	if e.End != nil {
		report.Printf("  took     %s\n", e.End.Sub(e.Start))
	}
	commit := e.Commit
	if commit != "" && e.Dirty {
		commit += " + uncommitted changes"
	}
	for _, line := range [][2]string{{"commit", commit}, {"author", e.Author}, {"message", e.Subject()}, {"by", e.By}} {
		if line[1] != "" {
			report.Printf("  %-8s %s\n", line[0], line[1])
		}
	}
}

func printPlaced(report *console.Report, title string, put, before *timeline.DeployedRevision,
	changes []flatconfig.Change) {
	if put.Unknown != "" {
		report.Printf("\n%s: which revision it put in place is not known: %s\n", title, put.Unknown)
		return
	}
	if !put.Changed {
		report.Printf("\n%s: %s, as before\n", title, put.Describe())
		return
	}
	from := "none"
	if before != nil {
		from = before.Describe()
	}
	report.Printf("\n%s: %s → %s\n", title, from, put.Describe())
	for _, change := range changes {
		report.Printf("  %s\n", change.Describe())
	}
}
