package recovery

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/stagefile"
)

// apply brings the state in line: it puts in what was made, has Pulumi read that from AWS, and takes out what is not
// there or is not the stage's.
func (r *Recovery) apply(ctx context.Context) error {
	if err := r.unchanged(ctx); err != nil {
		return err
	}
	if r.Backup == "" {
		if err := r.backUp(); err != nil {
			return err
		}
	}
	r.state.clearPending()
	var targets []string
	adopted := map[string]string{}
	for _, o := range r.Operations {
		switch {
		case o.kept:
		case o.Result == imported && adopted[o.URN] == "":
			adopted[o.URN] = o.ID
			o.replaces = r.state.adopt(o.made, o.ID)
		case o.Result == imported && adopted[o.URN] == o.ID:
			o.Result, o.Note = forgotten, "it was begun more than once, and made once"
			continue
		case o.Result == imported:
			o.Result, o.Note = leftOver, "it was made more than once; the next update deletes this one"
			r.state.leave(o.made, o.ID)
		case o.Result == leftOver:
			r.state.leave(o.made, o.ID)
		case o.Result != read:
			continue
		case !slices.ContainsFunc(r.state.resources(), func(other stateResource) bool { return other.urn() == o.URN }):
			o.Result, o.Note = forgotten, "the state does not have it any more"
			continue
		}
		targets = append(targets, "--target", o.URN)
	}
	if err := r.writeState(ctx); err != nil {
		return err
	}
	if len(targets) == 0 {
		return nil
	}
	return r.readTargets(ctx, targets)
}

// unchanged refuses a state that an update has changed since it was read: AWS was asked in between.
func (r *Recovery) unchanged(ctx context.Context) error {
	now, err := r.pulumi.Read(ctx, "stack", "export", "--stack", r.Stage)
	if err == nil && !bytes.Equal(now, r.export) {
		err = exit.Refuse("the state of %s was changed meanwhile, by an update or by somebody: run slipway recover %[1]s again",
			r.Stage)
	}
	return err
}

// backUp keeps the state as it was, in a file that only its owner may read.
func (r *Recovery) backUp() error {
	directory := filepath.Join(r.project.Directory, ".slipway", "recover")
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return err
	}
	r.Backup = filepath.Join(directory,
		stagefile.StageName(r.Stage)+"-"+time.Now().UTC().Format("20060102-150405.000")+".json")
	return os.WriteFile(r.Backup, r.export, 0o600)
}

// writeState gives the stack the state, which never is in a file: Pulumi encrypts what is secret. It is refused while
// an update of the stack goes on.
func (r *Recovery) writeState(ctx context.Context) error {
	content, err := r.state.json()
	if err != nil {
		return err
	}
	_, err = r.pulumi.Write(ctx, bytes.NewReader(content), "stack", "import", "--stack", r.Stage)
	if err != nil && strings.Contains(err.Error(), "locked") {
		err = fmt.Errorf("%w: where no update of it is running, `pulumi cancel --stack %s` unlocks it", err, r.Stage)
	}
	return err
}
