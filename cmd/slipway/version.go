package main

import (
	"cmp"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"slipway/cmd/slipway/internal/console"
	"slipway/internal/version"
)

// commit is what git says of the commit that this binary was built from. The Makefile sets it.
var commit string

type versions struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
}

// ownVersion is what this binary was built from and with, as far as it was told.
func ownVersion() versions {
	return versions{version.Number, cmp.Or(commit, "unknown"), runtime.Version()}
}

func (v versions) String() string {
	return fmt.Sprintf("%s (commit %s, %s)", v.Version, v.Commit, v.Go)
}

func versionCommand() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "version",
		Short: "The version of slipway that this command was built from",
		Long: `The version of slipway that this command was built from, as in CHANGELOG.md, with the commit, and the version of Go. Which
version has deployed a stage is in the stack's output slipway, and slipway status shows it.`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			report := console.NewReport(cmd)
			if asJSON {
				return report.JSON(ownVersion())
			}
			report.Printf("slipway version %s\n", ownVersion())
			return nil
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return command
}
