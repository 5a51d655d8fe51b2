package preview

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/flatconfig"
	"slipway/cmd/slipway/internal/pulumicli"
)

const (
	// most is how many characters of Markdown or text there are: what a comment on GitHub takes is 65,536.
	most = 60_000
	// longestValue is how many characters of a line of a change are shown.
	longestValue = 300
)

// Print writes it for a terminal, or as Markdown.
func (p *Preview) Print(report *console.Report, markdown bool) {
	lines := p.lines()
	left := most
	for i, each := range lines {
		printed := each.plain(report)
		if markdown {
			printed = each.markdown()
		}
		if left -= utf8.RuneCountInString(printed); left < 0 {
			report.Printf("\n… and %s\n", console.Counted(len(lines)-i, "more line"))
			return
		}
		if i == 0 {
			printed = strings.TrimPrefix(printed, "\n")
		}
		report.Printf("%s", printed)
	}
}

func (p *Preview) lines() (lines []line) {
	add := func(level int, format string, args ...any) {
		lines = append(lines, line{level: level, text: fmt.Sprintf(format, args...)})
	}
	add(0, "%s", p.summary())
	if p.Anything() {
		lines = append(lines, p.imageLines()...)
	}
	if len(p.Refusals) > 0 {
		lines = append(lines, line{text: "The update would fail", bad: true})
	}
	for _, refusal := range p.Refusals {
		lines = append(lines, line{level: 1, text: refusal, bad: true})
	}
	for _, workload := range p.Workloads {
		lines = append(lines, workload.lines()...)
	}
	if others := withoutTagged(p.Others); len(others) > 0 {
		add(0, "Beside services and tasks")
		for _, resource := range others {
			lines = append(lines, resource.lines()...)
		}
	}
	lines = append(lines, p.taggedLines()...)
	for _, section := range []struct {
		title string
		said  []string
	}{{"Warnings", p.Warnings}, {"What slipway status finds", p.Drift}} {
		if len(section.said) > 0 {
			add(0, "%s", section.title)
		}
		for _, each := range section.said {
			add(1, "%s", strings.Join(strings.Fields(each), " "))
		}
	}
	return lines
}

// summary is the first line: what happens to how many.
func (p *Preview) summary() string {
	if !p.Anything() {
		return p.Stage + ": nothing changes"
	}
	count := map[string]int{}
	var order, parts []string
	if copied := len(p.imagesThatAre(Copied)); copied > 0 {
		parts = append(parts, console.Counted(copied, "image")+" "+become(What(Copied), copied))
	}
	for _, workload := range p.Workloads {
		what := workload.Kind + " " + string(workload.What)
		if count[what]++; count[what] == 1 {
			order = append(order, what)
		}
	}
	for _, what := range order {
		kind, becomes, _ := strings.Cut(what, " ")
		parts = append(parts, fmt.Sprintf("%s %s", console.Counted(count[what], kind), become(What(becomes), count[what])))
	}
	if p.Changes > 0 {
		parts = append(parts, console.Counted(p.Changes, "resource")+" in all")
	}
	return p.Stage + ": " + strings.Join(parts, ", ")
}

// become is what becomes of one thing or of several, in words.
func become(what What, count int) string {
	one := count == 1
	choose := func(singular, plural string) string {
		if one {
			return singular
		}
		return plural
	}
	switch what {
	case Rolls:
		return choose("rolls", "roll")
	case Runs:
		return choose("runs", "run")
	case Registered:
		return choose("gets a new revision", "get new revisions")
	case InPlace:
		return choose("changes in place", "change in place")
	}
	return choose("is ", "are ") + string(what)
}

// imageLines say what becomes of each image.
func (p *Preview) imageLines() (lines []line) {
	add := func(format string, args ...any) {
		lines = append(lines, line{level: 1, text: fmt.Sprintf(format, args...)})
	}
	for _, image := range p.Images {
		switch {
		case image.What == Built && image.Tag == "":
			add("image %s is built, and pushed to a new repository", image.Name)
		case image.What == Built:
			add("image %s is built, and pushed as %s (or the time of the update)", image.Name, image.Tag)
		case image.What == Copied:
			add("image %s is copied: %s", image.Name, image.Copy)
		case image.What == Pinned:
			add("image %s is now %s, and neither built nor copied", image.Name, image.Tag)
		}
	}
	if same := p.imagesThatAre(Same); len(same) > 0 {
		add("the same as before: image %s", strings.Join(same, ", "))
	}
	return lines
}

func (w *Workload) lines() (lines []line) {
	bad := w.What == Deleted || w.What == Replaced
	lines = append(lines, line{text: fmt.Sprintf("%s (%s) %s", w.Name, w.Kind, w.sentence()), bad: bad})
	for _, image := range w.Images {
		lines = append(lines, image.lines()...)
	}
	for _, change := range w.Settings {
		lines = append(lines, changeLine(1, change))
	}
	for _, resource := range withoutTagged(w.Resources) {
		if w.What == Created || w.What == Deleted { // they come and go with it
			break
		}
		lines = append(lines, resource.lines()...)
	}
	return lines
}

