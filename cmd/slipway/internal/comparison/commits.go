package comparison

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"slipway/cmd/slipway/internal/console"
	"slipway/internal/git"
)

// commitsBetween are the commits that lead to one of two images and not to the other.
type commitsBetween struct {
	// Only are those of each, newest first, and at most commitsShown.
	Only [2][]commit `json:"only"`
	// Count is how many there are.
	Count [2]int `json:"count"`
	// Note says what keeps this from being all, or from being known.
	Note string `json:"note,omitempty"`
}

type commit struct {
	Hash    string `json:"hash"`
	Subject string `json:"subject"`
}

// commitsShown is how many are listed of each.
const commitsShown = 20

var hashPattern = regexp.MustCompile(`^[0-9a-f]{7,64}$`)

// findCommits asks the repository that holds dir; nil where there is nothing to ask: the two are of the same commit, or
// one is of none.
func findCommits(ctx context.Context, dir, a, b string) *commitsBetween {
	a, b = strings.TrimSuffix(a, "-dirty"), strings.TrimSuffix(b, "-dirty")
	if a == b || !hashPattern.MatchString(a) || !hashPattern.MatchString(b) {
		return nil
	}
	found := &commitsBetween{Only: [2][]commit{{}, {}}}
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

func listCommits(ctx context.Context, dir, within string) (commits []commit, count int, err error) {
	counted, err := git.Read(ctx, dir, "rev-list", "--count", within, "--")
	if err != nil {
		return nil, 0, err
	}
	if count, err = strconv.Atoi(strings.TrimSpace(counted)); err != nil {
		return nil, 0, fmt.Errorf("git rev-list --count says %q", counted)
	}
	listed, err := git.Read(ctx, dir, "log", "--no-show-signature", "--max-count", strconv.Itoa(commitsShown),
		"--format=%h %s", within, "--")
	if err != nil {
		return nil, 0, err
	}
	commits = []commit{}
	for line := range strings.Lines(listed) {
		hash, subject, _ := strings.Cut(strings.TrimRight(line, "\n"), " ")
		commits = append(commits, commit{hash, subject})
	}
	return commits, count, nil
}

func (c *commitsBetween) print(r *console.Report, stages [2]string) {
	if c == nil {
		return
	}
	if c.Note != "" {
		r.Printf("    %s\n", c.Note)
	}
	for i, commits := range c.Only {
		if len(commits) == 0 {
			continue
		}
		r.Printf("    %s only in %s:\n", console.Counted(c.Count[i], "commit"), stages[i])
		for _, each := range commits {
			r.Printf("      %s %s\n", each.Hash, each.Subject)
		}
		if more := c.Count[i] - len(commits); more > 0 {
			r.Printf("      … and %d more\n", more)
		}
	}
}
