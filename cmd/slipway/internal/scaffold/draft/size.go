package draft

import (
	"slipway/internal/awslimits"
)

// TaskSize is the smallest size of Fargate that has so much of both; 0 asks for nothing. ok is false where none has.
func TaskSize(cpu, memory int) (gotCPU, gotMemory int, ok bool) {
	for _, size := range awslimits.TaskSizes {
		if size.CPU < cpu {
			continue
		}
		for _, each := range size.Memory {
			if each >= memory && (memory > 0 || each >= 2*size.CPU) { // the default goes with twice as many MiB
				return size.CPU, each, true
			}
		}
	}
	return 0, 0, false
}
