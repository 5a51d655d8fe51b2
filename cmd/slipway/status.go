package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"slipway/stage"
)

func statusCommand(directory *string) *cobra.Command {
	var asJSON, exitCode bool
	command := &cobra.Command{
		Use:   "status [STAGE…]",
		Short: "What each stage asks for, what was deployed last, and what runs now",
		Long: `For each service: what the stage file asks for, what the last update deployed, and what AWS reports now. For each task:
the revision that runs when it is run, and when its schedule runs it next. What differs is listed below. Without a STAGE it
shows every stage that the project has a file for.`,
		Example: `  slipway status
  slipway status dev release
  slipway status release --exit-code > /dev/null || echo release is not as it should be`,
		Args:              func(_ *cobra.Command, args []string) error { return checkStackNames(args) },
		ValidArgsFunction: completeStages(directory, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			return showStatus(cmd.Context(), newReport(cmd), *directory, args, asJSON, exitCode)
		},
	}
	command.Flags().BoolVar(&exitCode, "exit-code", false, "exit with 1 where anything differs")
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return command
}

// stageStatus is a stage as the three know it.
type stageStatus struct {
	Stage string `json:"stage"`
	// LastUpdate is the newest update in the stack's history; nil where there is none.
	LastUpdate *lastUpdate `json:"lastUpdate"`
	// Services by name: those of the stage file, and those that were deployed.
	Services map[string]*serviceStatus `json:"services"`
	// Tasks by name: those of the stage file, and those that were deployed.
	Tasks map[string]*taskStatus `json:"tasks"`
	// SecretsCompared is false where the stage has secrets that could not be decrypted: then nobody knows whether those of
	// the stage file were deployed.
	SecretsCompared bool `json:"secretsCompared"`
	// Differences are in sentences, each beginning with what it is about.
	Differences []string `json:"differences"`

	// unread is why schedules could not be read; nil where all were.
	unread error
}

type lastUpdate struct {
	Kind    string    `json:"kind"`
	Result  string    `json:"result"`
	Start   time.Time `json:"start"`
	Commit  string    `json:"commit,omitempty"`
	Author  string    `json:"author,omitempty"`
	Message string    `json:"message,omitempty"`
}

// serviceStatus is a service as the three know it; what one does not know of is nil.
type serviceStatus struct {
	Asked    *askedService    `json:"asked"`
	Deployed *deployedService `json:"deployed"`
	Running  *runningService  `json:"running"`
}

// askedImage is what the stage file has a service or a task run.
type askedImage struct {
	// Image is the key under images; Ref what that pins, empty where it is built.
	Image string `json:"image"`
	Ref   string `json:"ref,omitempty"`
}

func imageAsked(settings *stage.Stage, name string) askedImage {
	asked := askedImage{Image: name}
	if ref := settings.Images[name].Ref; ref != nil {
		asked.Ref = ref.Raw
	}
	return asked
}

type askedService struct {
	askedImage
	// Revision that the service is pinned to; 0 for the newest.
	Revision int `json:"revision,omitempty"`
	// Replicas to start with; Scaled says that a scaler decides the count.
	Replicas int  `json:"replicas"`
	Scaled   bool `json:"scaled,omitempty"`
}

type deployedService struct {
	Revision       int    `json:"revision"`
	TaskDefinition string `json:"taskDefinition"`
	Replicas       int    `json:"replicas"`
	Pinned         bool   `json:"pinned"`
	URL            string `json:"url,omitempty"`
}

type runningService struct {
	Revision       int    `json:"revision"`
	TaskDefinition string `json:"taskDefinition"`
	containerImages
	Desired int `json:"desired"`
	Running int `json:"running"`
	Pending int `json:"pending"`
	// Inactive says that the revision was deregistered.
	Inactive bool `json:"inactive,omitempty"`
	// Rollout is IN_PROGRESS, COMPLETED or FAILED: the primary deployment's.
	Rollout string         `json:"rollout"`
	Reason  string         `json:"reason,omitempty"`
	Events  []serviceEvent `json:"events"`

	deployments int
}

type serviceEvent struct {
	Time    time.Time `json:"time"`
	Message string    `json:"message"`
}

// mostEvents is how many of a service's events are read.
const mostEvents = 5

