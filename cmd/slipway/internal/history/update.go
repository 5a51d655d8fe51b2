package history

import (
	"context"
	"errors"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/flatconfig"
	"slipway/cmd/slipway/internal/timeline"
)

// update is one with how its container definitions differ from those before.
type update struct {
	*timeline.Entry
	Containers map[string][]flatconfig.Change `json:"containers"` // by service or task

	before map[timeline.Part]*timeline.DeployedRevision
}

func readUpdate(ctx context.Context, t *timeline.Timeline, number int) (*update, error) {
	e, err := t.Find(ctx, number)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(t.Compare(ctx, e), t.ResolveRevisions(ctx, true, e)); err != nil {
		return nil, err
	}
	t.MarkOutcome(ctx, []*timeline.Entry{e})
	u := &update{e, map[string][]flatconfig.Change{}, map[timeline.Part]*timeline.DeployedRevision{}}
	for part, put := range timeline.Parts(e.Services, e.Tasks) {
		if u.before[part], err = t.Before(ctx, e, part); err != nil {
			return nil, err
		}
		if !put.Changed {
			continue
		}
		var earlier *awsreader.Revision
		if before := u.before[part]; before != nil {
			earlier = before.InECS
		}
		u.Containers[part.Name] = flatconfig.Changes(containerSettings(earlier), containerSettings(put.InECS))
	}
	return u, nil
}

func (u *update) print(report *console.Report, stack string) {
	printUpdate(report, stack, u.Entry)
	report.Printf("\nConfiguration:\n")
	if len(u.Changes) == 0 {
		report.Printf("  as before\n")
	}
	for _, change := range u.Changes {
		report.Printf("  %s\n", change.Describe())
	}
	if len(u.Outside) > 0 {
		report.Printf("\nNot in the stage file:\n")
	}
	for _, change := range u.Outside {
		report.Printf("  %s\n", change.Describe())
	}
	for part, put := range timeline.Parts(u.Services, u.Tasks) {
		printRevision(report, part.Title(), put, u.before[part], u.Containers[part.Name])
	}
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

func printRevision(report *console.Report, title string, put, before *timeline.DeployedRevision,
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
