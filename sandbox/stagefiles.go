package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2/maybe"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
)

// stageFiles keeps a project's stage files as they are while commands run. They get an encryptionsalt, from the sandbox
// or the CLI, which reformats the file; neither is the user's edit.
//
// The copies lie in the project, not in the account: commands with different accounts may run in one project at once.
// The first command to start makes the copies, the last one to end puts them back, and where none could (all were
// killed) the next one to start does. `users` is locked, shared, by each command that runs; `guard`, exclusively, while
// one starts or ends.
type stageFiles struct {
	project *workspace.Project
	dir     string // where the stage files are
	place   string // of the copies and the locks; there only while commands run
	kept    string // where the copies are
	guard   *flock.Flock
	users   *flock.Flock
}

const keptDir = ".sandbox/stages"

func newStageFiles(project string) (*stageFiles, error) {
	settings, err := workspace.LoadProject(filepath.Join(project, "Pulumi.yaml"))
	if err != nil {
		return nil, err
	}
	place := filepath.Join(project, keptDir)
	return &stageFiles{project: settings, dir: filepath.Join(project, settings.StackConfigDir), place: place,
		kept: filepath.Join(place, "kept"), guard: flock.New(filepath.Join(place, "guard")),
		users: flock.New(filepath.Join(place, "users"))}, nil
}

// keepStageFiles begins to look after the stage files of a project. Stage limits to one the check that the sandbox
// can use them; "" checks them all.
func keepStageFiles(project, stage string) (s *stageFiles, err error) {
	if s, err = newStageFiles(project); err != nil {
		return nil, err
	}
	return s, s.guarded(func() error {
		// Asked once, as whoever else runs may be killed at any moment.
		alone, err := s.users.TryLock()
		if err != nil {
			return err
		}
		if err := s.begin(stage, alone); err != nil {
			return errors.Join(err, s.leave())
		}
		return errors.Join(s.users.Unlock(), s.users.RLock())
	})
}

// begin repairs what a killed command has left and makes the copies, where no other command runs.
func (s *stageFiles) begin(stage string, alone bool) error {
	if alone {
		if err := s.restore(); err != nil {
			return err
		}
	}
	names, err := s.list(s.dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if stage == "" || name == "Pulumi."+stage+".yaml" {
			if err := checkUsable(filepath.Join(s.dir, name)); err != nil {
				return err
			}
		}
	}
	if !alone {
		return nil
	}
	return s.keep(names)
}

// end puts the stage files back where no other command still runs.
func (s *stageFiles) end() error { return s.guarded(s.leave) }

// leave is the end of a command; the last one leaves nothing in the project.
func (s *stageFiles) leave() error {
	if err := s.users.Unlock(); err != nil {
		return err
	}
	alone, err := s.users.TryLock()
	if err != nil || !alone {
		return err
	}
	defer func() { _ = s.users.Unlock() }() // closes a file that is gone
	if err := s.restore(); err != nil {
		return err
	}
	_ = os.RemoveAll(s.place)
	_ = os.Remove(filepath.Dir(s.place)) // unless there is more in it, such as an account
	return nil
}

// guarded does what one command may do at a time.
func (s *stageFiles) guarded(do func() error) (err error) {
	for current := false; !current; {
		if err := errors.Join(os.MkdirAll(s.place, 0o755), s.guard.Lock()); err != nil {
			return fmt.Errorf("keeping the stage files: %w", err)
		}
		// The one that had the lock before may have removed the file.
		mine, err := s.guard.Stat()
		if err != nil {
			return err
		}
		there, err := os.Stat(s.guard.Path())
		if current = err == nil && os.SameFile(mine, there); !current {
			if err := s.guard.Unlock(); err != nil {
				return err
			}
		}
	}
	defer func() { err = errors.Join(err, s.guard.Unlock()) }()
	return do()
}

func (s *stageFiles) list(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, entry := range entries {
		if matched, _ := filepath.Match("Pulumi.?*.yaml", entry.Name()); matched && !entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	return names, err
}

// keep copies the stage files. A copy that a kill leaves half made is never taken for one: the directory gets its name
// last.
func (s *stageFiles) keep(names []string) error {
	unfinished := s.kept + ".unfinished"
	if err := errors.Join(os.RemoveAll(unfinished), os.Mkdir(unfinished, 0o755)); err != nil {
		return err
	}
	for _, name := range names {
		content, err := os.ReadFile(filepath.Join(s.dir, name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(unfinished, name), content, 0o600); err != nil {
			return err
		}
	}
	return os.Rename(unfinished, s.kept)
}

// restore undoes what the CLI alone did to the stage files since keep.
func (s *stageFiles) restore() error {
	if _, err := os.Stat(s.kept); err != nil {
		return nil // nothing was kept
	}
	names, err := s.list(s.dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		kept, err := os.ReadFile(filepath.Join(s.kept, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		file := filepath.Join(s.dir, name)
		current, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		restored := s.withoutSalt(current, kept)
		switch {
		case bytes.Equal(restored, current):
			continue
		case restored == nil:
			err = os.Remove(file)
		default:
			err = replaceFile(file, restored)
		}
		if err != nil {
			return err
		}
	}
	return os.RemoveAll(s.kept)
}

// replaceFile gives a file new content: all of it or, where the process is killed, none. Its mode stays.
func replaceFile(name string, content []byte) error {
	name, err := filepath.EvalSymlinks(name)
	if err != nil {
		return err
	}
	return maybe.WriteFile(name, content, 0o644)
}
