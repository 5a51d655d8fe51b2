package status

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/pulumicli"
)

// Print shows stages side by side, and below them what differs.
func Print(report *console.Report, stages []*Stage) {
	services := rowsByName(stages, func(s *Stage) map[string]*serviceStatus { return s.Services },
		func(s *serviceStatus) []string { return s.columns(report) })
	if len(services) > 0 {
		report.Table([]string{"SERVICE", "STAGE", "ASKED", "DEPLOYED", "RUNNING", "REPLICAS", "ROLLOUT", "IMAGE", "DIGEST"},
			services)
	}
	tasks := rowsByName(stages, func(s *Stage) map[string]*taskStatus { return s.Tasks }, (*taskStatus).columns)
	if len(tasks) > 0 {
		report.Printf("\n")
		report.Table([]string{"TASK", "STAGE", "DEPLOYED", "BEFORE", "SCHEDULE", "IMAGE", "DIGEST"}, tasks)
	}
	for _, stage := range stages {
		report.Printf("\n%s: ", stage.Stage)
		if last := stage.LastUpdate; last == nil && (stage.lost || stage.kept) {
			report.Printf("no update in its history\n")
		} else if last == nil {
			report.Printf("never deployed\n")
		} else {
			report.Printf("last %s %s, %s", last.Kind, report.Result(pulumicli.Ended(last.Result)),
				last.Start.Local().Format("2006-01-02 15:04:05"))
			if last.Commit != "" {
				dirty := ""
				if last.Dirty {
					dirty = " + uncommitted changes"
				}
				report.Printf(", commit %.7s%s by %s: %s", last.Commit, dirty, last.Author, console.Shorten(last.Message, 60))
			}
			report.Printf("\n")
		}
		if stage.Slipway != "" {
			report.Printf("  deployed by slipway %s\n", stage.Slipway)
		}
		for _, difference := range stage.Differences {
			report.Printf("  %s %s\n", report.Bad("!"), difference)
		}
		if !stage.SecretsCompared {
			report.Printf("  the secrets could not be decrypted: whether those of the stage file were deployed is not known\n")
		}
		if len(stage.Differences) == 0 && stage.SecretsCompared && stage.unread == nil {
			report.Printf("  %s\n", report.Good("what was asked for is what runs"))
		}
		for _, name := range slices.Sorted(maps.Keys(stage.Tasks)) {
			if schedule := stage.Tasks[name].Schedule; schedule != nil {
				report.Printf("  tasks.%s: %s\n", name, schedule.describeNext())
			}
		}
		for _, name := range slices.Sorted(maps.Keys(stage.Services)) {
			now := stage.Services[name].Running
			if now == nil {
				continue
			}
			if now.Capacity != usualCapacity {
				report.Printf("  services.%s: runs on %s\n", name, now.Capacity)
			}
			shown := now.Events[:min(1, len(now.Events))]
			if len(stage.Differences) > 0 { // what happened may tell why
				shown = now.Events
			}
			for _, event := range shown {
				report.Printf("  %s\n", report.Dim(event.Time.Local().Format("2006-01-02 15:04:05")+" "+event.Message))
			}
		}
	}
	for _, note := range notesOf(stages) {
		report.Printf("\n%s\n", note)
	}
}

// notesOf are the notes of stages, each once.
func notesOf(stages []*Stage) (notes []string) {
	for _, stage := range stages {
		for _, note := range stage.Notes {
			if !slices.Contains(notes, note) {
				notes = append(notes, note)
			}
		}
	}
	return notes
}

// rowsByName are the rows of what stages have, those of one name below each other.
func rowsByName[T any](stages []*Stage, of func(*Stage) map[string]*T, columns func(*T) []string) (rows [][]string) {
	names := map[string]bool{}
	for _, stage := range stages {
		for name := range of(stage) {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		for _, stage := range stages {
			if found := of(stage)[name]; found != nil {
				rows = append(rows, append([]string{name, stage.Stage}, columns(found)...))
			}
		}
	}
	return rows
}

func (s *serviceStatus) columns(report *console.Report) []string {
	columns := []string{"-", "-", "-", "-", "-", "-", "-"}
	if s.Asked != nil {
		columns[0] = "newest"
		if s.Asked.Revision != 0 {
			columns[0] = fmt.Sprintf("%d (pinned)", s.Asked.Revision)
		}
		if s.Asked.Daemon {
			columns[0] += " daemon"
		} else {
			columns[0] += fmt.Sprintf(" ×%d", s.Asked.Replicas)
		}
	}
	if s.Deployed != nil {
		columns[1] = strconv.Itoa(s.Deployed.Revision)
	}
	if s.Running != nil {
		columns[2] = path.Base(s.Running.TaskDefinition)
		if s.Running.Inactive {
			columns[2] += " (INACTIVE)"
		}
		columns[3] = fmt.Sprintf("%d/%d", s.Running.Running, s.Running.Desired)
		columns[4] = s.Running.Rollout
		if s.Running.Rollout == string(types.DeploymentRolloutStateCompleted) {
			columns[4] = report.Good(columns[4])
		} else {
			columns[4] = report.Bad(columns[4])
		}
		columns[5] = s.Running.Image.Describe()
		columns[6] = console.ShortDigest(s.Running.Image.Digest)
	}
	return columns
}