func showStatus(ctx context.Context, report *report, directory string, stacks []string, asJSON, exitCode bool) error {
	project, err := findProject(directory)
	if err != nil {
		return err
	}
	if len(stacks) == 0 {
		if stacks = project.stages(); len(stacks) == 0 {
			return errors.New("there is no Pulumi.<stage>.yaml here: write one, or name a stage")
		}
	}
	done := report.progress("Reading %s", strings.Join(stacks, ", "))
	pulumi := newPulumiCLI(project.Directory)
	stages := make([]*stageStatus, len(stacks))
	var running errgroup.Group
	running.SetLimit(lookups)
	errs := make([]error, len(stacks))
	for i, stack := range stacks {
		running.Go(func() error {
			stages[i], errs[i] = readStatus(ctx, pulumi, project, stack)
			return nil
		})
	}
	_ = running.Wait() // the errors have places of their own, so that all are told, in the same order always
	done()
	read := slices.DeleteFunc(stages, func(s *stageStatus) bool { return s == nil })
	if asJSON {
		if err := report.json(read); err != nil {
			return err
		}
	} else {
		printStatus(report, read)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	differs := slices.ContainsFunc(read, func(s *stageStatus) bool { return len(s.Differences) > 0 })
	if exitCode && differs {
		return errDifference
	}
	var sealed []error
	for _, stage := range read {
		if exitCode && !stage.SecretsCompared {
			sealed = append(sealed, fmt.Errorf("the secrets of %s could not be decrypted: whether those of the stage file were deployed is not known", stage.Stage))
		}
	}
	return errors.Join(sealed...)
}

func readStatus(ctx context.Context, pulumi pulumiCLI, project *project, stack string) (*stageStatus, error) {
	status := &stageStatus{Stage: stack, Services: map[string]*serviceStatus{}, Tasks: map[string]*taskStatus{},
		SecretsCompared: true, Differences: []string{}}
	// Each takes the CLI some time.
	var history *timeline
	var config *stageConfig
	var outputs map[string]json.RawMessage
	asking, asked := errgroup.WithContext(ctx)
	asking.Go(func() (err error) {
		history, config, err = openTimeline(asked, pulumi, project, stack, 1)
		return err
	})
	asking.Go(func() (err error) {
		outputs, err = pulumi.Outputs(asked, stack)
		return err
	})
	var cutOff int
	asking.Go(func() (err error) {
		cutOff, err = pulumi.cutOff(asked, stack)
		return err
	})
	err := asking.Wait()
	_, withoutFile := os.Stat(project.stageFile(stack))
	if missing := (noStack{}); errors.As(err, &missing) && withoutFile == nil {
		status.differ("there is no stack %s yet: run `pulumi stack init %s`, and `pulumi up --stack %[2]s`", stageName(stack), stack)
		return status, nil
	}
	if err != nil {
		return nil, err
	}
	last, err := history.past.last(ctx)
	if err != nil {
		return nil, err
	}
	lock, err := history.past.files.lock(ctx)
	if err != nil {
		return nil, err
	}
	if lock != nil {
		status.differ("%s", lock.describe(stack))
	}
	if cutOff > 0 {
		status.differ("an update of %s is under way, or was cut off with %d operations pending: where none is running, "+
			"`slipway recover %s` brings the state in line with AWS", stack, cutOff, stack)
	}
	undeployed := status.askedBy(project, config, last, withoutFile == nil)
	if last != nil {
		status.LastUpdate = &lastUpdate{last.Kind, last.Result, pulumiTime(last.StartTime), last.Environment["git.head"],
			last.Environment["git.author"], last.Message}
	}
	if err := status.deployed(outputs["services"]); err != nil {
		return nil, fmt.Errorf("the output services of %s: %w", stack, err)
	}
	if err := status.deployedTasks(outputs["tasks"]); err != nil {
		return nil, fmt.Errorf("the output tasks of %s: %w", stack, err)
	}
	cloud, err := connect(ctx, stack, config.config)
	if err != nil && status.runsNothing() { // then there is next to nothing to ask about
		status.updated(last, lock != nil)
		status.differ("whether AWS has anything of it is not known: %v", err)
		return status, nil
	}
	if err != nil {
		return nil, err
	}
	if err := status.running(ctx, cloud, project.Name+"-"+stageName(stack)); err != nil {
		return nil, err
	}
	status.updated(last, lock != nil)
	for _, name := range slices.Sorted(maps.Keys(status.Services)) {
		status.compare(name, status.Services[name])
	}
	if err := status.readyTasks(ctx, cloud); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(status.Tasks)) {
		status.compareTask(name, status.Tasks[name], undeployed)
	}
	return status, status.unread
}

