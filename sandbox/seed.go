package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"slipway/sandbox/account"
	"slipway/sandbox/seed"
)

func seedCommand(dir *string) *cobra.Command {
	var id string
	command := &cobra.Command{
		Use:   "seed [FILE]",
		Short: "Put into the account what a stage expects to be there",
		Long: `Put into the account what a stage expects to be there, and does not make itself: networks, hosted zones,
certificates, parameters, secrets and repositories.

FILE is ` + seed.FileName + ` beside Pulumi.yaml where none is named. Seeding again replaces what it has put there before,
and removes nothing. docs/sandbox.md has an example of the file.`,
		Example: `  sandbox seed
  sandbox seed --account 222222222222 accounts/release.yaml`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			name := filepath.Join(filepath.Dir(accountDir()), seed.FileName)
			if len(args) > 0 {
				name = args[0]
			}
			file, err := seed.Read(name)
			if err != nil {
				return err
			}
			return withAccount(*dir, func(a *account.Account) error {
				put, err := file.Put(a.As(account.User(id)))
				for _, one := range put {
					fmt.Fprintln(command.OutOrStdout(), one)
				}
				return err
			})
		},
	}
	command.Flags().StringVar(&id, "account", account.DefaultID, "the `number` of the account")
	return command
}
