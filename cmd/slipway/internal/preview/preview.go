// Package preview tells what the next update of a stage would do, by service and by the names of variables.
package preview

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"slipway/cmd/slipway/internal/flatconfig"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/internal/ecsread"
	"slipway/internal/imageref"
	"slipway/internal/pulumiconfig"
	"slipway/stage"
)

// Preview is what the next update of a stage would do, as --json prints it.
type Preview struct {
	Stage string `json:"stage"`
	// Changes is how many resources the update creates, updates, replaces or deletes.
	Changes int `json:"changes"`
	// Images are what becomes of each image of the stage, by name.
	Images []Image `json:"images"`
	// Refusals are what AWS would refuse the update to do, once all else has changed.
	Refusals []string `json:"refusals"`
	// Workloads are the services, and then the tasks, for which anything changes.
	Workloads []*Workload `json:"workloads"`
	// Others are the resources that change and belong to no service and no task.
	Others []*Resource `json:"others"`
	// Warnings are what the program and the providers warn of.
	Warnings []string `json:"warnings"`
	// Drift is what status finds that the update did not bring: what AWS has otherwise than it was deployed, an update
	// that goes on or was cut off.
	Drift []string `json:"drift"`
}

// Workload is what the update does to a service or a task.
type Workload struct {
	// Kind is service or task.
	Kind string `json:"kind"`
	Name string `json:"name"`
	// What becomes of it: see the constants.
	What What `json:"what"`
	// Revision is the number of the newest revision now, 0 for none; NewRevision says that the update registers another.
	Revision    int  `json:"revision,omitempty"`
	NewRevision bool `json:"newRevision"`
	// Target is the number of the revision that a service is moved to, where it is one that is there.
	Target int `json:"target,omitempty"`
	// RunsBefore are the services before whose deployment the update runs the task.
	RunsBefore []string `json:"runsBefore,omitempty"`
	// Settings that differ in its task definition and, for a service, in ECS's service.
	Settings []flatconfig.Change `json:"settings"`
	// Images that its containers run from now on.
	Images []ImageChange `json:"images"`
	// Resources are its others that change.
	Resources []*Resource `json:"resources"`

	service *Resource // ECS's, where that changes
}

// What becomes of a service or a task.
type What string

const (
	// Created is what the stage does not have yet.
	Created What = "created"
	// Deleted is what the stage file no longer has.
	Deleted What = "deleted"
	// Replaced is a service that is deleted first: nothing serves until the new one runs.
	Replaced What = "replaced"
	// Rolls is a service whose tasks are exchanged for new ones, with no gap.
	Rolls What = "rolls"
	// Registered has a new revision, and no task starts or ends: that of a task, or of a service that is pinned.
	Registered What = "registered"
	// Runs is a task that runs before a deployment, and does not change itself.
	Runs What = "runs"
	// InPlace changes, and its tasks run on.
	InPlace What = "in place"
)

// Of sorts what `pulumi preview` says of a stage.
func Of(name string, found *pulumicli.Preview, settings *stage.Stage) *Preview {
	p := &Preview{Stage: name, Images: imagesOf(found, settings), Refusals: []string{}, Workloads: []*Workload{},
		Others: []*Resource{}, Warnings: []string{}, Drift: []string{}}
	for _, warning := range found.Said("warning") {
		p.Warnings = append(p.Warnings, strings.TrimPrefix(warning, "warning: "))
	}
	workloads := map[string]*Workload{}
	for _, step := range joinPolicies(found.Steps) {
		resource := newResource(step)
		if resource == nil {
			continue
		}
		if custom(step) {
			p.Changes++
		}
		kind, belongs := kinds[resource.above]
		switch {
		case belongs:
			at := kind + " " + resource.aboveName
			if workloads[at] == nil {
				workloads[at] = &Workload{Kind: kind, Name: resource.aboveName, Settings: []flatconfig.Change{},
					Images: []ImageChange{}, Resources: []*Resource{}}
			}
			workloads[at].add(resource, settings)
		case resource.above != imageComponent: // of images all is said
			p.Others = append(p.Others, resource)
		}
	}
	for _, at := range slices.Sorted(maps.Keys(workloads)) { // services before tasks
		workload := workloads[at]
		workload.conclude()
		for i := range workload.Images {
			workload.Images[i].mark(p.Images)
		}
		p.Workloads = append(p.Workloads, workload)
	}
	return p
}

// kinds are the components of services and tasks.
var kinds = map[string]string{"slipway:components:Service": "service", "slipway:components:Task": "task"}

