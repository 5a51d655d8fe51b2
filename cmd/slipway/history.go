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

	"slipway/cmd/slipway/internal/awsclient"
	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/stagefile"
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
	timeline, config, err := openTimeline(ctx, pulumi, project, stack, least)
	if err != nil {
		return err
	}
	lock, err := timeline.past.Backend.Lock(ctx)
	if err != nil {
		return err
	}
	var entries []*entry // newest first
	for i := 0; limit == 0 || i < limit; i++ {
		e, err := timeline.at(ctx, i)
		if err != nil {
			return err
		}
		if e == nil || number != 0 && i > 0 {
			break
		}
		entries = append(entries, e)
	}
	if len(entries) > 0 {
		if err := timeline.connect(ctx, config.Config); err != nil {
			return err
		}
	}
	if number == 0 {
		for _, e := range entries {
			if err := timeline.compare(ctx, e); err != nil {
				return err
			}
		}
		if err := timeline.place(ctx, false, entries...); err != nil {
			return err
		}
		timeline.markOutcome(ctx, entries)
	}
	done()
	if lock != nil {
		fmt.Fprintf(report.Err, "%s.\n", lock.Describe(stack))
	}
	if slices.ContainsFunc(timeline.entries, func(e *entry) bool { return hidden(e.leaves) }) {
		fmt.Fprintf(report.Err, "The secrets of %s could not all be decrypted: which of those changed is not shown.\n", stack)
	}
	if number != 0 {
		return timeline.showOne(ctx, report, number, asJSON)
	}
	if asJSON {
		return report.JSON(append([]*entry{}, entries...))
	}
	if len(entries) == 0 {
		report.Printf("%s has never been updated: run `pulumi up --stack %s`.\n", stack, stack)
		return nil
	}
	rows := [][]string{}
	for _, e := range entries {
		rows = append(rows, []string{strconv.Itoa(e.Number), e.Start.Local().Format("2006-01-02 15:04:05 MST"),
			report.Result(e.Result) + e.kind(),
			fmt.Sprintf("%.7s", e.Commit), e.Author, console.Shorten(e.subject(), 50), e.By, e.changedRevisions(serviceKind),
			e.changedRevisions(taskKind), e.changedKeys()})
	}
	headers := []string{"#", "TIME", "RESULT", "COMMIT", "AUTHOR", "MESSAGE", "BY", "SERVICES", "TASKS", "CHANGED"}
	headers, rows = console.WithoutEmptyColumn(headers, rows, 8)
	report.Table(console.WithoutEmptyColumn(headers, rows, 6))
	return nil
}

// kind is shown where it is not the usual one.
func (e *entry) kind() string {
	if e.Kind == "update" {
		return ""
	}
	return " (" + e.Kind + ")"
}

func (e *entry) subject() string {
	subject, _, _ := strings.Cut(strings.TrimSpace(e.Message), "\n")
	return subject
}

// changedRevisions are the services, or the tasks, for which the update put another revision in place, with the image's
// tag.
func (e *entry) changedRevisions(kind string) string {
	var changed []string
	for _, name := range slices.Sorted(maps.Keys(e.of(kind))) {
		if put := e.of(kind)[name]; put.Changed || put.Unknown != "" || put.Serving != 0 {
			changed = append(changed, name+" "+put.describe())
		}
	}
	return strings.Join(changed, ", ")
}

// describe is a revision's number with the tag of its image.
func (p *placed) describe() string {
	if p.Unknown != "" {
		return "unknown"
	}
	if p.Revision == 0 {
		return "none"
	}
	text := fmt.Sprintf("%d", p.Revision)
	if p.Pinned {
		text += " pinned"
	}
	if p.revision == nil {
		return text + " (gone)"
	}
	return text + " (" + p.Image.Describe() + ")" + p.outcome()
}

// mostKeys is how many changed keys a row names.
const mostKeys = 3

func (e *entry) changedKeys() string {
	var keys []string
	for _, change := range e.Changes {
		keys = append(keys, change.Key)
	}
	if e.Kind == "update" && len(keys) > mostKeys {
		keys = append(keys[:mostKeys], fmt.Sprintf("and %d more", len(keys)-mostKeys))
	}
	return strings.Join(keys, ", ")
}

