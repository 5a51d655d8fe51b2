package ecs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"slipway/internal/awslimits"
	"slipway/sandbox/account"
)

// TaskDefinition is one revision of a family, with the field names of the ECS API.
type TaskDefinition struct {
	ARN                     string            `json:"taskDefinitionArn"`
	Family                  string            `json:"family"`
	Revision                int               `json:"revision"`
	Status                  string            `json:"status"` // ACTIVE or INACTIVE
	Containers              []Container       `json:"containerDefinitions"`
	CPU                     string            `json:"cpu,omitempty"`
	Memory                  string            `json:"memory,omitempty"`
	ExecutionRoleARN        string            `json:"executionRoleArn,omitempty"`
	TaskRoleARN             string            `json:"taskRoleArn,omitempty"`
	NetworkMode             string            `json:"networkMode,omitempty"`
	RequiresCompatibilities []string          `json:"requiresCompatibilities,omitempty"`
	RuntimePlatform         map[string]string `json:"runtimePlatform,omitempty"`
	EphemeralStorage        map[string]int    `json:"ephemeralStorage,omitempty"` // sizeInGiB
	IPCMode                 string            `json:"ipcMode,omitempty"`
	PIDMode                 string            `json:"pidMode,omitempty"`
	Volumes                 []Volume          `json:"volumes,omitempty"`
	Tags                    map[string]any    `json:"tags,omitempty"`
	RegisteredAt            float64           `json:"registeredAt"`
	DeregisteredAt          float64           `json:"deregisteredAt,omitempty"`
}

const taskDefinitionKind = "taskDefinition"

func taskDefinitionID(family string, revision int) string {
	return fmt.Sprintf("%s:%07d", family, revision)
}

// RegisterTaskDefinition records the next revision of d.Family in a region. A revision's number is never used again.
func RegisterTaskDefinition(a *account.Account, region string, d TaskDefinition) (*TaskDefinition, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	err := a.Transact(func(t *account.Tx) error {
		d.Revision = t.Next("revisions of " + d.Family)
		d.ARN = account.ARN(t.ID, "ecs", region, fmt.Sprintf("task-definition/%s:%d", d.Family, d.Revision))
		d.Status = statusActive
		d.RegisteredAt = account.Seconds(t.Now)
		account.Put(t, taskDefinitionKind, taskDefinitionID(d.Family, d.Revision), d)
		return nil
	})
	return &d, err
}

// FindTaskDefinition finds a revision by ARN, `family:revision` or `family`, which stands for its latest ACTIVE one.
func FindTaskDefinition(a *account.Account, reference string) (d *TaskDefinition, err error) {
	err = a.Transact(func(t *account.Tx) error {
		d, err = findTaskDefinition(t, reference)
		return err
	})
	return d, err
}

func findTaskDefinition(t *account.Tx, reference string) (*TaskDefinition, error) {
	missing := account.Refuse("ClientException", "Unable to describe task definition.")
	family, revision, exact := strings.Cut(account.AfterSlash(reference), ":")
	if exact {
		number, err := strconv.Atoi(revision)
		if err != nil {
			return nil, account.Refuse("InvalidParameterException", "Invalid revision number. Number: %s", revision)
		}
		d := account.Get[TaskDefinition](t, taskDefinitionKind, taskDefinitionID(family, number))
		if d == nil || (strings.HasPrefix(reference, "arn:") && d.ARN != reference) {
			return nil, missing
		}
		return d, nil
	}
	var latest *TaskDefinition
	for _, d := range account.List[TaskDefinition](t, taskDefinitionKind) {
		if d.Family == family && d.Status == statusActive {
			latest = d
		}
	}
	if latest == nil {
		return nil, missing
	}
	return latest, nil
}

// TaskDefinitions lists every revision, by family and number.
func TaskDefinitions(a *account.Account) (all []*TaskDefinition, err error) {
	err = a.Transact(func(t *account.Tx) error {
		all = account.List[TaskDefinition](t, taskDefinitionKind)
		return nil
	})
	return all, err
}

