// Package history shows what was deployed to a stage: all updates in a table, or one of them whole.
package history

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/snapshot"
	"slipway/cmd/slipway/internal/timeline"
)

// Options are which updates are shown, and how.
type Options struct {
	Number int // of the one update to show; 0 for a table
	Limit  int // of the rows; 0 for all
	JSON   bool
}

// Parts are what showing that needs of a stage.
func (o Options) Parts() snapshot.Parts {
	parts := snapshot.Parts{Secrets: true, Updates: o.Limit + 1} // the one before tells what changed
	switch {
	case o.Number != 0:
		parts.Updates = 1
	case o.Limit == 0:
		parts.Updates = pulumicli.ManyUpdates
	}
	return parts
}

// Show prints the updates of a stage. read is called once all of them were read.
func Show(ctx context.Context, of *snapshot.Stage, report *console.Report, options Options, read func()) error {
	history := timeline.New(of, nil)
	if newest, err := history.At(ctx, 0); err != nil {
		return err
	} else if newest != nil {
		if history.Cloud, err = of.Connect(ctx); err != nil {
			return err
		}
	}
	var one *update
	var entries []*timeline.Entry
	var err error
	if options.Number != 0 {
		one, err = readUpdate(ctx, history, options.Number)
	} else {
		entries, err = readTable(ctx, history, options.Limit)
	}
	if err != nil {
		return err
	}
	read()
	if of.Lock != nil {
		fmt.Fprintf(report.Err, "%s.\n", of.Lock.Describe(of.Stack))
	}
	if slices.ContainsFunc(history.Entries, func(e *timeline.Entry) bool { return e.Settings.Hidden() }) {
		fmt.Fprintf(report.Err, "The secrets of %s could not all be decrypted: which of those changed is not shown.\n",
			of.Stack)
	}
	switch {
	case one != nil && options.JSON:
		return report.JSON(one)
	case one != nil:
		one.print(report, of.Stack)
	case options.JSON:
		return report.JSON(entries)
	default:
		printTable(report, of.Stack, entries)
	}
	return nil
}

// readTable reads so many of the newest updates; 0 for all.
func readTable(ctx context.Context, history *timeline.Timeline, limit int) ([]*timeline.Entry, error) {
	entries := []*timeline.Entry{} // newest first
	_, err := history.First(ctx, 0, func(e *timeline.Entry) bool {
		entries = append(entries, e)
		return len(entries) == limit
	})
	if err != nil || len(entries) == 0 {
		return entries, err
	}
	for _, e := range entries {
		if err := history.Compare(ctx, e); err != nil {
			return nil, err
		}
	}
	err = history.ResolveRevisions(ctx, false, entries...)
	history.MarkOutcome(ctx, entries)
	return entries, err
}

// printTable prints a row for each update.
func printTable(report *console.Report, stack string, entries []*timeline.Entry) {
	if len(entries) == 0 {
		report.Printf("%s has never been updated: run `pulumi up --stack %s`.\n", stack, stack)
		return
	}
	rows := [][]string{}
	for _, e := range entries {
		rows = append(rows, []string{strconv.Itoa(e.Number), e.Start.Local().Format("2006-01-02 15:04:05 MST"),
			report.Result(e.Result) + kindOf(e), shortCommit(e), e.Author, console.Shorten(e.Subject(), 50), e.By,
			changedRevisions(e.Services), changedRevisions(e.Tasks), changedKeys(e)})
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
func changedRevisions(of map[string]*timeline.DeployedRevision) string {
	var changed []string
	for _, name := range slices.Sorted(maps.Keys(of)) {
		if put := of[name]; put.Changed || put.Unknown != "" || put.Serving != 0 {
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
	for _, change := range e.Outside { // with their values, which nothing else has
		keys = append(keys, console.Shorten(change.Describe(), 100))
	}
	if e.Kind == "update" && len(keys) > mostKeys {
		keys = append(keys[:mostKeys], fmt.Sprintf("and %d more", len(keys)-mostKeys))
	}
	return strings.Join(keys, ", ")
}