// find returns an update by its number.
func (t *timeline) find(ctx context.Context, number int) (*entry, error) {
	newest, err := t.at(ctx, 0)
	if err != nil {
		return nil, err
	}
	if newest == nil {
		return nil, fmt.Errorf("%s has never been updated: run `pulumi up --stack %[1]s` first", t.stack)
	}
	for i := newest.Number - number; number <= newest.Number; i++ { // where none is missing, the first is it
		e, err := t.at(ctx, i)
		if err != nil {
			return nil, err
		}
		if e == nil || e.Number < number {
			break
		}
		if e.Number == number {
			return e, nil
		}
	}
	oldest := newest
	for i := 0; ; i++ {
		e, err := t.at(ctx, i)
		if err != nil {
			return nil, err
		}
		if e == nil {
			return nil, fmt.Errorf("%s has no update %d: `slipway history %[1]s --limit 0` lists them, %[3]d to %[4]d",
				t.stack, number, oldest.Number, newest.Number)
		}
		oldest = e
	}
}

// before is what an earlier update had put in place for a service or a task last.
func (t *timeline) before(ctx context.Context, e *entry, kind, name string) (*placed, error) {
	for {
		earlier, err := t.updateBefore(ctx, e)
		if err != nil || earlier == nil {
			return nil, err
		}
		if slices.Contains(earlier.declared(kind), name) {
			err := t.place(ctx, true, earlier)
			return earlier.of(kind)[name], err
		}
		e = earlier
	}
}

// shownEntry is an update with how its container definitions differ from those before.
type shownEntry struct {
	*entry
	Containers map[string][]keyChange `json:"containers"` // by service or task
}

func (t *timeline) showOne(ctx context.Context, report *console.Report, number int, asJSON bool) error {
	e, err := t.find(ctx, number)
	if err != nil {
		return err
	}
	if err := errors.Join(t.compare(ctx, e), t.place(ctx, true, e)); err != nil {
		return err
	}
	t.markOutcome(ctx, []*entry{e})
	before := map[string]map[string]*placed{serviceKind: {}, taskKind: {}}
	shown := shownEntry{e, map[string][]keyChange{}}
	for _, kind := range []string{serviceKind, taskKind} {
		for name, put := range e.of(kind) {
			if before[kind][name], err = t.before(ctx, e, kind, name); err != nil {
				return err
			}
			if !put.Changed {
				continue
			}
			var earlier *awsclient.Revision
			if before := before[kind][name]; before != nil {
				earlier = before.revision
			}
			shown.Containers[name] = keyChanges(containerLeaves(earlier), containerLeaves(put.revision))
		}
	}
	if asJSON {
		return report.JSON(shown)
	}
	report.Printf("Update %d of %s: %s%s\n", e.Number, t.stack, report.Result(e.Result), e.kind())
	report.Printf("  started  %s\n", e.Start.Local().Format("2006-01-02 15:04:05 MST"))
	if e.End != nil {
		report.Printf("  took     %s\n", e.End.Sub(e.Start))
	}
	for _, line := range [][2]string{{"commit", e.Commit}, {"author", e.Author}, {"message", e.subject()}, {"by", e.By}} {
		if line[1] != "" {
			report.Printf("  %-8s %s\n", line[0], line[1])
		}
	}
	report.Printf("\nConfiguration:\n")
	if len(e.Changes) == 0 {
		report.Printf("  as before\n")
	}
	for _, change := range e.Changes {
		report.Printf("  %s\n", change.describe())
	}
	for _, name := range slices.Sorted(maps.Keys(e.Services)) {
		printPlaced(report, name, e.Services[name], before[serviceKind][name], shown.Containers[name])
	}
	for _, name := range slices.Sorted(maps.Keys(e.Tasks)) {
		printPlaced(report, "task "+name, e.Tasks[name], before[taskKind][name], shown.Containers[name])
	}
	return nil
}

func printPlaced(report *console.Report, title string, put, before *placed, changes []keyChange) {
	if put.Unknown != "" {
		report.Printf("\n%s: which revision it put in place is not known: %s\n", title, put.Unknown)
		return
	}
	if !put.Changed {
		report.Printf("\n%s: %s, as before\n", title, put.describe())
		return
	}
	from := "none"
	if before != nil {
		from = before.describe()
	}
	report.Printf("\n%s: %s → %s\n", title, from, put.describe())
	for _, change := range changes {
		report.Printf("  %s\n", change.describe())
	}
}