// askedBy reads what the stage file asks for, and tells whether that has changed since the last update.
func (s *stageStatus) askedBy(project *project, config *stageConfig, last *update, hasFile bool) (undeployed bool) {
	if !hasFile {
		s.differ("there is no Pulumi.%s.yaml, though there is a stack: bring the file back, or remove the stage (`pulumi destroy --stack %s`)",
			stageName(s.Stage), s.Stage)
		if last != nil { // how AWS was asked then
			for key, value := range last.Config {
				if _, is := config.config[key]; !is && strings.HasPrefix(key, "aws:") && value.Value != nil {
					config.config[key] = *value.Value
				}
			}
		}
		return false
	}
	settings, mistakes := loadStage(project, s.Stage, config.config, config.secretKeys)
	if mistakes != nil { // what was deployed and what runs can be told all the same
		s.differ("Pulumi.%s.yaml cannot be deployed as it is: %s", stageName(s.Stage), strings.ReplaceAll(mistakes.Error(), "\n", "; "))
	} else {
		s.asked(settings)
		s.askedTasks(settings)
	}
	return last != nil && last.Kind == "update" && s.undeployed(project, config, last)
}

// updated says how the last update ended. locked says that one goes on, which has been told.
func (s *stageStatus) updated(last *update, locked bool) {
	up := fmt.Sprintf("`pulumi up --stack %s`", s.Stage)
	switch {
	case last == nil && len(s.found()) > 0 && !locked:
		s.differ("no update of %s has ended, and AWS has %s: its first update was killed; run %s", s.Stage, strings.Join(s.found(), ", "), up)
	case last == nil && !locked:
		s.differ("%s has never been deployed: run %s", s.Stage, up)
	case last != nil && last.Kind == "destroy" && last.Result == "succeeded" && len(s.found()) > 0:
		s.differ("%s was destroyed, and AWS has %s: an update since was killed, or somebody made that by hand; run %s, or destroy it again", s.Stage,
			strings.Join(s.found(), ", "), up)
	case last != nil && last.Kind == "destroy" && last.Result == "succeeded":
		s.differ("%s was destroyed: run %s to make it anew", s.Stage, up)
	case last != nil && last.Result != "succeeded":
		s.differ("the last %s %s: `slipway history %s` tells more", last.Kind, ended(last.Result), s.Stage)
	}
}

// found are the services that ECS has.
func (s *stageStatus) found() (keys []string) {
	for _, name := range sortedKeys(s.Services) {
		if s.Services[name].Running != nil {
			keys = append(keys, "services."+name)
		}
	}
	return keys
}

// runsNothing tells a stage of which no update has left anything that runs.
func (s *stageStatus) runsNothing() bool {
	return s.LastUpdate == nil || s.LastUpdate.Kind == "destroy" && s.LastUpdate.Result == "succeeded"
}

func ended(result string) string {
	if result == "in-progress" {
		return "has not ended"
	}
	return result
}

func (s *stageStatus) differ(format string, args ...any) {
	s.Differences = append(s.Differences, fmt.Sprintf(format, args...))
}

func (s *stageStatus) service(name string) *serviceStatus { return entryOf(s.Services, name) }

// entryOf is what a map has by a name, made where there is none yet.
func entryOf[T any](entries map[string]*T, name string) *T {
	if entries[name] == nil {
		entries[name] = new(T)
	}
	return entries[name]
}

func (s *stageStatus) asked(settings *stage.Stage) {
	for name, service := range settings.Services {
		s.service(name).Asked = &askedService{imageAsked(settings, service.Image), service.Revision, service.StartReplicas(), service.Scaling != nil}
	}
}

