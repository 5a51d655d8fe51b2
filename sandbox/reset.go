package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
	"github.com/spf13/cobra"

	"slipway/sandbox/agent"
)

func resetCommand(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "reset",
		Short: "Forget the account: its images, services, faults, and the state of its stacks",
		Long: `Forget the account: its images, services, faults, and the state of its stacks.

What it has on the Docker engine is removed, too: containers, volumes and images. Where no engine answers, that stays.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return reset(*dir) },
	}
}

// reset removes what exec and the account have put into dir, and nothing else that may be there.
func reset(dir string) error {
	lock := flock.New(filepath.Join(dir, "in-use"))
	free, err := lock.TryLock()
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil // there is no account
	case err != nil:
		return err
	case !free:
		return fmt.Errorf("a command uses the account in %s: wait until it has ended", dir)
	}
	defer lock.Unlock()
	// First, as the account knows which ones they are.
	if err := removeFromEngine(dir); err != nil {
		return err
	}
	for _, name := range []string{
		"account.db", "account.db-wal", "account.db-shm", "account.lock", "agent.lock", agent.AuthorityFile,
		"registry", "state", "home", "bin",
	} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}
