package stagefile

import (
	"path/filepath"

	"github.com/google/renameio/v2/maybe"
)

// ReplaceFile gives a file other content in one step, so that a reader or a crash finds the old or the new and nothing
// in between (but on Windows, which has no such step). Its mode stays, and a link keeps pointing at it.
func ReplaceFile(path string, content []byte) error {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	return maybe.WriteFile(target, content, 0o644)
}
