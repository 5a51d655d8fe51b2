// Package commits tells what lies between the commits that two images were built from.
package commits

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"slipway/cmd/slipway/internal/console"
	"slipway/internal/git"
)

// Between are the commits that lead to one of two images and not to the other.
type Between struct {
	// Only are those of each, newest first, and at most shown.
	Only [2][]Commit `json:"only"`
	// Count is how many there are.
	Count [2]int `json:"count"`
	// Note says what keeps this from being all, or from being known.
	Note string `json:"note,omitempty"`
}

// Commit is one, as git names it.
type Commit struct {
	Hash    string `json:"hash"`
	Subject string `json:"subject"`
}

// shown is how many are listed of each.
const shown = 20

var hashPattern = regexp.MustCompile(`^[0-9a-f]{7,64}$`)

// Find asks the repository that holds dir; nil where there is nothing to ask: the two are of the same commit, or
// one is of none.
func Find(ctx context.Context, dir, a, b string) *Between {
	a, b = strings.TrimSuffix(a, "-dirty"), strings.TrimSuffix(b, "-dirty")
	if a == b || !hashPattern.MatchString(a) || !hashPattern.MatchString(b) {
		return nil
	}
	found := &Between{Only: [2][]Commit{{}, {}}}
	shallow, err := git.Read(ctx, dir, "rev-parse", "--is-shallow-repository")
	if err != nil {
		found.Note = "the commits in between are not known: " + err.Error()
		return found
	}
	fetch := "git fetch"
	if strings.TrimSpace(shallow) == "true" {
		fetch = "git fetch --unshallow"
		found.Note = "this clone is shallow, so not all commits in between may be known: " + fetch
	}
	for _, hash := range []string{a, b} {
		if _, err := git.Read(ctx, dir, "rev-parse", "--verify", "--quiet", hash+"^{commit}"); err != nil {
			found.Note = fmt.Sprintf("commit %s is not in this clone: %s", hash, fetch)
			return found
		}
	}
	for i, onlyIn := range []string{b + ".." + a, a + ".." + b} {
		if found.Only[i], found.Count[i], err = listCommits(ctx, dir, onlyIn); err != nil {
			found.Note = "the commits in between are not known: " + err.Error()
			return found
		}
	}
	return found
}

func listCommits(ctx context.Context, dir, within string) (commits []Commit, count int, err error) {
	counted, err := git.Read(ctx, dir, "rev-list", "--count", within, "--")
	if err != nil {
		return nil, 0, err
	}
	if count, err = strconv.Atoi(strings.TrimSpace(counted)); err != nil {
		return nil, 0, fmt.Errorf("git rev-list --count says %q", counted)
	}
	listed, err := git.Read(ctx, dir, "log", "--no-show-signature", "--max-count", strconv.Itoa(shown),
		"--format=%h %s", within, "--")
	if err != nil {
		return nil, 0, err
	}
	commits = []Commit{}
	for line := range strings.Lines(listed) {
		hash, subject, _ := strings.Cut(strings.TrimRight(line, "\n"), " ")
		commits = append(commits, Commit{hash, subject})
	}
	return commits, count, nil
}

// Print lists them below an image, by the names of the two that have it.
func (c *Between) Print(r *console.Report, stages [2]string) {
	if c == nil {
		return
	}
	if c.Note != "" {
		r.Printf("    %s\n", c.Note)
	}
	for i, only := range c.Only {
		if len(only) == 0 {
			continue
		}
		r.Printf("    %s only in %s:\n", console.Counted(c.Count[i], "commit"), stages[i])
		for _, each := range only {
			r.Printf("      %s %s\n", each.Hash, each.Subject)
		}
		if more := c.Count[i] - len(only); more > 0 {
			r.Printf("      … and %d more\n", more)
		}
	}
}
