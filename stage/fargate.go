package stage

import (
	"fmt"
	"slices"
)

// taskSize is a CPU size of Fargate and the memory that goes with it.
type taskSize struct {
	cpu    int // CPU units, of which 1024 are one vCPU
	memory []int
	steps  string // memory in words, where the list is long
}

// taskSizes are those of Linux tasks on Fargate:
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
var taskSizes = []taskSize{
	{cpu: 256, memory: []int{512, 1024, 2048}},
	memoryRange(512, 1024, 4096, 1024),
	memoryRange(1024, 2048, 8192, 1024),
	memoryRange(2048, 4096, 16384, 1024),
	memoryRange(4096, 8192, 30720, 1024),
	memoryRange(8192, 16384, 61440, 4096),
	memoryRange(16384, 32768, 122880, 8192),
	{cpu: 32768, memory: []int{61440, 122880, 249856}},
}

func memoryRange(cpu, from, to, step int) taskSize {
	size := taskSize{cpu: cpu, steps: fmt.Sprintf("%d to %d in steps of %d", from, to, step)}
	for memory := from; memory <= to; memory += step {
		size.memory = append(size.memory, memory)
	}
	return size
}

// isTaskSize tells whether Fargate has tasks of so many CPU units.
func isTaskSize(cpu int) bool {
	return slices.ContainsFunc(taskSizes, func(size taskSize) bool { return size.cpu == cpu })
}

// allowed is the memory that goes with the CPU size, in words.
func (t taskSize) allowed() string {
	if t.steps != "" {
		return t.steps
	}
	return numbers(t.memory)
}

func allowedCPU() string {
	var sizes []int
	for _, size := range taskSizes {
		sizes = append(sizes, size.cpu)
	}
	return numbers(sizes)
}

func numbers(values []int) string {
	var texts []string
	for _, value := range values {
		texts = append(texts, fmt.Sprint(value))
	}
	return enumerate(texts)
}