// undeployed tells which keys the stage file has changed since the last update, and whether there are any.
func (s *stageStatus) undeployed(project *project, config *stageConfig, last *update) bool {
	now, before := leaves(project.Name, config.values), leaves(project.Name, last.Config)
	s.SecretsCompared = !hidden(now) && !hidden(before)
	var changed, removed []string
	for _, change := range keyChanges(before, now) {
		if change.What == "removed" {
			removed = append(removed, change.Key)
		} else {
			changed = append(changed, change.Key)
		}
	}
	if len(changed) > 0 {
		s.differ("not deployed yet: %s", strings.Join(changed, ", "))
	}
	if len(removed) > 0 {
		s.differ("removed since the last update, which still had: %s", strings.Join(removed, ", "))
	}
	return len(changed)+len(removed) > 0
}

func (s *stageStatus) deployed(output json.RawMessage) error {
	if output == nil {
		return nil
	}
	var deployed map[string]*deployedService
	if err := json.Unmarshal(output, &deployed); err != nil {
		return err
	}
	for name, service := range deployed {
		s.service(name).Deployed = service
	}
	return nil
}

func (s *stageStatus) running(ctx context.Context, cloud *cloud, cluster string) error {
	services, err := cloud.services(ctx, cluster, slices.Sorted(maps.Keys(s.Services)))
	if err != nil {
		return err
	}
	for name, found := range services {
		now := &runningService{
			Revision: revisionNumber(aws.ToString(found.TaskDefinition)), TaskDefinition: aws.ToString(found.TaskDefinition),
			Desired: int(found.DesiredCount), Running: int(found.RunningCount), Pending: int(found.PendingCount),
			Events: []serviceEvent{}, deployments: len(found.Deployments),
		}
		for _, deployment := range found.Deployments {
			if aws.ToString(deployment.Status) == "PRIMARY" {
				now.Rollout, now.Reason = string(deployment.RolloutState), aws.ToString(deployment.RolloutStateReason)
			}
		}
		for _, event := range found.Events[:min(mostEvents, len(found.Events))] {
			now.Events = append(now.Events, serviceEvent{aws.ToTime(event.CreatedAt), aws.ToString(event.Message)})
		}
		definition, err := cloud.revision(ctx, now.TaskDefinition)
		if err != nil {
			return err
		}
		now.Inactive = definition == nil || !definition.active
		if now.containerImages, err = cloud.images(ctx, definition, name); err != nil {
			return err
		}
		s.Services[name].Running = now
	}
	return nil
}

// compare tells how what was deployed differs from what runs.
func (s *stageStatus) compare(name string, service *serviceStatus) {
	differ := func(format string, args ...any) { s.differ("services."+name+": "+format, args...) }
	asked, deployed, now := service.Asked, service.Deployed, service.Running
	switch {
	case deployed == nil && now == nil:
		return // not deployed yet, which is told with the keys
	case deployed == nil && s.runsNothing():
		break // which has been told
	case now == nil:
		if s.LastUpdate != nil && s.LastUpdate.Kind == "destroy" {
			return // and so it is meant to be gone
		}
		differ("ECS has no such service, though revision %d was deployed: it was deleted by hand; run `pulumi up --refresh --stack %s`",
			deployed.Revision, s.Stage)
		return
	case deployed == nil:
		differ("runs revision %d, though no update has succeeded with it", now.Revision)
	case deployed.TaskDefinition != now.TaskDefinition:
		differ("runs revision %d, and the last update that succeeded deployed %d", now.Revision, deployed.Revision)
	}
	if now.Inactive {
		differ("its revision %d is INACTIVE, as it was deregistered: ECS keeps running it, and nothing can go back to it; "+
			"run `pulumi up --refresh --stack %s`", now.Revision, s.Stage)
	}
	if asked != nil && !asked.Scaled && deployed != nil && asked.Replicas == deployed.Replicas && now.Desired != asked.Replicas {
		differ("ECS keeps %d replicas, and %d were asked for: run `pulumi up --refresh --stack %s`", now.Desired, asked.Replicas, s.Stage)
	}
	if now.Rollout != string(types.DeploymentRolloutStateCompleted) || now.deployments > 1 || now.Running != now.Desired {
		differ("is not steady: %d of %d running, %d pending, rollout %s", now.Running, now.Desired, now.Pending, now.Rollout)
	}
	s.compareImages("services."+name, now.containerImages)
}

