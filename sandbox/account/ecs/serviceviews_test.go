package ecs

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReplicasAreCountedAsECSCountsThem(t *testing.T) {
	t.Parallel()
	const one, two = "web:1", "web:2"
	s := &Service{TaskDefinition: two, Deployments: []*Deployment{{TaskDefinition: two}}, Tasks: []*Task{
		{TaskDefinition: two, LastStatus: taskRunning}, {TaskDefinition: two, LastStatus: taskRunning, Settling: true},
		{TaskDefinition: two, LastStatus: taskRunning, TargetHealth: targetInitial},
		{TaskDefinition: two, LastStatus: "PENDING"},
		{TaskDefinition: one, LastStatus: taskStopped}}}
	revision, running := s.serving()
	require.Equal(t, two, revision)
	require.Equal(t, 3, running)
}
