package promotion

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/stagefile"
)

// Result is what promote did, as --json prints it.
type Result struct {
	From    string   `json:"from"`
	To      string   `json:"to"`
	File    string   `json:"file"` // relative to the current directory, where that is possible
	Changed bool     `json:"changed"`
	Images  []Change `json:"images"` // by name
	// Commit is the short hash of the commit that was made; empty where none was.
	Commit string `json:"commit,omitempty"`
	// Note is what could not be found out.
	Note string `json:"note,omitempty"`
}

// Change is what became of one image's ref. Old is nil where the stage file had none.
type Change struct {
	Name    string           `json:"name"`
	Changed bool             `json:"changed"`
	Old     *pulumicli.Image `json:"old"`
	New     pulumicli.Image  `json:"new"`
	// Mirror tells that the image is in another account or region, and so is copied from there.
	Mirror bool `json:"mirror,omitempty"`

	mirrored, unmirrored bool // what the stage file says already
}

// message is that of the commit which a promotion is: what it brings where.
func (p *Result) message() string {
	var changed []Change
	for _, each := range p.Images {
		if each.Changed {
			changed = append(changed, each)
		}
	}
	if len(changed) == 1 {
		return fmt.Sprintf("Promote %s %s to %s", changed[0].Name, changed[0].New.Label(), stagefile.StageName(p.To))
	}
	message := fmt.Sprintf("Promote %s to %s\n\n", stagefile.StageName(p.From), stagefile.StageName(p.To))
	for _, each := range changed {
		if each.Old == nil {
			message += fmt.Sprintf("%s: %s\n", each.Name, each.New.Label())
		} else {
			message += fmt.Sprintf("%s: %s → %s\n", each.Name, each.Old.Label(), each.New.Label())
		}
	}
	return message
}

// Next is what is left to do; nothing where nothing changed.
func (p *Result) Next() string {
	up := "pulumi up --stack " + p.To
	switch {
	case !p.Changed:
		return ""
	case p.Commit != "":
		return "Next: " + up
	}
	file := p.File
	if strings.ContainsRune(file, ' ') {
		file = "'" + file + "'"
	}
	subject, _, _ := strings.Cut(p.message(), "\n")
	return fmt.Sprintf("Next: git commit -m %q %s\n      %s", subject, file, up)
}

// Print shows per image what the stage file said and what it says now.
func (p *Result) Print(w io.Writer) error {
	switch {
	case !p.Changed:
		fmt.Fprintf(w, "%s already runs the images of %s: %s stays as it is.\n", p.To, p.From, p.File)
	case p.Commit != "":
		fmt.Fprintf(w, "%s now has the images of %s, committed as %s:\n", p.File, p.From, p.Commit)
	default:
		fmt.Fprintf(w, "%s now has the images of %s:\n", p.File, p.From)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, each := range p.Images {
		switch {
		case !each.Changed:
			fmt.Fprintf(table, "  %s\t=\t%s\n", each.Name, each.New.Describe())
		case each.Old == nil:
			fmt.Fprintf(table, "  %s\t+\t%s\n", each.Name, each.New.Describe())
		default:
			fmt.Fprintf(table, "  %s\t-\t%s\n\t+\t%s\n", each.Name, each.Old.Describe(), each.New.Describe())
		}
	}
	return table.Flush()
}