// compareImages tells which images are gone without which no task starts.
func (s *stageStatus) compareImages(key string, images containerImages) {
	for _, gone := range images.gone() {
		s.differ("%s: %s: a task that has to start will fail", key, gone)
	}
}

func printStatus(report *report, stages []*stageStatus) {
	services := rowsByName(stages, func(s *stageStatus) map[string]*serviceStatus { return s.Services },
		func(s *serviceStatus) []string { return s.columns(report) })
	if len(services) > 0 {
		report.table([]string{"SERVICE", "STAGE", "ASKED", "DEPLOYED", "RUNNING", "REPLICAS", "ROLLOUT", "IMAGE", "DIGEST"}, services)
	}
	tasks := rowsByName(stages, func(s *stageStatus) map[string]*taskStatus { return s.Tasks }, (*taskStatus).columns)
	if len(tasks) > 0 {
		report.printf("\n")
		report.table([]string{"TASK", "STAGE", "DEPLOYED", "BEFORE", "SCHEDULE", "IMAGE", "DIGEST"}, tasks)
	}
	for _, stage := range stages {
		report.printf("\n%s: ", stage.Stage)
		if last := stage.LastUpdate; last == nil {
			report.printf("never deployed\n")
		} else {
			report.printf("last %s %s, %s", last.Kind, report.result(ended(last.Result)), last.Start.Local().Format("2006-01-02 15:04:05"))
			if last.Commit != "" {
				report.printf(", commit %.7s by %s: %s", last.Commit, last.Author, shorten(last.Message, 60))
			}
			report.printf("\n")
		}
		for _, difference := range stage.Differences {
			report.printf("  %s %s\n", report.bad("!"), difference)
		}
		if !stage.SecretsCompared {
			report.printf("  the secrets could not be decrypted: whether those of the stage file were deployed is not known\n")
		}
		if len(stage.Differences) == 0 && stage.SecretsCompared && stage.unread == nil {
			report.printf("  %s\n", report.good("what was asked for is what runs"))
		}
		for _, name := range slices.Sorted(maps.Keys(stage.Tasks)) {
			if schedule := stage.Tasks[name].Schedule; schedule != nil {
				report.printf("  tasks.%s: %s\n", name, schedule.describeNext())
			}
		}
		for _, name := range slices.Sorted(maps.Keys(stage.Services)) {
			now := stage.Services[name].Running
			if now == nil {
				continue
			}
			shown := now.Events[:min(1, len(now.Events))]
			if len(stage.Differences) > 0 { // what happened may tell why
				shown = now.Events
			}
			for _, event := range shown {
				report.printf("  %s\n", report.dim(event.Time.Local().Format("2006-01-02 15:04:05")+" "+event.Message))
			}
		}
	}
}

// rowsByName are the rows of what stages have, those of one name below each other.
func rowsByName[T any](stages []*stageStatus, of func(*stageStatus) map[string]*T, columns func(*T) []string) (rows [][]string) {
	names := map[string]bool{}
	for _, stage := range stages {
		for name := range of(stage) {
			names[name] = true
		}
	}
	for _, name := range sortedKeys(names) {
		for _, stage := range stages {
			if found := of(stage)[name]; found != nil {
				rows = append(rows, append([]string{name, stage.Stage}, columns(found)...))
			}
		}
	}
	return rows
}

func (s *serviceStatus) columns(report *report) []string {
	columns := []string{"-", "-", "-", "-", "-", "-", "-"}
	if s.Asked != nil {
		columns[0] = "newest"
		if s.Asked.Revision != 0 {
			columns[0] = fmt.Sprintf("%d (pinned)", s.Asked.Revision)
		}
		columns[0] += fmt.Sprintf(" ×%d", s.Asked.Replicas)
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
			columns[4] = report.good(columns[4])
		} else {
			columns[4] = report.bad(columns[4])
		}
		columns[5] = s.Running.Image.describe()
		columns[6] = shortDigest(s.Running.Image.Digest)
	}
	return columns
}

// shortDigest is the start of a digest that people can tell apart.
func shortDigest(digest string) string {
	if algorithm, hex, ok := strings.Cut(digest, ":"); ok {
		return fmt.Sprintf("%s:%.12s", algorithm, hex)
	}
	return digest
}