// DeregisterTaskDefinition makes a revision INACTIVE: what runs on it stays, and nothing new can be pointed at it.
func DeregisterTaskDefinition(a *account.Account, reference string) (d *TaskDefinition, err error) {
	if !strings.Contains(account.AfterSlash(reference), ":") {
		return nil, account.Refuse("InvalidParameterException", "Task definition must have a revision: %s", reference)
	}
	err = a.Transact(func(t *account.Tx) error {
		if d, err = findTaskDefinition(t, reference); err != nil {
			return err
		}
		d.Status, d.DeregisteredAt = statusInactive, account.Seconds(t.Now)
		account.Put(t, taskDefinitionKind, taskDefinitionID(d.Family, d.Revision), d)
		return nil
	})
	return d, err
}

// TagTaskDefinition replaces a revision's tags, the one thing about it that can change.
func TagTaskDefinition(a *account.Account, reference string, tags map[string]any) error {
	return a.Transact(func(t *account.Tx) error {
		d, err := findTaskDefinition(t, reference)
		if err = errors.Join(err, account.CheckTags(account.Object{"tagsAll": tags})); err != nil {
			return err
		}
		d.Tags = tags
		account.Put(t, taskDefinitionKind, taskDefinitionID(d.Family, d.Revision), d)
		return nil
	})
}

func onFargate(cpu, memory string) bool {
	c, errCPU := strconv.Atoi(cpu)
	m, errMemory := strconv.Atoi(memory)
	return errCPU == nil && errMemory == nil && awslimits.OnFargate(c, m)
}

var validName = awslimits.ECSName

// size is that of the definition as JSON in which < and & stand for themselves.
func (d TaskDefinition) size() (int, error) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(d)
	return body.Len(), err
}

// check refuses what ECS refuses at registration.
func (d TaskDefinition) check() error {
	client := func(format string, args ...any) error { return account.Refuse("ClientException", format, args...) }
	size, err := d.size()
	if err = errors.Join(err, account.CheckTags(account.Object{"tagsAll": d.Tags})); err != nil {
		return err
	}
	switch {
	case size > awslimits.TaskDefinitionSize:
		return client("Actual length: '%d'. Max allowed length is '%d' bytes.", size, awslimits.TaskDefinitionSize)
	case !validName.MatchString(d.Family):
		return client("Family contains invalid characters.")
	case len(d.Containers) == 0:
		return client("Container list cannot be empty.")
	case len(d.Containers) > awslimits.Containers:
		return client("Task definition has %d containers; at most %d are allowed.", len(d.Containers), awslimits.Containers)
	}
	fargate := slices.Contains(d.RequiresCompatibilities, awslimits.Fargate)
	if fargate {
		switch {
		case d.CPU == "" || d.Memory == "":
			return client("Fargate requires that 'cpu' and 'memory' be defined at the task level.")
		case d.NetworkMode != "awsvpc":
			return client("Fargate only supports network mode ‘awsvpc’.")
		case !onFargate(d.CPU, d.Memory):
			return client("No Fargate configuration exists for given values.")
		}
		if err := d.checkFargate(); err != nil {
			return err
		}
	}
	names := map[string]bool{}
	for _, c := range d.Containers {
		if names[c.Name()] {
			return client("Container name '%s' is used more than once.", c.Name())
		}
		names[c.Name()] = true
		if err := d.checkContainer(c, fargate); err != nil {
			return err
		}
	}
	return d.crosscheck()
}

// checkContainer refuses what ECS refuses of one container.
func (d TaskDefinition) checkContainer(c Container, fargate bool) error {
	awsvpc := d.NetworkMode == "awsvpc"
	if err := c.check(awsvpc, fargate && d.ExecutionRoleARN == ""); err != nil {
		return err
	}
	checks := []func() error{func() error { return c.checkOptional(fargate) }, c.checkProcess, c.checkKernel,
		func() error { return c.checkLogs(fargate) }}
	if awsvpc {
		checks = append(checks, c.checkNetworkMode)
	}
	if fargate {
		checks = append(checks, c.checkFargate)
	}
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// deployable finds a task definition that a service may be pointed at.
func deployable(t *account.Tx, reference string) (*TaskDefinition, error) {
	d, err := findTaskDefinition(t, reference)
	if err != nil {
		return nil, err
	}
	if d.Status != statusActive {
		return nil, account.Refuse("ClientException", "TaskDefinition is inactive")
	}
	return d, nil
}
