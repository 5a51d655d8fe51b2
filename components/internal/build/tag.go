package build

import (
	"context"
	"fmt"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"

	"slipway/internal/git"
	"slipway/internal/imageref"
)

// Source says which commit a build context was made from.
type Source struct {
	// Commit is HEAD's short hash, seven hex digits; empty without git.
	Commit string
	// Dirty says that a file that Docker sees differs from that commit.
	Dirty bool
}

// Tag names an image that is built from the source.
func (s Source) Tag(now time.Time, hash string) string {
	return imageref.BuildTag(now, s.Commit, s.Dirty, hash)
}

// sourceOf asks the repository that holds the context. Only files that Docker sees can make it dirty: what
// .dockerignore excludes is not in the image.
func (c *Context) sourceOf() (Source, error) {
	if _, err := exec.LookPath("git"); err != nil {
		return Source{}, nil
	}
	ctx := context.Background()
	if _, err := git.Read(ctx, c.source, "rev-parse", "--git-dir"); err != nil {
		if strings.Contains(err.Error(), "not a git repository") {
			return Source{}, nil
		}
		return Source{}, err // such as a repository of another owner: then a tag without commit would be a surprise
	}
	head, err := git.Read(ctx, c.source, "rev-parse", "--verify", "--short=7", "HEAD")
	if err != nil {
		return Source{}, nil // a repository without a commit
	}
	found := Source{Commit: fmt.Sprintf("%.7s", strings.TrimSpace(head))}
	changed, err := git.Changed(ctx, c.source, ".")
	if err != nil {
		return found, err
	}
	for _, name := range changed {
		seen, err := c.sees(path.Clean(name))
		if err != nil {
			return found, err
		}
		found.Dirty = found.Dirty || seen
	}
	// The Dockerfile counts even where .dockerignore excludes it, and wherever it is.
	dockerfile, err := git.Changed(ctx, filepath.Dir(c.dockerfile), filepath.Base(c.dockerfile))
	found.Dirty = found.Dirty || (err == nil && len(dockerfile) > 0)
	return found, nil
}
