package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2/maybe"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
	"github.com/pulumi/pulumi/sdk/v3/go/common/encoding"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"go.yaml.in/yaml/v3"
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

// begin mends what a killed command has left and makes the copies, where no other command runs.
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

var saltLine = regexp.MustCompile(`(?m)^encryptionsalt:.*\n?`)

// withoutSalt is what to make of a stage file that was kept (nil where there was none): the bytes that were kept, where
// current differs from them only by the sandbox's salt and by what the CLI makes of any file that it writes. Where a
// command has edited the configuration too, only the salt goes, and it stays where something is encrypted with it. The
// result is nil where nothing is left of a file that was not there.
func (s *stageFiles) withoutSalt(current, kept []byte) []byte {
	now, err := s.parse(current)
	if err != nil || now.EncryptionSalt == "" {
		return current
	}
	before, err := s.parse(kept)
	if err != nil || before.EncryptionSalt != "" {
		return current
	}
	same := sameSettings(now, before) && !hasNew(comments(current), comments(kept))
	switch {
	case same && kept != nil:
		return kept
	case now.Config.HasSecureValue() || !opens(now.EncryptionSalt):
		return current
	case same:
		return nil
	}
	return saltLine.ReplaceAll(current, nil)
}

// parse reads a stage file as the CLI does, which takes 1.10 for "1.1" and writes that when it writes the file.
func (s *stageFiles) parse(content []byte) (*workspace.ProjectStack, error) {
	return workspace.LoadProjectStackBytes(silent, s.project, content, "the stage file", encoding.YAML)
}

// silent is for warnings that the command's own pulumi gives.
var silent = diag.DefaultSink(io.Discard, io.Discard, diag.FormatOptions{Color: colors.Never})

// sameSettings reports whether two stage files say the same, but for the salt.
func sameSettings(one, other *workspace.ProjectStack) bool {
	texts := make([]string, 2)
	for i, stage := range []workspace.ProjectStack{*one, *other} {
		stage.EncryptionSalt = ""
		text, err := json.Marshal(stage)
		if err != nil {
			return false
		}
		texts[i] = string(text)
	}
	return texts[0] == texts[1]
}

// hasNew tells whether a line was not among the earlier ones. The CLI may drop a comment; one that is new is the
// user's.
func hasNew(lines, earlier []string) bool {
	return slices.ContainsFunc(lines, func(line string) bool { return !slices.Contains(earlier, line) })
}

// comments are the lines of a stage file's comments.
func comments(content []byte) []string {
	var root yaml.Node
	if yaml.Unmarshal(content, &root) != nil {
		return nil
	}
	var lines []string
	var gather func(*yaml.Node)
	gather = func(node *yaml.Node) {
		for _, comment := range []string{node.HeadComment, node.LineComment, node.FootComment} {
			for line := range strings.Lines(comment) {
				if line = strings.TrimSpace(line); line != "" {
					lines = append(lines, line)
				}
			}
		}
		for _, child := range node.Content {
			gather(child)
		}
	}
	gather(&root)
	return lines
}

// replaceFile gives a file new content: all of it or, where the process is killed, none. Its mode stays.
func replaceFile(name string, content []byte) error {
	name, err := filepath.EvalSymlinks(name)
	if err != nil {
		return err
	}
	return maybe.WriteFile(name, content, 0o644)
}

// checkUsable refuses a stage file whose secrets the sandbox cannot decrypt.
func checkUsable(file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var settings map[string]any
	if yaml.Unmarshal(content, &settings) != nil {
		return nil // the CLI says why
	}
	provider, _ := settings["secretsprovider"].(string)
	switch salt, _ := settings["encryptionsalt"].(string); {
	case provider != "" && provider != "passphrase" && provider != "default":
		// Only the scheme: the rest may name a key or an account.
		scheme, _, _ := strings.Cut(provider, ":")
		provider = "the secrets provider " + scheme
	case settings["encryptedkey"] != nil:
		provider = "another secrets provider"
	case salt != "" && !opens(salt):
		provider = "another passphrase"
	default:
		return nil
	}
	return fmt.Errorf("%s is encrypted with %s, which the sandbox does not have: use a copy of the project whose %s "+
		"has neither encrypted values nor that provider", filepath.Base(file), provider, filepath.Base(file))
}

// opens reports whether a salt was made with the sandbox's passphrase. A salt is v1:<base64>:<the word "pulumi"
// encrypted>.
func opens(salt string) bool {
	parts := strings.SplitN(salt, ":", 3)
	if len(parts) != 3 || parts[0] != "v1" {
		return false
	}
	decoded, err := base64.StdEncoding.DecodeString(parts[1])
	if err != nil {
		return false
	}
	word, err := config.NewSymmetricCrypterFromPassphrase(passphrase, decoded).DecryptValue(context.Background(), parts[2])
	return err == nil && word == "pulumi"
}
