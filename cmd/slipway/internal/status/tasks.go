package status

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/console"
	"slipway/internal/ecsread"
	"slipway/internal/schedule"
)

// taskStatus is a task as the stage file, the last update and AWS know it; what one does not know of is nil.
type taskStatus struct {
	Asked    *askedTask     `json:"asked"`
	Deployed *taskRevision  `json:"deployed"`
	Schedule *readySchedule `json:"schedule"`
}

// taskRevision is what runs when somebody, or the schedule, runs the task.
type taskRevision struct {
	Revision       int    `json:"revision"`
	TaskDefinition string `json:"taskDefinition"`
	awsreader.Images
	// Gone says that the revision was deregistered.
	Gone bool `json:"gone,omitempty"`

	schedule string // its name
}

// readySchedule is a schedule as EventBridge Scheduler has it.
type readySchedule struct {
	Name       string `json:"name"`
	Expression string `json:"expression"`
	TimeZone   string `json:"timeZone"`
	Enabled    bool   `json:"enabled"`
	// Next are the next times at which it starts the task; none where it is disabled, or never does again.
	Next []time.Time `json:"next"`
	// Unknown says why Next, or all of it, is not known; empty where it is.
	Unknown string `json:"unknown,omitempty"`
	// Missing says that AWS has no such schedule.
	Missing bool `json:"missing,omitempty"`

	starts string // the ARN of the revision
}

// mostRuns is how many of a schedule's next runs are shown.
const mostRuns = 3

func (s *Stage) task(name string) *taskStatus { return entryOf(s.Tasks, name) }

// readyTasks reads what would run, and when it does next. A schedule that cannot be read does not end it: who may read
// the rest need not be allowed to read schedules.
func (s *Stage) readyTasks(ctx context.Context, cloud *awsreader.Client) error {
	for _, name := range slices.Sorted(maps.Keys(s.Tasks)) {
		task := s.Tasks[name]
		if task.Deployed == nil {
			continue
		}
		definition, err := cloud.Revision(ctx, task.Deployed.TaskDefinition)
		if err != nil {
			return err
		}
		task.Deployed.Gone = definition == nil || !definition.Active
		if task.Deployed.Images, err = cloud.Images(ctx, definition, name); err != nil {
			return err
		}
		if task.Deployed.schedule != "" {
			task.Schedule, err = scheduleOf(ctx, cloud, task.Deployed.schedule, time.Now())
			s.unread = errors.Join(s.unread, err)
		}
	}
	return nil
}

// scheduleOf reads a schedule of the default group. With an error there is one, too, of which only the name is known.
func scheduleOf(ctx context.Context, c *awsreader.Client, name string, now time.Time) (*readySchedule, error) {
	found := &readySchedule{Name: name, Next: []time.Time{}}
	answer, err := c.Scheduler.GetSchedule(ctx, &scheduler.GetScheduleInput{Name: &name})
	if awsreader.IsCode(err, "ResourceNotFoundException") {
		found.Missing = true
		return found, nil
	}
	if err != nil {
		found.Unknown = "its schedule could not be read"
		return found, fmt.Errorf("reading the schedule %s from EventBridge Scheduler: %w", name, err)
	}
	found.Expression, found.TimeZone = aws.ToString(answer.ScheduleExpression),
		cmp.Or(aws.ToString(answer.ScheduleExpressionTimezone), "UTC")
	found.Enabled = answer.State == schedulertypes.ScheduleStateEnabled
	if answer.Target != nil && answer.Target.EcsParameters != nil {
		found.starts = aws.ToString(answer.Target.EcsParameters.TaskDefinitionArn)
	}
	if !found.Enabled {
		return found, nil
	}
	began := aws.ToTime(answer.CreationDate)
	if answer.StartDate != nil {
		began = *answer.StartDate
	}
	runs, err := schedule.Next(found.Expression, found.TimeZone, began, now, mostRuns)
	if err != nil {
		found.Unknown = "when it runs next is not known: " + err.Error()
	}
	for _, run := range runs {
		if answer.EndDate == nil || !run.After(*answer.EndDate) {
			found.Next = append(found.Next, run)
		}
	}
	return found, nil
}

