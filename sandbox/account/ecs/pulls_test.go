package ecs

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPlatformOfATask(t *testing.T) {
	t.Parallel()
	require.Equal(t, "linux/amd64", TaskDefinition{}.Platform())
	arm := map[string]string{"cpuArchitecture": "ARM64"}
	require.Equal(t, "linux/arm64", TaskDefinition{RuntimePlatform: arm}.Platform())
}
