package awslimits

import (
	"fmt"
	"slices"
	"strings"
)

// Fargate is both a launch type and a capacity provider, EC2 a launch type only, and FargateSpot a capacity provider
// only.
const (
	Fargate     = "FARGATE"
	FargateSpot = "FARGATE_SPOT"
	EC2         = "EC2"
)

// TaskSize is a CPU size of Fargate and the memory that goes with it.
type TaskSize struct {
	// CPU units, of which 1024 are one vCPU.
	CPU int
	// Memory are the sizes in MiB.
	Memory []int
	// steps is the memory in words, where the list is long.
	steps string
}

// TaskSizes are those of Linux tasks on Fargate:
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-size
var TaskSizes = []TaskSize{
	{CPU: 256, Memory: []int{512, 1024, 2048}},
	memoryRange(512, 1024, 4096, 1024),
	memoryRange(1024, 2048, 8192, 1024),
	memoryRange(2048, 4096, 16384, 1024),
	memoryRange(4096, 8192, 30720, 1024),
	memoryRange(8192, 16384, 61440, 4096),
	memoryRange(16384, 32768, 122880, 8192),
	{CPU: 32768, Memory: []int{61440, 122880, 249856}},
}

func memoryRange(cpu, from, to, step int) TaskSize {
	size := TaskSize{CPU: cpu, steps: fmt.Sprintf("%d to %d in steps of %d", from, to, step)}
	for memory := from; memory <= to; memory += step {
		size.Memory = append(size.Memory, memory)
	}
	return size
}

// FindTaskSize is the size of so many CPU units; nil where Fargate has none.
func FindTaskSize(cpu int) *TaskSize {
	i := slices.IndexFunc(TaskSizes, func(size TaskSize) bool { return size.CPU == cpu })
	if i < 0 {
		return nil
	}
	return &TaskSizes[i]
}

// OnFargate tells whether Fargate has tasks of so many CPU units and MiB.
func OnFargate(cpu, memory int) bool {
	size := FindTaskSize(cpu)
	return size != nil && slices.Contains(size.Memory, memory)
}

// MemoryInWords is the memory that goes with the CPU size.
func (t TaskSize) MemoryInWords() string {
	if t.steps != "" {
		return t.steps
	}
	return numbers(t.Memory)
}

// CPUInWords are all CPU sizes.
func CPUInWords() string {
	var sizes []int
	for _, size := range TaskSizes {
		sizes = append(sizes, size.CPU)
	}
	return numbers(sizes)
}

func numbers(values []int) string {
	var texts []string
	for _, value := range values {
		texts = append(texts, fmt.Sprint(value))
	}
	return strings.Join(texts, ", ")
}