// compareTask tells how what was deployed of a task differs from what AWS has. undeployed says that the stage file has
// changed since: then its schedule may differ.
func (s *Stage) compareTask(name string, task *taskStatus, undeployed bool) {
	differ := func(format string, args ...any) { s.differ("tasks."+name+": "+format, args...) }
	if task.Deployed == nil {
		return // not deployed yet, which the keys show
	}
	refresh := fmt.Sprintf("run `pulumi up --refresh --stack %s`", s.Stage)
	if task.Deployed.Gone {
		differ("its revision %d was deregistered: %s", task.Deployed.Revision, refresh)
	}
	s.compareImages("tasks."+name, task.Deployed.Images)
	schedule := task.Schedule
	switch {
	case schedule == nil:
		return
	case schedule.Missing && s.destroying():
		differ("EventBridge Scheduler no longer has its schedule %s: a destroy was under way", schedule.Name)
		return
	case schedule.Missing:
		differ("EventBridge Scheduler has no schedule %s: it was deleted by hand; %s", schedule.Name, refresh)
		return
	case schedule.Expression == "":
		return // it could not be read
	}
	if schedule.starts != task.Deployed.TaskDefinition {
		differ("its schedule starts revision %d, and the last update that succeeded deployed %d: %s",
			ecsread.RevisionNumber(schedule.starts), task.Deployed.Revision, refresh)
	}
	if undeployed || task.Asked == nil {
		return
	}
	if now, asked := schedule.Expression+" "+schedule.TimeZone, task.Asked.Schedule+" "+task.Asked.TimeZone; now != asked {
		differ("its schedule is %s in AWS, and %s was asked for: %s", now, asked, refresh)
	}
	if schedule.Enabled != task.Asked.enabled {
		differ("its schedule is %s in AWS, and was to be %s: %s", onOff(schedule.Enabled), onOff(task.Asked.enabled), refresh)
	}
}

func onOff(enabled bool) string {
	if enabled {
		return "enabled"
	}
	return "disabled"
}

func (t *taskStatus) columns() []string {
	columns := []string{"-", "-", "-", "-", "-"}
	if t.Deployed != nil {
		columns[0] = strconv.Itoa(t.Deployed.Revision)
		columns[3], columns[4] = t.Deployed.Image.Describe(), console.ShortDigest(t.Deployed.Image.Digest)
	}
	if t.Asked != nil && len(t.Asked.Before) > 0 {
		columns[1] = strings.Join(t.Asked.Before, ", ")
	}
	switch schedule := t.Schedule; {
	case schedule == nil:
	case schedule.Missing:
		columns[2] = "missing"
	case schedule.Expression == "":
		columns[2] = "unknown"
	default:
		columns[2] = schedule.Expression + " " + schedule.TimeZone
		if !schedule.Enabled {
			columns[2] += ", disabled"
		}
	}
	return columns
}

// describeNext says when a schedule runs next, in its own zone and in UTC.
func (s *readySchedule) describeNext() string {
	switch {
	case s.Missing:
		return "never: its schedule is missing"
	case s.Unknown != "":
		return s.Unknown
	case !s.Enabled:
		return "never: its schedule is disabled"
	case len(s.Next) == 0:
		return "never again"
	}
	zone, err := time.LoadLocation(s.TimeZone)
	if err != nil {
		zone = time.UTC
	}
	var runs []string
	for _, next := range s.Next {
		text := next.UTC().Format("Mon 2006-01-02 15:04 MST")
		if own := next.In(zone).Format("Mon 2006-01-02 15:04 MST"); own != text {
			text = own + " (" + next.UTC().Format("Mon 15:04 MST") + ")"
		}
		runs = append(runs, text)
	}
	about := ""
	if strings.HasPrefix(s.Expression, "rate") {
		about = "about " // AWS does not tell from when it counts once a schedule was changed
	}
	return "next " + about + strings.Join(runs, ", ")
}