// sentence says what becomes of it.
func (w *Workload) sentence() string {
	said := become(w.What, 1)
	switch {
	case w.What == Rolls && w.Target > 0:
		said += fmt.Sprintf(" to revision %d", w.Target)
	case w.What == Rolls && w.NewRevision:
		said += " to a new revision"
	case w.What == Rolls:
		said += " on its revision"
	case w.What == Replaced:
		said += ": the former service is deleted first, so nothing serves until the new one runs"
	case w.What == Registered && w.Kind == "service":
		said += ", and stays on the one that it is pinned to"
	case w.What == InPlace && w.Kind == "service":
		said += ": its tasks run on"
	case w.What == Deleted:
		said += ": its revisions stay in ECS, and its images in ECR"
	}
	if w.Revision > 0 && w.NewRevision {
		said += fmt.Sprintf(" (the newest is %d)", w.Revision)
	}
	switch services := strings.Join(w.RunsBefore, ", "); {
	case w.What == Runs:
		said += " before " + services
	case services != "":
		said += ", and runs before " + services
	}
	return said
}

func (c ImageChange) lines() []line {
	before, after := c.Old.Label(), c.New.Label()
	if before == after { // and it comes from elsewhere
		before, after = cmp.Or(c.Old.Ref, before), cmp.Or(c.New.Ref, after)
	}
	first := fmt.Sprintf("image of %s: %s → %s", c.Container, before, after)
	if c.Built {
		first += " (built)"
	} else if c.Copied {
		first += " (copied)"
	}
	if c.Old.Digest != "" && c.Old.Digest == c.New.Digest {
		first += " (the same digest)"
	}
	lines := []line{{level: 1, text: first}}
	if c.Commits == nil {
		return lines
	}
	if c.Commits.Note != "" {
		lines = append(lines, line{level: 2, text: c.Commits.Note})
	}
	for i, of := range []string{"taken out", "new"} {
		if c.Commits.Count[i] > 0 {
			lines = append(lines, line{level: 2, text: console.Counted(c.Commits.Count[i], of+" commit"), bad: i == 0})
		}
		for _, each := range c.Commits.Only[i] {
			lines = append(lines, line{level: 3, literal: each.Hash + " " + each.Subject})
		}
		if more := c.Commits.Count[i] - len(c.Commits.Only[i]); more > 0 {
			lines = append(lines, line{level: 3, text: fmt.Sprintf("… and %d more", more)})
		}
	}
	return lines
}

// tagged tells whether nothing but tags of a resource changes.
func (r *Resource) tagged() bool {
	return r.What == "updated" && len(r.Settings) > 0 && !slices.ContainsFunc(r.Settings,
		func(change flatconfig.Change) bool {
			return !strings.HasPrefix(change.Key, "tags.") && !strings.HasPrefix(change.Key, "tags[")
		})
}

func withoutTagged(resources []*Resource) []*Resource {
	return slices.DeleteFunc(slices.Clone(resources), (*Resource).tagged)
}

// taggedLines tell of other tags once: most resources of a stage have the same.
func (p *Preview) taggedLines() (lines []line) {
	count := map[string]int{}
	changes := map[string]flatconfig.Change{}
	note := func(resources []*Resource) {
		for _, resource := range resources {
			for _, change := range resource.Settings {
				if resource.tagged() {
					count[change.Describe()]++
					changes[change.Describe()] = change
				}
			}
		}
	}
	note(p.Others)
	for _, workload := range p.Workloads {
		note(workload.Resources)
	}
	if len(count) > 0 {
		lines = append(lines, line{text: "Tags"})
	}
	for _, described := range slices.Sorted(maps.Keys(count)) {
		each := changeLine(1, changes[described])
		each.text = "of " + console.Counted(count[described], "resource") + ": "
		lines = append(lines, each)
	}
	return lines
}

func (r *Resource) lines() (lines []line) {
	text := fmt.Sprintf("%s %s is %s", r.Type, r.Name, r.What)
	if len(r.Because) > 0 {
		text += ", because of " + strings.Join(r.Because, ", ")
	}
	lines = append(lines, line{level: 1, text: text, bad: r.What == "deleted"})
	for _, change := range r.Settings {
		lines = append(lines, changeLine(2, change))
	}
	return lines
}

func changeLine(level int, change flatconfig.Change) line {
	described := change.Describe()
	if change.Old == nil && change.New == nil && !change.Secret {
		described = change.Key + ": " + change.What
	}
	described = strings.ReplaceAll(described, pulumicli.SecretValue, "(secret)")
	return line{level: level, literal: console.Shorten(described, longestValue), bad: change.What == "removed"}
}
