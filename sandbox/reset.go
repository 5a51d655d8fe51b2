package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
	"github.com/spf13/cobra"
)

func resetCommand(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "reset",
		Short: "Forget the account: its images, services, faults, and the state of its stacks",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return reset(*dir) },
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
	for _, name := range []string{"account.db", "account.db-wal", "account.db-shm", "account.lock", "registry", "state", "home"} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}
