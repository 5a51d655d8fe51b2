package pulumicli

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"go.yaml.in/yaml/v3"

	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/stagefile"
)

// A backend that a team keeps itself (a directory, or a bucket) has files that no command of the CLI shows: the lock of
// an update that goes on, and beside each entry of the history a copy of the state as that update left it. Pulumi Cloud
// has both in its API, and so in the CLI.

// Files are those of such a backend, by keys with slashes.
type Files interface {
	// list has the names of the files in a directory, sorted; none where there is no such directory.
	list(ctx context.Context, dir string) ([]string, error)
	// read has a file's content. Its error is fs.ErrNotExist where there is none, and only then.
	read(ctx context.Context, key string) ([]byte, error)
}

// Backend are the files of one stack.
type Backend struct {
	Files
	url            string
	locks, History string // directories
	name           string // of the stack, by which alone a backend of the former layout keeps it
}

// backendURL is where the CLI keeps the project's stacks; empty where nobody has signed in.
func backendURL(p *stagefile.Project) (string, error) {
	if found := cmp.Or(os.Getenv("PULUMI_BACKEND_URL"), p.Backend.URL); found != "" {
		return found, nil
	}
	credentials, err := workspace.GetStoredCredentials()
	return credentials.Current, err
}

// OpenBackend opens the backend of a stack; nil where that is Pulumi Cloud. Its files are nil where they cannot be
// read here, as those in Google Cloud and Azure.
func OpenBackend(ctx context.Context, p *stagefile.Project, stack string) (*Backend, error) {
	address, err := backendURL(p)
	if err != nil {
		return nil, fmt.Errorf("finding out where pulumi keeps its stacks: %w", err)
	}
	parsed, err := url.Parse(address)
	if err != nil {
		// Nothing of the address or the error: they may hold a password.
		return nil, errors.New("where pulumi keeps its stacks is no URL: correct PULUMI_BACKEND_URL, backend.url in " +
			"Pulumi.yaml, or where `pulumi login` has signed in to")
	}
	own := path.Join(p.Name, stagefile.StageName(stack))
	found := &Backend{url: parsed.Redacted(), locks: ".pulumi/locks/organization/" + own,
		History: ".pulumi/history/" + own,
		name:    stagefile.StageName(stack)}
	if isCloud(parsed) {
		return nil, nil
	}
	switch parsed.Scheme {
	case "file":
		found.Files, err = openDirectory(p.Directory, address)
	case "s3":
		found.Files, err = openBucket(ctx, parsed)
	}
	return found, err
}

// isCloud tells Pulumi Cloud from a backend that a team keeps itself.
func isCloud(backend *url.URL) bool {
	return backend.Scheme == "" || backend.Scheme == "http" || backend.Scheme == "https"
}

// Unread says that slipway cannot know whether an update is under way; empty where it can.
func (f *Backend) Unread() string {
	if f == nil || f.Files != nil {
		return ""
	}
	address, _, _ := strings.Cut(f.url, "?") // without what may be a key
	return "it is not known whether an update is under way: slipway does not read the locks in " + address
}

// listOwn lists a directory of the stack; or, where that is empty, the one that the stack has in a backend of the
// layout that the CLI made before 3.61, in which a stack's name is all there is of it.
func (f *Backend) listOwn(ctx context.Context, dir, former string) (in string, names []string, err error) {
	names, err = f.list(ctx, dir)
	if err != nil || len(names) > 0 || f.name == "" || !f.isFormer(ctx) {
		return dir, names, err
	}
	names, err = f.list(ctx, former)
	return former, names, err
}

// isFormer tells whether the backend has the former layout: one of today's says its version.
func (f *Backend) isFormer(ctx context.Context) bool {
	content, err := f.read(ctx, ".pulumi/meta.yaml")
	var meta struct{ Version int }
	return errors.Is(err, fs.ErrNotExist) || err == nil && yaml.Unmarshal(content, &meta) == nil && meta.Version == 0
}

// Directory is a backend of the file system.
type Directory string

func openDirectory(working, address string) (Files, error) {
	at, _, _ := strings.Cut(strings.TrimPrefix(address, "file://"), "?")
	if rest, home := strings.CutPrefix(at, "~"); home {
		own, err := os.UserHomeDir()
		if err != nil {
			return nil, err
		}
		at = filepath.Join(own, rest)
	}
	if !filepath.IsAbs(at) {
		at = filepath.Join(working, at) // where pulumi is run
	}
	return Directory(at), nil
}

func (d Directory) list(_ context.Context, dir string) (names []string, err error) {
	entries, err := os.ReadDir(filepath.Join(string(d), filepath.FromSlash(dir))) // sorted
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names, err
}

