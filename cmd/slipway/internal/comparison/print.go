package comparison

import (
	"fmt"
	"slices"
	"strings"

	"slipway/cmd/slipway/internal/console"
)

// Print shows what differs, and nothing else.
func (c *Comparison) Print(r *console.Report) {
	for _, note := range c.Notes {
		r.Printf("Note: %s.\n", note)
	}
	lines := 0
	section := func(title string) {
		if lines > 0 || len(c.Notes) > 0 {
			r.Printf("\n")
		}
		lines++
		r.Printf("%s\n", title)
	}
	if len(c.Images) > 0 {
		section("Images")
	}
	for _, each := range c.Images {
		c.printImage(r, each)
	}
	each := func(kind string, differences []serviceDifference) {
		for _, each := range differences {
			if each.OnlyIn != "" {
				section(fmt.Sprintf("%s %s: only in %s", kind, each.Name, each.OnlyIn))
				continue
			}
			section(kind + " " + each.Name)
			c.printSettings(r, "", each.Settings)
		}
	}
	each("Service", c.Services)
	each("Task", c.Tasks)
	if len(c.Stage) > 0 {
		section("Stage")
		c.printSettings(r, "", c.Stage)
	}
	unequal := slices.DeleteFunc(slices.Clone(c.Secrets), func(s secretComparison) bool {
		return s.Equal != nil && *s.Equal
	})
	if len(unequal) > 0 {
		section("Secrets")
	}
	for _, each := range unequal {
		r.Printf("  %s: %s\n", each.Name, each.describe())
	}
	switch {
	case c.Equal && len(c.Notes) > 0:
		r.Printf("\n%s and %s do not differ.\n", c.Stages[0], c.Stages[1])
	case c.Equal:
		r.Printf("%s and %s do not differ.\n", c.Stages[0], c.Stages[1])
	default:
		r.Printf("\nAll else is equal in %s and %s.\n", c.Stages[0], c.Stages[1])
	}
}

func (c *Comparison) printImage(r *console.Report, each imageDifference) {
	if each.OnlyIn != "" {
		r.Printf("  %s: only in %s\n", each.Name, each.OnlyIn)
		return
	}
	if !each.Same {
		r.Printf("  %s\n", each.Name)
		width := max(len(c.Stages[0]), len(c.Stages[1]))
		for i, image := range each.Run {
			described := "is not built yet"
			if image != nil {
				described = strings.ReplaceAll(image.Describe(), "\t", "  ")
			}
			r.Printf("    %-*s  %s\n", width, c.Stages[i], described)
		}
		each.Commits.Print(r, c.Stages)
	}
	c.printSettings(r, each.Name+".", each.Settings)
}

func (c *Comparison) printSettings(r *console.Report, under string, settings []unequalSetting) {
	for _, each := range settings {
		switch a, b := each.Values[0], each.Values[1]; {
		case b == nil:
			r.Printf("  %s%s: %s, only in %s\n", under, each.Key, each.describe(0), c.Stages[0])
		case a == nil:
			r.Printf("  %s%s: %s, only in %s\n", under, each.Key, each.describe(1), c.Stages[1])
		default:
			r.Printf("  %s%s: %s → %s\n", under, each.Key, each.describe(0), each.describe(1))
		}
	}
}

func (s secretComparison) describe() string {
	switch {
	case s.OnlyIn != "":
		return "only in " + s.OnlyIn
	case s.Equal == nil:
		return "could not tell"
	case s.ARNs == [2]string{}:
		return "differs"
	}
	kept := func(arn string) string {
		if arn == "" {
			return "a value of its own"
		}
		return arn
	}
	return kept(s.ARNs[0]) + " → " + kept(s.ARNs[1])
}
