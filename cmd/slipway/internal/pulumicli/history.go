package pulumicli

import (
	"context"
	"slices"
	"strconv"
)

// History is a stack's history, newest first, of which no more is read than is asked for: a backend that a team keeps
// itself has a file for each update.
type History struct {
	Pulumi  CLI
	Stack   string
	Backend *Backend // nil on Pulumi Cloud
	// WithSecrets says that secrets are decrypted, which takes what protects them (a passphrase, a key, a login).
	// Without, they are not in the configuration of updates.
	WithSecrets bool
	// Undecrypted says that secrets need not or cannot be decrypted. Otherwise they are where there are any, also
	// without WithSecrets: the CLI writes a salt into a stage file that has none.
	Undecrypted bool

	updates []Update // those that were read
	size    int      // of the pages that they were read in
	whole   bool     // there are no more
	names   []string // of the updates' files, newest first, where they can be read
}

// ManyUpdates is how many updates are read with one command where the first ones were not enough. Pulumi Cloud has
// pages; any other backend reads as many files as it is asked for.
const ManyUpdates = 100

// Open reads the newest updates.
func (p *History) Open(ctx context.Context, newest int) (err error) {
	if p.names, err = p.Backend.updates(ctx); err != nil {
		return err
	}
	return p.read(ctx, newest)
}

// read has at least so many of the newest updates, or all where there are fewer.
func (p *History) read(ctx context.Context, least int) error {
	for !p.whole && len(p.updates) < least {
		size := least
		switch known := len(p.updates); {
		case p.Backend == nil && (known > 0 || least > ManyUpdates):
			size = ManyUpdates
		case known > 0:
			size = max(least, ManyUpdates, 4*known)
		}
		if size != p.size {
			p.updates, p.size = nil, size
		}
		updates, err := p.page(ctx, len(p.updates)/size+1, size)
		if err != nil {
			return err
		}
		p.updates, p.whole = append(p.updates, updates...), len(updates) < size
	}
	return nil
}

func (p *History) page(ctx context.Context, page, size int) ([]Update, error) {
	if p.WithSecrets {
		updates, err := p.Pulumi.page(ctx, p.Stack, page, size, "--show-secrets")
		if err == nil || ctx.Err() != nil {
			return updates, err
		}
		p.WithSecrets, p.Undecrypted = false, true
	}
	updates, err := p.Pulumi.page(ctx, p.Stack, page, size)
	if err == nil && !p.Undecrypted && slices.ContainsFunc(updates, Update.hasSecrets) {
		p.Undecrypted = true
		if revealed, err := p.Pulumi.page(ctx, p.Stack, page, size, "--show-secrets"); err == nil {
			p.WithSecrets, p.Undecrypted = true, false
			return revealed, nil
		}
	}
	return updates, err
}

// At is an update by its place, 0 for the newest; nil where there are fewer.
func (p *History) At(ctx context.Context, i int) (*Update, error) {
	if err := p.read(ctx, i+1); err != nil || i >= len(p.updates) {
		return nil, err
	}
	return &p.updates[i], nil
}

// Count is how many updates there are.
func (p *History) Count(ctx context.Context) (int, error) {
	if len(p.names) > 0 {
		return len(p.names), nil
	}
	if err := p.read(ctx, 1); err != nil {
		return 0, err
	}
	if len(p.updates) > 0 && p.updates[0].Version > 0 {
		return p.updates[0].Version, nil
	}
	for !p.whole {
		if err := p.read(ctx, len(p.updates)+1); err != nil {
			return 0, err
		}
	}
	return len(p.updates), nil
}

// State is the stack's as an update left it, by the update's place; nil where that is not known. cheap leaves out
// what takes a command of the CLI.
func (p *History) State(ctx context.Context, i int, cheap bool) (*State, error) {
	of := p.updates[i]
	switch {
	case i < len(p.names):
		return p.Backend.State(ctx, p.names[i], of)
	case of.Version > 0 && !cheap:
		return p.Pulumi.State(ctx, p.Stack, "--version", strconv.Itoa(of.Version))
	}
	return nil, nil
}

// Last is the newest update or destroy; nil where there is none. A refresh changes nothing that runs.
func (p *History) Last(ctx context.Context) (*Update, error) {
	for i := 0; ; i++ {
		found, err := p.At(ctx, i)
		if err != nil || found == nil || found.Kind == "update" || found.Kind == "destroy" {
			return found, err
		}
	}
}