func (d Directory) read(_ context.Context, key string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(d), filepath.FromSlash(key)))
}

// Lock is what an update writes into a stack's lock, and removes when it ends. One that was killed leaves it.
type Lock struct {
	PID       int       `json:"pid"`
	Username  string    `json:"username"`
	Hostname  string    `json:"hostname"`
	Timestamp time.Time `json:"timestamp"`
}

// Lock is the first one that a stack has; nil where it has none.
func (f *Backend) Lock(ctx context.Context) (*Lock, error) {
	if f == nil || f.Files == nil {
		return nil, nil
	}
	dir, names, err := f.listOwn(ctx, f.locks, ".pulumi/locks/"+f.name)
	if err != nil {
		return nil, fmt.Errorf("looking for a lock: %w", err)
	}
	for _, name := range names {
		content, err := f.read(ctx, dir+"/"+name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it has ended meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("reading the lock %s: %w", name, err)
		}
		found := &Lock{}
		if json.Unmarshal(content, found) != nil {
			continue // written just now; who asks comes before it
		}
		return found, nil
	}
	return nil, nil
}

// CheckLock refuses a stack of which an update goes on, or was killed.
func CheckLock(ctx context.Context, p *stagefile.Project, stack string) error {
	files, err := OpenBackend(ctx, p, stack)
	if err != nil {
		return err
	}
	lock, err := files.Lock(ctx)
	if err != nil || lock == nil {
		return err
	}
	return exit.Refuse("%s", lock.Describe(stack))
}

// killed tells whether whoever took the lock is known to be gone.
func (l *Lock) killed() bool {
	here, err := os.Hostname()
	if err != nil || here != l.Hostname || l.PID <= 0 {
		return false
	}
	process, err := os.FindProcess(l.PID)
	return err != nil || errors.Is(process.Signal(syscall.Signal(0)), os.ErrProcessDone)
}

// Describe says who has locked a stack, and what to do before going on.
func (l *Lock) Describe(stack string) string {
	by := fmt.Sprintf("the last update of %s has not ended: %s@%s (process %d) has locked the stack since %s", stack,
		l.Username, l.Hostname, l.PID, l.Timestamp.Local().Format("2006-01-02 15:04:05"))
	if l.killed() {
		return by + fmt.Sprintf(", and that process is gone: run `pulumi cancel --stack %s`, then `slipway recover %[1]s`, "+
			"which looks for what it had begun, and `pulumi up --stack %[1]s`", stack)
	}
	return by + fmt.Sprintf(": wait for it, or, if it was killed, run "+
		"`pulumi cancel --stack %s`, then `slipway recover %[1]s`", stack)
}

// updates are the names of the files of a stack's history, newest first, without their endings.
func (f *Backend) updates(ctx context.Context) ([]string, error) {
	if f == nil || f.Files == nil {
		return nil, nil
	}
	dir, names, err := f.listOwn(ctx, f.History, ".pulumi/history/"+f.name)
	f.History = dir
	var found []string
	for _, name := range slices.Backward(names) {
		if own, _, is := strings.Cut(name, ".history.json"); is {
			found = append(found, own)
		}
	}
	return found, err
}

// State is the stack's as an update left it, given the name of its files; nil where there is none that is known to be
// that update's.
func (f *Backend) State(ctx context.Context, name string, of Update) (*State, error) {
	var entry struct {
		StartTime, EndTime int64 // seconds
	}
	if err := f.readJSON(ctx, f.History+"/"+name+".history.json", &entry); err != nil {
		return nil, err
	}
	if entry.StartTime != Time(of.StartTime).Unix() || entry.EndTime != Time(of.EndTime).Unix() {
		return nil, nil // another update has ended meanwhile
	}
	var checkpoint struct {
		Checkpoint struct{ Latest *State }
	}
	err := f.readJSON(ctx, f.History+"/"+name+".checkpoint.json", &checkpoint)
	return checkpoint.Checkpoint.Latest, err
}

// readJSON decodes a file, which may be compressed and is named so then. (The CLI has another compression, which would
// need a library.) What is not there changes nothing.
func (f *Backend) readJSON(ctx context.Context, key string, into any) error {
	content, err := f.read(ctx, key)
	if errors.Is(err, fs.ErrNotExist) {
		content, err = f.read(ctx, key+".gz")
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", key, err)
	}
	if bytes.HasPrefix(content, []byte{0x1f, 0x8b}) {
		unpacked, err := gzip.NewReader(bytes.NewReader(content))
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		if content, err = io.ReadAll(unpacked); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	if err := json.Unmarshal(content, into); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}
