package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecr"
)

func imagesCommand(dir *string) *cobra.Command {
	command := &cobra.Command{
		Use:   "images",
		Short: "List the registry's images, oldest first",
		Args:  cobra.NoArgs,
	}
	asJSON := command.Flags().Bool("json", false, "print a list of {account, repository, tag, digest, pushedAt}, one for each tag")
	command.RunE = func(command *cobra.Command, _ []string) error {
		return withAccount(*dir, func(a *account.Account) error {
			all, err := a.All()
			if err != nil {
				return err
			}
			shown := []shownImage{}
			accounts := table{{"REPOSITORY", "TAG", "DIGEST", "PUSHED AT"}}
			for _, one := range all {
				images, err := ecr.Images(one)
				if err != nil {
					return err
				}
				shown = append(shown, shownImages(one.ID, images)...)
				accounts = accounts.with(one.ID, len(all), imageRows(images))
			}
			if *asJSON {
				return printJSON(command.OutOrStdout(), shown)
			}
			return printTable(command.OutOrStdout(), accounts)
		})
	}
	return command
}

// imageRows has a row for each image, with all of its tags.
func imageRows(images []ecr.Image) (rows [][]string) {
	row := map[[2]string]int{}
	for _, image := range images {
		id := [2]string{image.Repository, image.Digest}
		if i, shown := row[id]; shown {
			rows[i][1] += " " + image.Tag
			continue
		}
		row[id] = len(rows)
		rows = append(rows, []string{image.Repository, image.Tag, image.Digest, image.PushedAt.Format(time.RFC3339)})
	}
	return rows
}

// shownImage is a tag of an image as `sandbox images --json` prints it.
type shownImage struct {
	Account    string    `json:"account"`
	Repository string    `json:"repository"`
	Tag        string    `json:"tag"`
	Digest     string    `json:"digest"`
	PushedAt   time.Time `json:"pushedAt"`
}

func shownImages(id string, images []ecr.Image) []shownImage {
	shown := make([]shownImage, 0, len(images))
	for _, image := range images {
		shown = append(shown, shownImage{id, image.Repository, image.Tag, image.Digest, image.PushedAt})
	}
	return shown
}

func faultsCommand(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "faults [KEY=VALUE…]",
		Short: "Show or set what goes wrong in the account, for tests and demonstrations",
		Long: `Show or set what goes wrong in the account, for tests and demonstrations. KEY= clears one.

  failing-tasks=PATTERN      new tasks whose family:revision or image matches (* and ?) exit soon after they start
  failing-reason=TEXT        what such a container says
  failing-exit-code=NUMBER   its exit code, 1 unless set
  unhealthy-tasks=PATTERN    new tasks whose family:revision matches fail their containers' own health checks
  alarm=PATTERN              alarms whose name matches go into ALARM during every deployment
  unhealthy-targets=PATTERN  new tasks whose family:revision matches run, but fail their target groups' health checks
  iam-delay=DURATION         tasks cannot assume a role that is younger than this
  fresh-account=DURATION     AWS's own roles (AWSServiceRoleForECS and others) are not there until something needs them; ECS can
                             assume its own only after this time
  lost-instance=ID           the EC2 instance with this id (* and ?) is gone
  no-instances=PATTERN       EC2 has no instances of the types that match
  slow-push=DURATION         how long a push takes
  die-after-push=1           the next process that has recorded a push is killed right after it
  die-after-create=TYPE,…    the next command whose provider has created a resource of such a type (iam/role) in the account is
                             killed before Pulumi hears of it; so with die-after-update and die-after-delete
  slow-rollout=DURATION      how long each step of a rollout takes, 200ms unless set
  api-fault=ACTION=KIND[:N]  how (the next N) calls of the AWS SDK go wrong, with commas between several: hang, cut,
	html, throttle,
                             deny, expired, error
  clock=DURATION             how far the account's clock is put forward, or back (-2m)`,
		Example: `  sandbox faults failing-tasks='*:2' failing-reason='cannot reach the database'
  sandbox faults failing-tasks= failing-reason=`,
		RunE: func(command *cobra.Command, args []string) error {
			return withAccount(*dir, func(a *account.Account) error {
				faults, err := a.Faults()
				if err != nil {
					return err
				}
				if len(args) > 0 {
					return setFaults(a, faults, args)
				}
				for _, key := range slices.Sorted(maps.Keys(faults)) {
					fmt.Fprintf(command.OutOrStdout(), "%s=%s\n", key, faults[key])
				}
				return nil
			})
		},
	}
}

func setFaults(a *account.Account, faults map[string]string, changes []string) error {
	for _, change := range changes {
		key, value, isChange := strings.Cut(change, "=")
		if !isChange {
			return fmt.Errorf("%s: write KEY=VALUE, or KEY= to clear it", change)
		}
		if value == "" {
			delete(faults, key)
		} else {
			faults[key] = value
		}
	}
	return a.SetFaults(faults)
}

func printJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// table is rows, of which the first is the heading.
type table [][]string

// with adds rows of an account. They begin with its number where there are several.
func (t table) with(id string, accounts int, rows [][]string) table {
	if accounts == 1 {
		return append(t, rows...)
	}
	if t[0][0] != "ACCOUNT" {
		t[0] = append([]string{"ACCOUNT"}, t[0]...)
	}
	for _, row := range rows {
		t = append(t, append([]string{id}, row...))
	}
	return t
}

// printTable prints rows, of which the first is the heading.
func printTable(out io.Writer, rows [][]string) error {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	return table.Flush()
}
