package stagefile

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"slipway/internal/git"
)

// A CLI that finds no salt in a stage file writes one into it, also to answer a question. It is a line that nobody
// means to commit, and that keeps nothing from being changed and committed beside it: it stays in the file, and out of
// the commit.

// Text is a stage file as it lies there, and as it was committed last. They differ by the salt, if at all.
type Text struct{ Written, Committed []byte }

// ReadText reads a stage file that is in git. dirty says that it has other changes that are not committed.
func ReadText(ctx context.Context, dir, file string) (found Text, dirty bool, err error) {
	status, err := fileStatus(ctx, dir, file)
	if err != nil {
		return found, false, err
	}
	if found.Written, err = os.ReadFile(file); err != nil {
		return found, false, err
	}
	found.Committed = found.Written
	switch status {
	case "":
		return found, false, nil
	case " M": // and nothing of it is staged, which somebody would have meant
		target, err := FileIn(dir, file)
		if err != nil {
			return found, false, err
		}
		head, err := git.ReadFetched(ctx, filepath.Dir(target), "show", "HEAD:./"+filepath.Base(target))
		if err != nil {
			return found, false, err
		}
		found.Committed = []byte(head)
		return found, !SameButSalt(found.Written, found.Committed), nil
	}
	return found, true, nil
}

// Edit changes both.
func (t Text) Edit(change func(text []byte) ([]byte, error)) (edited Text, err error) {
	if edited.Written, err = change(t.Written); err == nil {
		edited.Committed, err = change(t.Committed)
	}
	return edited, err
}

// Commit writes and commits a stage file, which said before until now, and returns the short hash of the commit. Where
// git refuses, the file is as it was.
func (t Text) Commit(ctx context.Context, dir, file string, before []byte, message string) (hash string,
	err error) {
	if err := ReplaceFile(file, t.Committed); err != nil {
		return "", err
	}
	if hash, err = commitFile(ctx, dir, file, message); err != nil {
		return "", errors.Join(err, ReplaceFile(file, before))
	}
	if written := KeepSalt(t.Written, before); !bytes.Equal(written, t.Committed) {
		err = ReplaceFile(file, written)
	}
	return hash, err
}

func isSalt(line []byte) bool { return bytes.HasPrefix(line, []byte("encryptionsalt:")) }

// saltOf is the line of a stage file that has its salt; nil for none.
func saltOf(text []byte) []byte {
	for line := range bytes.Lines(text) {
		if isSalt(line) {
			return bytes.TrimSpace(line)
		}
	}
	return nil
}

// KeepSalt adds the salt that a file had before to a text that has none.
func KeepSalt(text, before []byte) []byte {
	salt := saltOf(before)
	if salt == nil || saltOf(text) != nil {
		return text
	}
	return slices.Concat(bytes.TrimRight(text, "\n"), []byte("\n"), salt, []byte("\n"))
}

// SameButSalt tells whether a stage file says the same as before, whatever its salt, where nothing was encrypted with
// that.
func SameButSalt(now, before []byte) bool {
	without := func(text []byte) []byte {
		lines := slices.DeleteFunc(bytes.Split(text, []byte("\n")), isSalt)
		return bytes.TrimRight(bytes.Join(lines, []byte("\n")), "\n")
	}
	salt := saltOf(before)
	meansNothing := salt == nil || !bytes.Contains(before, []byte("secure"))
	return bytes.Equal(without(now), without(before)) && (meansNothing || bytes.Equal(saltOf(now), salt))
}
