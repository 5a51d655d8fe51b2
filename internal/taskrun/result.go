package taskrun

import (
	"fmt"
	"path"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Result is how a task ended.
type Result struct {
	TaskARN string `json:"task"`
	// TaskDefinition is the ARN of the revision that it ran.
	TaskDefinition string `json:"taskDefinition"`
	// ExitCode is the main container's; nil where that was never started.
	ExitCode *int `json:"exitCode"`
	// StopCode and StoppedReason are ECS's own words for why the task stopped.
	StopCode      string `json:"stopCode"`
	StoppedReason string `json:"stoppedReason"`
	// Containers are all of the task's, in ECS's order.
	Containers []Container `json:"containers"`
	// LogErr says why the log could not be read to its end; nil where it was. The task ran all the same.
	LogErr error `json:"-"`
}

// Container is how one container of the task ended.
type Container struct {
	Name string `json:"name"`
	// ExitCode is nil for one that was never started.
	ExitCode *int   `json:"exitCode"`
	Reason   string `json:"reason,omitempty"`
}

// TaskID is the last part of the task's ARN.
func (r Result) TaskID() string { return path.Base(r.TaskARN) }

// Succeeded tells whether the task ran to its end and its main container ended with exit code 0.
func (r Result) Succeeded() bool {
	return r.ExitCode != nil && *r.ExitCode == 0 && !r.stoppedFromOutside()
}

// stoppedFromOutside tells whether somebody stopped the task before its end. What its main container made of that, an
// exit code of 0 even, is no result.
func (r Result) stoppedFromOutside() bool {
	return r.StopCode != "" && r.StopCode != string(types.TaskStopCodeEssentialContainerExited)
}

// EndedWell tells whether a task that ECS describes has succeeded, as Succeeded does. main is the name of its main
// container.
func EndedWell(task types.Task, main string) bool { return resultOf(task, main).Succeeded() }

// Why is the reason why a task stopped that ECS describes, with what is known of its containers.
func Why(task types.Task) string { return resultOf(task, "").Why() }

// Why is the reason why the task stopped, with what is known of its containers.
func (r Result) Why() string {
	why := r.StoppedReason
	for _, container := range r.Containers {
		var details []string
		if container.ExitCode != nil {
			details = append(details, fmt.Sprintf("exit code %d", *container.ExitCode))
		}
		if container.Reason != "" {
			details = append(details, container.Reason)
		}
		if len(details) > 0 {
			why += fmt.Sprintf(" (container %s: %s)", container.Name, strings.Join(details, ", "))
		}
	}
	return strings.TrimSpace(why)
}

// resultOf is how a task stands that ECS describes.
func resultOf(task types.Task, main string) Result {
	result := Result{
		TaskARN: aws.ToString(task.TaskArn), TaskDefinition: aws.ToString(task.TaskDefinitionArn),
		StopCode: string(task.StopCode), StoppedReason: aws.ToString(task.StoppedReason),
	}
	for _, described := range task.Containers {
		container := Container{Name: aws.ToString(described.Name), Reason: aws.ToString(described.Reason)}
		if described.ExitCode != nil {
			container.ExitCode = aws.Int(int(*described.ExitCode))
		}
		if container.Name == main {
			result.ExitCode = container.ExitCode
		}
		result.Containers = append(result.Containers, container)
	}
	return result
}
