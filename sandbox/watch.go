package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"slipway/sandbox/account"
)

func watchCommand(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "watch",
		Short: "Run the account's tasks on the Docker engine until Ctrl-C, with a line for each that starts or stops",
		Long: `Run the account's tasks on the Docker engine until Ctrl-C, with a line for each that starts or stops.

While no exec and no watch runs, containers run on as they are: nothing is replaced that stops, and what containers write is
put into the account's logs later.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			var mu sync.Mutex
			return watch(*dir, func(line string) {
				mu.Lock()
				defer mu.Unlock()
				fmt.Fprintln(command.OutOrStdout(), line)
			})
		},
	}
}

// watch runs the tasks of the account in dir until it is interrupted.
func watch(dir string, say func(string)) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(interrupted)
	return withAccount(dir, func(a *account.Account) error {
		lock, err := useDir(dir)
		if err != nil {
			return err
		}
		defer lock.Unlock()
		tasks, err := startTasks(dir, a, say)
		if err != nil {
			return err
		}
		defer tasks.end()
		if tasks.agent == nil {
			return errors.New("no Docker engine runs tasks: they are only recorded")
		}
		say("running the tasks of the account in " + dir + ": Ctrl-C ends this, and containers run on")
		<-interrupted
		return nil
	})
}