const (
	imageComponent     = "slipway:components:Image"
	imageType          = "docker:index/image:Image"
	stackType          = "pulumi:pulumi:Stack"
	taskDefinitionType = "aws:ecs/taskDefinition:TaskDefinition"
	repositoryType     = "aws:ecr/repository:Repository"
	serviceType        = "aws:ecs/service:Service"
	stashType          = "pulumi:index:Stash" // stands for a task's run before a deployment, and for the copy of an image
)

// rolling are the properties of a service that ECS answers with a new deployment
// (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html).
var rolling = []string{"taskDefinition", "networkConfiguration", "loadBalancers", "platformVersion",
	"capacityProviderStrategies", "serviceConnectConfiguration", "serviceRegistries", "volumeConfiguration",
	"forceNewDeployment"}

// add sorts one of its resources in.
func (w *Workload) add(resource *Resource, settings *stage.Stage) {
	switch resource.Type {
	case taskDefinitionType:
		w.Revision = revisionOf(resource.oldOutputs)
		w.NewRevision = resource.What == "created" || resource.What == "replaced"
		if resource.What == "replaced" && resource.new[containerDefinitions] == pulumicli.UnknownValue {
			w.Settings = declaredChanges(resource.old[containerDefinitions], w.Name, settings.TaskDefinition(w.Name))
		}
		w.addSettings(resource)
	case serviceType:
		w.service = resource
		w.addSettings(resource)
	case stashType:
		if resource.What != "deleted" {
			w.RunsBefore = settings.Tasks[w.Name].Before
		}
	default:
		if kinds[resource.Type] == "" { // itself
			w.Resources = append(w.Resources, resource)
		} else if resource.What == "created" || resource.What == "deleted" {
			w.What = What(resource.What)
		}
	}
}

// addSettings takes the settings of a resource, but for images, and for the revision, which have a place of their own.
func (w *Workload) addSettings(resource *Resource) {
	for _, change := range resource.Settings {
		container, isImage := strings.CutSuffix(change.Key, ".image")
		isImage = isImage && resource.Type == taskDefinitionType && !strings.ContainsAny(container, ".[") // no variable
		switch {
		case isImage && change.Old != nil && change.New != nil:
			w.Images = append(w.Images, ImageChange{Container: container, Old: imageIn(resource.old, container),
				New: imageIn(resource.new, container)})
		case resource.Type == serviceType && change.Key == "taskDefinition":
			w.Target = revisionOf(resource.new)
		case !strings.HasSuffix(change.Key, pulumiconfig.Path("dockerLabels", imageref.TagLabel)):
			w.Settings = append(w.Settings, change)
		}
	}
}

// conclude says what becomes of it in all.
func (w *Workload) conclude() {
	slices.SortStableFunc(w.Settings, func(a, b flatconfig.Change) int { return cmp.Compare(a.Key, b.Key) })
	w.Settings = slices.CompactFunc(w.Settings, func(a, b flatconfig.Change) bool { // tags of both
		return a.Describe() == b.Describe()
	})
	switch {
	case w.What != "": // as its component says
	case w.service != nil && w.service.What == "replaced":
		w.What = Replaced
	case w.service != nil && w.service.What != "updated":
		w.What = What(w.service.What)
	case w.service != nil && w.service.rolls():
		w.What = Rolls
	case w.NewRevision:
		w.What = Registered
	case len(w.RunsBefore) > 0 && len(w.Resources) == 0:
		w.What = Runs
	default:
		w.What = InPlace
	}
}

// rolls tells whether the change of a service has its tasks exchanged. The one of a capacity is seen by the tag that
// says it: the program moves the service there itself.
func (r *Resource) rolls() bool {
	capacity := func(inputs map[string]any) string { return text(properties(inputs, "tags")[stage.CapacityTag]) }
	return capacity(r.old) != capacity(r.new) || slices.ContainsFunc(r.differ, func(property string) bool {
		return slices.Contains(rolling, property)
	})
}

func custom(step pulumicli.Step) bool {
	state := step.NewState
	if state == nil {
		state = step.OldState
	}
	is, _ := state["custom"].(bool)
	return is
}

func text(value any) string {
	found, _ := value.(string)
	return found
}

// revisionOf is the number of the revision that properties of a task definition or a service tell; 0 for none.
func revisionOf(properties map[string]any) int {
	if number, ok := properties["revision"].(json.Number); ok {
		revision, _ := number.Int64()
		return int(revision)
	}
	arn := text(properties["taskDefinition"])
	if arn == pulumicli.UnknownValue {
		return 0
	}
	return ecsread.RevisionNumber(arn)
}
